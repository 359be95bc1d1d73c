//! Photographs that are left out on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::sources::{entries, is_photo, read_text, stem};

/// What was seen in a photograph that was left out by hand, as a list with the columns `id,reason,note` tells it, and the
/// rule that `rejected.csv` will name: the three grounds of the paper's appendix A.
const REASONS: [(&str, &str); 3] = [
    // The mask keeps much background.
    ("background-kept", "by-hand-background-kept"),
    // The mask misses the object.
    ("object-missed", "by-hand-object-missed"),
    // With the box filled, an object of the class is still to be seen.
    ("object-left", "by-hand-object-left"),
];

/// Ids to leave out of split `test`, each with the rule that `rejected.csv` will name.
///
/// Only `test` is touched: the official test set is made of ImageNet's validation photographs, and
/// its names, although they look alike, are not names of training photographs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    ids: BTreeMap<String, &'static str>,
    /// The only ids that are kept, if there are such.
    only: BTreeSet<String>,
}

impl Excluded {
    /// Adds the ids of a text file, one a line, as rejected by hand. Anything after a comma is a remark; under the
    /// header `id,reason,note` the second column says why: `background-kept` (the mask keeps much background),
    /// `object-missed` (it misses the object), or `object-left` (with its box filled, the photograph still shows an
    /// object of the class). Each is a rule of its own in `rejected.csv`.
    ///
    /// # Errors
    /// If the file cannot be read, or gives another reason.
    pub fn add_list(&mut self, path: &Path, limits: &Limits) -> Result<()> {
        let text = read_text(path, limits)?;
        if text.lines().next().is_some_and(|header| header.replace(' ', "").starts_with("id,reason")) {
            return self.add_reasons(path, &text);
        }
        let ids = text.lines().filter_map(|line| line.split(',').next()).map(str::trim);
        self.ids.extend(ids.filter(|id| !id.is_empty() && *id != "id").map(|id| (id.to_string(), "by-hand")));
        Ok(())
    }

    fn add_reasons(&mut self, path: &Path, text: &str) -> Result<()> {
        for (line, row) in (1..).zip(text.lines()).skip(1) {
            let mut cells = row.split(',').map(str::trim);
            let (id, reason) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
            if id.is_empty() {
                continue;
            }
            let rule = match REASONS.iter().find(|(known, _)| *known == reason) {
                Some((_, rule)) => rule,
                None if reason.is_empty() => "by-hand",
                None => {
                    let expected = REASONS.map(|(known, _)| known).join(", ");
                    let what = format!("line {line} gives no reason that there is");
                    return Err(Error::malformed(path, what, expected, reason, "mend the list"));
                }
            };
            self.ids.insert(id.into(), rule);
        }
        Ok(())
    }

    /// Adds the photographs of the official test release (`bg_challenge`), by their file names.
    ///
    /// # Errors
    /// If the folder `original` is missing or holds no photograph.
    pub fn add_release(&mut self, root: &Path) -> Result<()> {
        self.ids.extend(released(root)?.into_iter().map(|id| (id, "official-test")));
        Ok(())
    }

    /// Leaves everything out of split `test` but the photographs of the official test release.
    ///
    /// # Errors
    /// As [`Excluded::add_release`].
    pub fn keep_release(&mut self, root: &Path) -> Result<()> {
        self.only.extend(released(root)?);
        Ok(())
    }

    /// The rule that leaves this id out of a split.
    pub(super) fn rule(&self, split: &str, id: &str) -> Option<&'static str> {
        if split != "test" {
            return None;
        }
        let unknown = !self.only.is_empty() && !self.only.contains(id);
        self.ids.get(id).copied().or(unknown.then_some("not-in-official-test"))
    }

    /// BLAKE3 (hex) of the list.
    pub(super) fn digest(&self) -> Option<String> {
        if self.ids.is_empty() && self.only.is_empty() {
            return None;
        }
        let mut hasher = blake3::Hasher::new();
        for (id, rule) in &self.ids {
            hasher.update(format!("{id},{rule}\n").as_bytes());
        }
        for id in &self.only {
            hasher.update(format!("{id},only\n").as_bytes());
        }
        Some(hasher.finalize().to_hex().to_string())
    }
}

/// Ids of the photographs of the official test release in `root`.
fn released(root: &Path) -> Result<BTreeSet<String>> {
    let folder = root.join("original").join("val");
    // A name that is not UTF-8 is no id of any photograph.
    let (mut ids, mut faults) = (BTreeSet::new(), Vec::new());
    for class in entries(&folder, &mut faults)? {
        let names = entries(&folder.join(class), &mut faults)?;
        ids.extend(names.iter().filter(|name| is_photo(name)).map(|name| stem(name).to_owned()));
    }
    if ids.is_empty() {
        return Err(Error::NoPhotographs { path: folder, expected: "CLASS/ID.JPEG".into() });
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_made_by_hand_say_why() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cleaning.csv");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let mut excluded = Excluded::default();
            excluded.add_list(&path, &Limits::default()).map(|()| excluded)
        };
        let plain = read("id\nn1_1, blurred\nn1_2\n").unwrap();
        assert_eq!(plain.rule("test", "n1_1"), Some("by-hand"));
        assert_eq!((plain.rule("train", "n1_1"), plain.rule("test", "n1_3")), (None, None));
        let why = read("id,reason,note\nn1_1,object-missed,only its shadow\nn1_2\n\n").unwrap();
        assert_eq!(why.rule("test", "n1_1"), Some("by-hand-object-missed"));
        assert_eq!(why.rule("test", "n1_2"), Some("by-hand"));
        let error = read("id,reason\nn1_1,ugly\n").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("background-kept") && error.contains("ugly"),
            "{error}"
        );
        assert_ne!(plain.digest(), why.digest());
    }

    #[test]
    fn the_official_test_set_is_left_out_or_kept_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("original/val/00_dog");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("n1_00005.JPEG"), "").unwrap();
        let (mut without, mut only) = (Excluded::default(), Excluded::default());
        without.add_release(dir.path()).unwrap();
        only.keep_release(dir.path()).unwrap();
        let rules = |excluded: &Excluded| ["n1_00005", "n1_00006"].map(|id| excluded.rule("test", id));
        assert_eq!(rules(&without), [Some("official-test"), None]);
        assert_eq!(rules(&only), [None, Some("not-in-official-test")]);
        assert!(only.digest().is_some() && only.digest() != without.digest());
    }
}
