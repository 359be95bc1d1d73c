//! What a text tower is told about each class.

use std::collections::BTreeMap;
use std::path::Path;

use in9_data::Taxonomy;
use serde::Deserialize;

use crate::error::{Error, Result};

/// Where the class's name stands in a template.
const HOLE: &str = "{}";
/// Longest file of prompts, in bytes.
const LONGEST: u64 = 1 << 20;
/// Most texts of one class: a mistake in a file should not cost hours.
const MOST: usize = 10_000;

/// Templates, and what classes are called in them.
///
/// ```
/// use in9_models::zero_shot::Prompts;
///
/// let prompts = Prompts::parse("mine", r#"
///     templates = ["a photo of a {}.", "a sketch of a {}."]
///     [names]
///     dog = ["dog", "puppy"]
/// "#)?;
/// let taxonomy = in9_data::Taxonomy::from_names("pets", &["dog".into(), "guinea-pig".into()])?;
/// let texts = prompts.texts(&taxonomy)?;
/// assert_eq!(texts[0].len(), 4);
/// assert_eq!(texts[1][0], "a photo of a guinea pig.");
/// # Ok::<(), in9_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts {
    /// What results call them: `plain`, `ensemble`, or the file's name.
    pub name: String,
    templates: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
}

/// A file of prompts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    templates: Vec<String>,
    #[serde(default)]
    names: BTreeMap<String, Vec<String>>,
}

impl Prompts {
    /// One template, the one that CLIP's paper (arXiv 2103.00020, section 3.1.4) takes where it takes one.
    pub fn plain() -> Self {
        Self::built_in("plain", &["a photo of a {}."])
    }

    /// Seven templates, which CLIP's authors found to be enough on ImageNet; their texts' embeddings are averaged.
    pub fn ensemble() -> Self {
        let templates = [
            "itap of a {}.",
            "a bad photo of the {}.",
            "a origami {}.",
            "a photo of the large {}.",
            "a {} in a video game.",
            "art of the {}.",
            "a photo of the small {}.",
        ];
        Self::built_in("ensemble", &templates)
    }

    fn built_in(name: &str, templates: &[&str]) -> Self {
        let templates = templates.iter().map(|template| (*template).to_owned()).collect();
        Self { name: name.to_owned(), templates, names: BTreeMap::new() }
    }

    /// `plain`, `ensemble`, or the file of that name.
    ///
    /// # Errors
    /// As [`Prompts::read`].
    pub fn find(name: &str) -> Result<Self> {
        match name {
            "plain" => Ok(Self::plain()),
            "ensemble" => Ok(Self::ensemble()),
            path => Self::read(path.as_ref()),
        }
    }

    /// The prompts in a TOML file: a list `templates`, and under `[names]` what classes are called, where that is not
    /// their name in the taxonomy.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read, [`Error::File`] for one that holds something else.
    pub fn read(path: &Path) -> Result<Self> {
        let text = in9_base::files::read_text(path, LONGEST)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text).map_err(|error| {
            Error::file(path, "no prompts", "templates = [\"a photo of a {}.\"] and a table [names]", error)
        })
    }

    /// The prompts in the text of such a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        let wrong = |expected: &str, found: &str| Error::setting("prompts", expected, found);
        let File { templates, names } =
            toml::from_str(text).map_err(|error| wrong("templates and names", error.message()))?;
        if templates.is_empty() {
            return Err(wrong("at least one template", "none"));
        }
        if let Some(template) = templates.iter().find(|template| !template.contains(HOLE)) {
            return Err(wrong("{} in each template, where the class stands", template));
        }
        if let Some((class, _)) =
            names.iter().find(|(_, names)| names.iter().all(|name| name.trim().is_empty()))
        {
            return Err(wrong("a name of each class that is listed", class));
        }
        Ok(Self { name: name.to_owned(), templates, names })
    }

    /// The templates.
    pub fn templates(&self) -> &[String] {
        &self.templates
    }

    /// What each class of `taxonomy` is called, in their order: what the prompts say, or else its name with blanks for
    /// `-` and `_`.
    ///
    /// # Errors
    /// [`Error::Setting`] for prompts that name a class that there is not.
    pub fn names(&self, taxonomy: &Taxonomy) -> Result<Vec<Vec<String>>> {
        let known = |class: &&String| taxonomy.classes.iter().any(|known| known.name == **class);
        if let Some(class) = self.names.keys().find(|class| !known(class)) {
            let classes: Vec<&str> = taxonomy.classes.iter().map(|class| class.name.as_str()).collect();
            let expected = format!("names of {}'s classes, {}", taxonomy.name, classes.join(", "));
            return Err(Error::setting("prompts", expected, class));
        }
        let own = |class: &in9_data::Class| vec![class.name.replace(['-', '_'], " ")];
        let all = taxonomy.classes.iter();
        Ok(all.map(|class| self.names.get(&class.name).cloned().unwrap_or_else(|| own(class))).collect())
    }

    /// The texts of each class of `taxonomy`, in their order: every name in every template.
    ///
    /// # Errors
    /// As [`Prompts::names`], and for more texts than anybody wants.
    pub fn texts(&self, taxonomy: &Taxonomy) -> Result<Vec<Vec<String>>> {
        let mut texts = Vec::new();
        for names in self.names(taxonomy)? {
            let count = names.len() * self.templates.len();
            if count > MOST {
                return Err(Error::setting("prompts", format!("at most {MOST} texts of a class"), count));
            }
            let of =
                |template: &String| names.iter().map(|name| template.replace(HOLE, name)).collect::<Vec<_>>();
            texts.push(self.templates.iter().flat_map(of).collect());
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_in_every_template() {
        let taxonomy = Taxonomy::from_names("t", &["sea_lion".into(), "dog".into()]).unwrap();
        let prompts =
            Prompts::parse("p", "templates = ['{}', 'no {}']\n[names]\ndog = ['cur', 'pup']").unwrap();
        let texts = prompts.texts(&taxonomy).unwrap();
        assert_eq!(texts[0], ["sea lion", "no sea lion"]);
        assert_eq!(texts[1], ["cur", "pup", "no cur", "no pup"]);
        assert_eq!(Prompts::ensemble().texts(&taxonomy).unwrap()[1].len(), 7);
        assert_eq!(Prompts::plain().texts(&taxonomy).unwrap()[1], ["a photo of a dog."]);
    }

    #[test]
    fn what_would_be_silently_wrong_is_refused() {
        for wrong in ["", "templates = []", "templates = ['a photo']", "templates = ['{}']\nname = 1"] {
            assert!(Prompts::parse("p", wrong).is_err(), "{wrong}");
        }
        assert!(Prompts::parse("p", "templates = ['{}']\n[names]\ndog = ['']").is_err());
        let taxonomy = Taxonomy::from_names("t", &["cat".into(), "dog".into()]).unwrap();
        let prompts = Prompts::parse("p", "templates = ['{}']\n[names]\ndgo = ['dog']").unwrap();
        let error = prompts.texts(&taxonomy).unwrap_err().to_string();
        assert!(error.contains("dgo") && error.contains("cat, dog"), "{error}");
    }
}
