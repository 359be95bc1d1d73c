//! Reading recipes: those that come with this crate, and files.

use std::path::Path;

use in9_base::files;

use super::{Adjustments, Recipe, adjust};
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
        Self::load_adjusted(name, here, &Adjustments::default())
    }

    /// As [`Recipe::load`], with `adjustments` carried out.
    ///
    /// # Errors
    /// As for [`Recipe::load`]; [`Error::Recipe`] too where an adjustment fits nothing in the recipe.
    pub fn load_adjusted(name: &str, here: &Path, adjustments: &Adjustments) -> Result<(String, Self)> {
        if Path::new(name).extension().is_none_or(|end| end != "toml") {
            let Some((name, text)) = RECIPES.iter().find(|(known, _)| *known == name) else {
                let known = RECIPES.iter().map(|(name, _)| *name).collect();
                return Err(Error::NoSuchRecipe { name: name.to_owned(), known });
            };
            return Ok(((*name).to_owned(), Self::parse_adjusted(Path::new(name), text, adjustments)?));
        }
        let path = here.join(name);
        let recipe = Self::parse_adjusted(&path, &files::read_text(&path, LONGEST)?, adjustments)?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok((stem, recipe))
    }

    /// Reads a recipe's text and checks it; `path` is where the text is from, for messages.
    ///
    /// # Errors
    /// [`Error::Syntax`] and [`Error::Recipe`].
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        Self::parse_adjusted(path, text, &Adjustments::default())
    }

    /// As [`Recipe::parse`], with `adjustments` carried out.
    ///
    /// # Errors
    /// [`Error::Syntax`] and [`Error::Recipe`].
    pub fn parse_adjusted(path: &Path, text: &str, adjustments: &Adjustments) -> Result<Self> {
        let syntax = |source| Error::Syntax { path: path.to_owned(), source: Box::new(source) };
        let bad = |what| Error::Recipe { recipe: path.display().to_string(), what };
        let mut recipe: Self = match adjustments.set[..] {
            // From the text itself, so that mistakes are told with their lines.
            [] => toml::from_str(text).map_err(syntax)?,
            _ => {
                let mut table = toml::from_str(text).map_err(syntax)?;
                adjustments.set.iter().try_for_each(|wanted| adjust::set(&mut table, wanted)).map_err(bad)?;
                table.try_into().map_err(syntax)?
            }
        };
        recipe.changed.extend(adjustments.set.iter().map(|wanted| adjust::told(wanted)));
        recipe.check().map_err(bad)?;
        if let Some(scale) = adjustments.scale {
            recipe.scale = Some(recipe.scale.unwrap_or(1.0) * scale);
        }
        if !adjustments.networks.is_empty() {
            recipe.keep_networks(&adjustments.networks).map_err(bad)?;
            recipe.changed.push(format!("only {}", adjustments.networks.join(", ")));
        }
        recipe.check().map_err(bad)?;
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
