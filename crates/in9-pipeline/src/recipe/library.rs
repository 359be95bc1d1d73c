//! Reading recipes: those that come with this crate, and files.

use std::path::Path;

use in9_base::files;

use super::Recipe;
use crate::error::{Error, Result};

/// No recipe is longer than this, in bytes.
const LONGEST: u64 = 1 << 20;

/// (name, text) of the recipes that come with this crate.
const RECIPES: [(&str, &str); 4] = [
    ("toy", include_str!("../../recipes/toy.toml")),
    ("tiny-imagenet", include_str!("../../recipes/tiny-imagenet.toml")),
    ("imagenet", include_str!("../../recipes/imagenet.toml")),
    ("in9-release", include_str!("../../recipes/in9-release.toml")),
];

impl Recipe {
    /// Reads a recipe: one that comes with this crate, by its name, or a file whose name ends in `.toml`,
    /// relative to `here`. Returns its name too.
    ///
    /// # Errors
    /// [`Error::NoSuchRecipe`], [`Error::Files`] if the file cannot be read or is none, [`Error::Syntax`] and
    /// [`Error::Recipe`] if it is no recipe.
    pub fn load(name: &str, here: &Path) -> Result<(String, Self)> {
        if Path::new(name).extension().is_none_or(|end| end != "toml") {
            let Some((name, text)) = RECIPES.iter().find(|(known, _)| *known == name) else {
                let known = RECIPES.iter().map(|(name, _)| *name).collect();
                return Err(Error::NoSuchRecipe { name: name.to_owned(), known });
            };
            return Ok(((*name).to_owned(), Self::parse(Path::new(name), text)?));
        }
        let path = here.join(name);
        let recipe = Self::parse(&path, &files::read_text(&path, LONGEST)?)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok((stem, recipe))
    }

    /// Reads a recipe's text and checks it; `path` is where the text is from, for messages.
    ///
    /// # Errors
    /// [`Error::Syntax`] and [`Error::Recipe`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let recipe: Self = toml::from_str(text)
            .map_err(|source| Error::Syntax { path: path.to_owned(), source: Box::new(source) })?;
        recipe.check().map_err(|what| Error::Recipe { recipe: path.display().to_string(), what })?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_that_comes_along_is_valid() {
        for (name, _) in RECIPES {
            Recipe::load(name, Path::new("")).unwrap();
        }
        let error = Recipe::load("toyy", Path::new("")).unwrap_err().to_string();
        assert!(error.contains("no such recipe") && error.contains("tiny-imagenet"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let error = Recipe::load("pipe.toml", folder.path()).unwrap_err().to_string();
        assert!(error.contains("is a pipe"), "{error}");
    }
}
