//! Which fine labels make up which class.

use std::collections::HashSet;
use std::path::Path;
use std::str::FromStr as _;

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::sources::read_text;

/// A list of classes; the order is the class index, and "next class" means index + 1, wrapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    /// Name of the taxonomy, for people.
    pub name: String,
    /// The classes in order.
    #[serde(rename = "class")]
    pub classes: Vec<Class>,
}

/// A class: a group of fine labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Short name, used in tables and CSV files.
    pub name: String,
    /// Folder of the class in the official release; the name when left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// WordNet id of the class itself, such as `n02084071`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wordnet: Option<String>,
    /// Fine labels (ImageNet: WordNet ids) that belong to the class.
    #[serde(default)]
    pub synsets: Vec<String>,
    /// ImageNet-1k class indices, in the order of `synsets`; empty when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indices: Vec<u32>,
}

const EMBEDDED: [(&str, &str); 2] = [
    ("imagenet-9", include_str!("../taxonomies/imagenet-9.toml")),
    ("toy", include_str!("../taxonomies/toy.toml")),
];

impl Taxonomy {
    /// One of the taxonomies that come with the program: `imagenet-9` or `toy`.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn named(name: &str) -> Result<Self> {
        let names = EMBEDDED.map(|(name, _)| name).join(", ");
        let (_, text) = EMBEDDED
            .iter()
            .find(|(embedded, _)| *embedded == name)
            .ok_or_else(|| Error::Unknown { what: "taxonomy", known: names, found: name.into() })?;
        Self::parse(text, Path::new(name))
    }

    /// A taxonomy by embedded name or, if there is none of that name, by path.
    ///
    /// # Errors
    /// If the file cannot be read or is not a taxonomy.
    pub fn resolve(name_or_path: &str) -> Result<Self> {
        match EMBEDDED.iter().any(|(name, _)| *name == name_or_path) {
            true => Self::named(name_or_path),
            false => Self::load(name_or_path.as_ref()),
        }
    }

    /// Reads a taxonomy file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a taxonomy.
    pub fn load(path: &Path) -> Result<Self> {
        // ImageNet's largest edition, of 21,841 classes, takes two megabytes; as a document, a text of many short
        // values takes some thirty times its length.
        let limits = Limits { table_bytes: 8 << 20, ..Limits::default() };
        Self::parse(&read_text(path, &limits)?, path)
    }

    /// Reads a taxonomy from TOML; `path` only names it in errors.
    ///
    /// # Errors
    /// If the text is not a taxonomy, or classes share a name, folder, synset or index.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut taxonomy: Self = toml::from_str(text).map_err(|e| {
            let found = e.message().lines().collect::<Vec<_>>().join(" ");
            Error::NotOfFormat {
                path: path.into(),
                format: "a taxonomy",
                expected: "name and [[class]] tables".into(),
                found,
                advice: "mend the file",
            }
        })?;
        for class in &mut taxonomy.classes {
            if class.folder.is_empty() {
                class.folder.clone_from(&class.name);
            }
        }
        taxonomy.check(path)?;
        Ok(taxonomy)
    }

    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        let bad = |what: String, expected: &str, found: String| {
            Err(Error::malformed(path, what, expected, found, "mend the file"))
        };
        if self.classes.is_empty() || self.classes.len() > usize::from(u16::MAX) {
            return bad("number of classes".into(), "1 to 65535", self.classes.len().to_string());
        }
        let (mut names, mut folders, mut synsets, mut indices) =
            (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
        for class in &self.classes {
            for (text, what) in [(&class.name, "class name"), (&class.folder, "class folder")] {
                let found = match PlainName::from_str(text) {
                    // Names of classes become names of columns and of command lines' lists.
                    Ok(_) if !text.contains(',') => continue,
                    Ok(_) => format!("{text:?}"),
                    Err(error) => error.to_string(),
                };
                return bad(what.into(), "a plain file name without comma", found);
            }
            if !names.insert(&class.name) || !folders.insert(&class.folder) {
                return bad("class listed twice".into(), "distinct names and folders", class.name.clone());
            }
            if !class.indices.is_empty() && class.indices.len() != class.synsets.len() {
                let found =
                    format!("{} for {} synsets of {}", class.indices.len(), class.synsets.len(), class.name);
                return bad("number of indices".into(), "one for each synset, or none", found);
            }
            if let Some(twice) = class.synsets.iter().find(|synset| !synsets.insert(*synset)) {
                return bad("synset listed twice".into(), "each synset in one class", twice.clone());
            }
            if let Some(twice) = class.indices.iter().find(|index| !indices.insert(**index)) {
                return bad("index listed twice".into(), "each index in one class", twice.to_string());
            }
        }
        Ok(())
    }

    /// A taxonomy whose classes are these names, each its own only fine label.
    ///
    /// # Errors
    /// If names are not distinct plain file names.
    pub fn from_names(name: &str, classes: &[String]) -> Result<Self> {
        let class = |name: &String| Class {
            name: name.clone(),
            folder: name.clone(),
            wordnet: None,
            synsets: vec![name.clone()],
            indices: Vec::new(),
        };
        let taxonomy = Self { name: name.into(), classes: classes.iter().map(class).collect() };
        taxonomy.check(Path::new(name))?;
        Ok(taxonomy)
    }

    /// The same classes with only the first `count` fine labels of each, in sorted order: the
    /// sub-classes of IN-9LB are the first 16.
    #[must_use]
    pub fn first_fine(&self, count: usize) -> Self {
        let mut taxonomy = self.clone();
        for class in &mut taxonomy.classes {
            let mut fine: Vec<(String, Option<u32>)> = class
                .synsets
                .iter()
                .cloned()
                .enumerate()
                .map(|(i, s)| (s, class.indices.get(i).copied()))
                .collect();
            fine.sort_unstable();
            fine.truncate(count);
            class.indices = fine.iter().filter_map(|(_, index)| *index).collect();
            class.synsets = fine.into_iter().map(|(synset, _)| synset).collect();
        }
        taxonomy
    }

    /// Splits each class into groups of `count` fine labels, in sorted order: IN-9LB's finer
    /// classes. A group is named after its class and its number, `dog-00`; its folder likewise.
    ///
    /// # Errors
    /// If `count` is 0 or the groups are too many.
    pub fn grouped(&self, count: usize) -> Result<Self> {
        if count == 0 {
            return Err(Error::Setting { setting: "group size", expected: "at least 1", found: "0".into() });
        }
        let mut classes = Vec::new();
        for class in self.first_fine(usize::MAX).classes {
            for (number, synsets) in class.synsets.chunks(count).enumerate() {
                let indices = class.indices.chunks(count).nth(number).unwrap_or_default().to_vec();
                classes.push(Class {
                    name: format!("{}-{number:02}", class.name),
                    folder: format!("{}-{number:02}", class.folder),
                    wordnet: None,
                    synsets: synsets.to_vec(),
                    indices,
                });
            }
        }
        let taxonomy = Self { name: format!("{}-groups-of-{count}", self.name), classes };
        taxonomy.check(Path::new(&taxonomy.name))?;
        Ok(taxonomy)
    }

    /// The taxonomy as the TOML that [`Taxonomy::load`] reads.
    pub fn to_toml(&self) -> String {
        // Texts and numbers always have a TOML form.
        toml::to_string(self).unwrap_or_default()
    }

    /// Number of classes.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are no classes (never true of a taxonomy that was read).
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Index of the class of this name.
    pub fn class_named(&self, name: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.name == name)
    }

    /// Index of the class that a fine label belongs to.
    pub fn class_of_synset(&self, synset: &str) -> Option<usize> {
        self.classes.iter().position(|class| class.synsets.iter().any(|own| own == synset))
    }

    /// Index of the class that an ImageNet-1k class index belongs to.
    pub fn class_of_index(&self, index: u32) -> Option<usize> {
        self.classes.iter().position(|class| class.indices.contains(&index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_taxonomies_are_valid() {
        let counts: Vec<usize> =
            Taxonomy::named("imagenet-9").unwrap().classes.iter().map(|c| c.synsets.len()).collect();
        assert_eq!(counts, [116, 52, 42, 36, 35, 27, 26, 20, 16]);
        assert!(!Taxonomy::named("toy").unwrap().is_empty());
        assert!(Taxonomy::named("imagenet-10").is_err());
    }

    #[test]
    fn imagenet_9_maps_synsets_and_indices() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        assert_eq!(taxonomy.class_of_index(151), Some(0));
        assert_eq!(taxonomy.class_of_index(171), None);
        assert_eq!(taxonomy.class_of_index(389), Some(8));
        assert_eq!(taxonomy.class_of_synset("n01440764"), Some(8));
        assert_eq!(taxonomy.classes[2].folder, "02_wheeled vehicle");
    }

    #[test]
    fn groups_are_those_of_in_9lb() {
        let sixteen = Taxonomy::named("imagenet-9").unwrap().first_fine(16);
        assert!(sixteen.classes.iter().all(|c| c.synsets.len() == 16 && c.indices.len() == 16));
        for (count, classes) in [(1, 144), (2, 72), (4, 36), (8, 18), (16, 9)] {
            assert_eq!(sixteen.grouped(count).unwrap().len(), classes);
        }
        let fine = sixteen.grouped(1).unwrap();
        assert_eq!(fine.classes[0].name, "dog-00");
        let (synset, index) = (&fine.classes[17].synsets[0], fine.classes[17].indices[0]);
        assert_eq!(sixteen.class_of_synset(synset), sixteen.class_of_index(index));
    }

    fn error_of(text: &str) -> String {
        Taxonomy::parse(text, Path::new("t.toml")).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_named() {
        let two = |a: &str, b: &str| format!("name = 't'\n[[class]]\nname = 'a'\n{a}\n[[class]]\n{b}");
        assert!(error_of("name = 3").contains("t.toml: not a taxonomy"));
        assert!(error_of("name = 't'\nclass = []").contains("found 0"));
        assert!(error_of(&two("", "name = 'a'")).contains("class listed twice"));
        assert!(error_of(&two("synsets = ['n1']", "name = 'b'\nsynsets = ['n1']")).contains("found n1"));
        assert!(
            error_of(&two("synsets = ['n1']\nindices = [1, 2]", "name = 'b'")).contains("2 for 1 synsets")
        );
        assert!(error_of(&two("", "name = '../b'")).contains("plain file name"));
    }
}
