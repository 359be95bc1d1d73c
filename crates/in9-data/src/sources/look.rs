//! What a folder of photographs looks like.

use std::collections::BTreeMap;
use std::path::Path;

use super::{MaskFile, SourceKind, list};
use crate::error::Result;
use crate::limits::Limits;
use crate::sources::waterbirds::is_waterbirds;
use crate::sources::{Boxes, folder_taxonomy};

/// The kind of source that a folder looks like, by the files that each kind must have.
pub fn guess_source(root: &Path) -> SourceKind {
    let has = |name: &str| root.join(name).exists();
    if has("wnids.txt") && has("train") {
        SourceKind::TinyImagenet
    } else if has("ILSVRC") && has("toy.toml") {
        SourceKind::Toy
    } else if has("ILSVRC") || has("ILSVRC2012_img_val.tar") || has("LOC_val_solution.csv") {
        SourceKind::Ilsvrc
    } else if is_waterbirds(root) {
        SourceKind::Waterbirds
    } else {
        SourceKind::Folder
    }
}

/// What a folder of one's own photographs was taken for, in one line: its classes, its splits, and how many photographs
/// have a mask, a box, or neither.
///
/// # Errors
/// If the folder or a table beside it cannot be read, or there are no photographs in folders of classes.
pub fn describe_folder(root: &Path) -> Result<String> {
    let taxonomy = folder_taxonomy(root)?;
    let listing = list(SourceKind::Folder, root, &taxonomy, true, &Limits::default())?;
    let mut splits: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut masks, mut boxes) = (0, 0);
    for item in &listing.items {
        *splits.entry(&item.split).or_default() += 1;
        match (&item.mask, &item.boxes) {
            (MaskFile::File(_) | MaskFile::Shapes(_), _) => masks += 1,
            (MaskFile::None, Boxes::Known(known)) if known.is_empty() => {}
            (MaskFile::None, _) => boxes += 1,
        }
    }
    let names: Vec<&str> = taxonomy.classes.iter().map(|class| class.name.as_str()).take(12).collect();
    let more = if taxonomy.len() > names.len() { ", …" } else { "" };
    let splits: Vec<String> = splits.iter().map(|(split, n)| format!("{n} in split {split}")).collect();
    let all = listing.items.len();
    let neither = match all - masks - boxes {
        0 => String::new(),
        n => format!(", {n} neither (they will be rejected)"),
    };
    Ok(format!(
        "taken for a folder of classes: {} ({}{more}); photographs: {}; {masks} of {all} have a mask, {boxes} a box only{neither}",
        taxonomy.len(),
        names.join(", "),
        splits.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn folders_are_known_by_what_each_kind_must_have() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(guess_source(root), SourceKind::Folder);
        fs::create_dir_all(root.join("ILSVRC")).unwrap();
        assert_eq!(guess_source(root), SourceKind::Ilsvrc);
        fs::write(root.join("wnids.txt"), "").unwrap();
        fs::create_dir(root.join("train")).unwrap();
        assert_eq!(guess_source(root), SourceKind::TinyImagenet);
    }

    #[test]
    fn a_folder_is_described_by_its_classes_splits_and_masks() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (folder, file) in [("cat", "a.jpg"), ("dog", "b.jpg"), ("dog", "c.jpg"), ("masks/dog", "b.png")] {
            fs::create_dir_all(root.join(folder)).unwrap();
            fs::write(root.join(folder).join(file), "x").unwrap();
        }
        fs::write(root.join("boxes.csv"), "image,x0,y0,x1,y1\ncat/a.jpg,1,1,5,5\n").unwrap();
        let said = describe_folder(root).unwrap();
        assert!(said.contains("2 (cat, dog); photographs: 3 in split train"), "{said}");
        assert!(
            said.ends_with("1 of 3 have a mask, 1 a box only, 1 neither (they will be rejected)"),
            "{said}"
        );
    }
}
