//! Photographs that are left out on purpose.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::sources::{entries, is_photo, read_text, stem};

/// Ids to leave out of split `test`, each with the rule that `rejected.csv` will name.
///
/// Only `test` is touched: the official test set is made of ImageNet's validation photographs, and
/// its names, although they look alike, are not names of training photographs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    ids: BTreeMap<String, &'static str>,
}

impl Excluded {
    /// Adds the ids of a text file, one a line (anything after a comma is a remark), as rejected
    /// by hand.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn add_list(&mut self, path: &Path, limits: &Limits) -> Result<()> {
        let text = read_text(path, limits)?;
        let ids = text.lines().filter_map(|line| line.split(',').next()).map(str::trim);
        self.ids.extend(ids.filter(|id| !id.is_empty() && *id != "id").map(|id| (id.to_string(), "by-hand")));
        Ok(())
    }

    /// Adds the photographs of the official test release (`bg_challenge`), by their file names.
    ///
    /// # Errors
    /// If the folder `original` is missing or holds no photograph.
    pub fn add_release(&mut self, root: &Path) -> Result<()> {
        let folder = root.join("original").join("val");
        // A name that is not UTF-8 is no id of any photograph.
        let (before, mut faults) = (self.ids.len(), Vec::new());
        for class in entries(&folder, &mut faults)? {
            for name in entries(&folder.join(class), &mut faults)?.into_iter().filter(|name| is_photo(name)) {
                self.ids.insert(stem(&name).into(), "official-test");
            }
        }
        if self.ids.len() == before {
            return Err(Error::NoPhotographs { path: folder, expected: "CLASS/ID.JPEG".into() });
        }
        Ok(())
    }

    /// The rule that leaves this id out of a split.
    pub(super) fn rule(&self, split: &str, id: &str) -> Option<&'static str> {
        if split == "test" { self.ids.get(id).copied() } else { None }
    }

    /// BLAKE3 (hex) of the list.
    pub(super) fn digest(&self) -> Option<String> {
        if self.ids.is_empty() {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        for (id, rule) in &self.ids {
            hasher.update(format!("{id},{rule}\n").as_bytes());
        }
        Some(hasher.finalize().to_hex().to_string())
    }
}
