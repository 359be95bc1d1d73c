//! ILSVRC-2012 as people have it.
//!
//! Photographs: `ILSVRC/Data/CLS-LOC/{train,val}` (Kaggle), `Data/CLS-LOC`, or `train` and `val`
//! directly under the root; validation photographs flat or in folders by wnid; or the archives
//! `ILSVRC2012_img_train.tar` and `ILSVRC2012_img_val.tar`, read in place.
//! Boxes: `Annotations/CLS-LOC` beside `Data`, `ILSVRC2012_bbox_*` archives, or Kaggle's
//! `LOC_*_solution.csv`. Validation photographs are split `test`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::taxonomy::Taxonomy;

use super::solution::{self, Solution};
use super::{
    Annotation, Boxes, Item, Listing, Locator, MaskFile, Unread, entries, is_photo, stem, tar_index,
};

pub(super) fn list(root: &Path, taxonomy: &Taxonomy, with_masks: bool, limits: &Limits) -> Result<Listing> {
    let mut listing = Listing::default();
    let (data, prefix) = ["ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", ""]
        .into_iter()
        .map(|below| (root.join(below), below))
        .find(|(data, _)| data.join("train").is_dir() || data.join("val").is_dir())
        .unwrap_or((root.into(), ""));
    let annotations = root.join(prefix.replace("Data", "Annotations"));
    for (folder, split) in [("train", "train"), ("val", "test")] {
        let mut part = Part {
            split: split.into(),
            folder,
            photos: photos(root, &data, prefix, folder, taxonomy, &mut listing)?,
            voc: voc(root, &annotations, prefix, folder, taxonomy, limits, &mut listing)?,
            solution: None,
        };
        let table = root.join(format!("LOC_{folder}_solution.csv"));
        if table.exists() {
            part.solution = Some(solution::read(&table, limits, &mut listing.faults)?);
        }
        part.add(root, taxonomy, with_masks, limits, &mut listing)?;
    }
    Ok(listing)
}

/// A photograph's file: relative path, wnid of its folder if it has one, place.
type Photo = (String, Option<Arc<str>>, Locator);

/// Where XML files are.
enum Voc {
    /// There are none.
    None,
    /// In a folder: by wnid for train, flat (or by wnid) for val.
    Folder(PathBuf),
    /// By name without extension, out of an archive.
    Archive(HashMap<String, Locator>),
}

struct Part {
    split: Arc<str>,
    folder: &'static str,
    photos: Vec<Photo>,
    voc: Voc,
    solution: Option<Solution>,
}

/// The photographs of a part. Folders and archives of other labels than the taxonomy's are not even opened: of ImageNet's
/// million photographs they hold more than half.
fn photos(
    root: &Path,
    data: &Path,
    prefix: &str,
    folder: &str,
    taxonomy: &Taxonomy,
    listing: &mut Listing,
) -> Result<Vec<Photo>> {
    let place = data.join(folder);
    let relative = [prefix, folder].iter().filter(|p| !p.is_empty()).copied().collect::<Vec<_>>().join("/");
    let mut photos = Vec::new();
    if place.is_dir() {
        for name in entries(&place, &mut listing.faults)? {
            if is_photo(&name) {
                photos.push((format!("{relative}/{name}"), None, Locator::File(place.join(&name))));
            } else if taxonomy.class_of_synset(&name).is_some() && place.join(&name).is_dir() {
                let (files, wnid) = (entries(&place.join(&name), &mut listing.faults)?, Arc::from(&*name));
                for file in files.into_iter().filter(|file| is_photo(file)) {
                    let path = place.join(&name).join(&file);
                    photos.push((
                        format!("{relative}/{name}/{file}"),
                        Some(Arc::clone(&wnid)),
                        Locator::File(path),
                    ));
                }
            }
        }
        return Ok(photos);
    }
    let archive = root.join(format!("ILSVRC2012_img_{folder}.tar"));
    if archive.exists() {
        let wanted = |inner: &str| !is_other_label(stem(inner), taxonomy);
        for entry in tar_index::index(&archive, &wanted, &mut listing.faults)? {
            let wnid = (folder == "train").then(|| entry.name.split('_').next().unwrap_or_default().into());
            photos.push((format!("{folder}/{}", entry.name), wnid, entry.place));
        }
    }
    Ok(photos)
}

/// Whether `name` is a label by its form, `n01440764`, and none of the taxonomy's.
fn is_other_label(name: &str, taxonomy: &Taxonomy) -> bool {
    let is_label = name
        .strip_prefix('n')
        .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_digit()));
    is_label && taxonomy.class_of_synset(name).is_none()
}

fn voc(
    root: &Path,
    annotations: &Path,
    prefix: &str,
    folder: &str,
    taxonomy: &Taxonomy,
    limits: &Limits,
    listing: &mut Listing,
) -> Result<Voc> {
    let place = annotations.join(folder);
    if !prefix.is_empty() && place.is_dir() {
        return Ok(Voc::Folder(place));
    }
    let by_hand = root.join("bbox").join(folder);
    if by_hand.is_dir() {
        return Ok(Voc::Folder(by_hand));
    }
    for name in [format!("ILSVRC2012_bbox_{folder}_v2.tar.gz"), format!("ILSVRC2012_bbox_{folder}_v3.tgz")] {
        let archive = root.join(name);
        if archive.exists() {
            let label = |file: &str| file.rsplit('/').nth(1).unwrap_or_default().to_owned();
            let wanted = |file: &str| !is_other_label(&label(file), taxonomy);
            let files = tar_index::small_files(&archive, &wanted, limits, &mut listing.faults)?;
            return Ok(Voc::Archive(files));
        }
    }
    Ok(Voc::None)
}

impl Part {
    fn xml(&self, wnid: Option<&str>, stem: &str) -> Option<Locator> {
        match &self.voc {
            Voc::None => None,
            Voc::Folder(folder) => {
                let flat = || folder.join(format!("{stem}.xml"));
                let nested = wnid.map(|wnid| folder.join(wnid).join(format!("{stem}.xml")));
                let path =
                    nested.filter(|path| self.folder == "train" || path.is_file()).unwrap_or_else(flat);
                Some(Locator::File(path))
            }
            Voc::Archive(files) => files.get(stem).cloned(),
        }
    }

    fn add(
        mut self,
        root: &Path,
        taxonomy: &Taxonomy,
        with_masks: bool,
        limits: &Limits,
        listing: &mut Listing,
    ) -> Result<()> {
        let photos = std::mem::take(&mut self.photos);
        let none = photos.is_empty();
        // A photograph's words are moved into its item: there may be a million of them.
        let item = |photo: Photo| self.item(photo, root, taxonomy, with_masks, limits);
        // In parallel because labels may have to be read from XML files.
        let found: Vec<_> = photos.into_par_iter().map(item).collect();
        for item in found {
            match item {
                Ok(item) => listing.items.extend(item),
                Err((_, Unread::Machine(error))) => return Err(error.into()),
                Err((source, Unread::Input(what))) => {
                    let path = root.join(source);
                    listing.faults.push(format!("{}: {what}; add its annotation", path.display()));
                }
            }
        }
        if !matches!(self.voc, Voc::None) || self.solution.is_some() || none {
            return Ok(());
        }
        Err(Error::malformed(
            root,
            format!("no boxes for the photographs of {}", self.folder),
            "Annotations/CLS-LOC, an ILSVRC2012_bbox archive, or LOC_*_solution.csv",
            "none of them",
            "put one of them beside the photographs",
        ))
    }

    /// The item of a photograph; `None` if its label is none of the taxonomy's. What cannot be read is told with its path.
    fn item(
        &self,
        (source, wnid, photo): Photo,
        root: &Path,
        taxonomy: &Taxonomy,
        with_masks: bool,
        limits: &Limits,
    ) -> std::result::Result<Option<Item>, (String, Unread)> {
        let name = stem(&source);
        let solved = self.solution.as_ref().and_then(|solution| solution.get(name));
        let xml = self.xml(wnid.as_deref(), name);
        let fine = match label(wnid.as_ref(), solved.map(|(fine, _)| fine), xml.as_ref(), limits) {
            Ok(fine) => fine,
            Err(unread) => return Err((source, unread)),
        };
        let Some(class) = taxonomy.class_of_synset(&fine) else { return Ok(None) };
        let boxes = match (xml, solved) {
            (Some(xml), _) => Boxes::Voc(xml),
            (None, solved) => Boxes::Known(solved.map(|(_, boxes)| boxes.clone()).unwrap_or_default()),
        };
        let mask = match with_masks {
            true => {
                let below = wnid.as_ref().map(|wnid| format!("{wnid}/")).unwrap_or_default();
                MaskFile::File(Locator::File(root.join(format!("masks/{}/{below}{name}.png", self.folder))))
            }
            false => MaskFile::None,
        };
        let (split, id) = (self.split.clone(), sample_id(name, &fine));
        Ok(Some(Item { split, id, fine, class: class as u16, source, photo, boxes, mask }))
    }
}

/// The label: the folder's name, else the table's, else the annotation's.
fn label(
    folder: Option<&Arc<str>>,
    table: Option<&String>,
    xml: Option<&Locator>,
    limits: &Limits,
) -> std::result::Result<Arc<str>, Unread> {
    match (folder, table, xml) {
        (Some(wnid), ..) => Ok(wnid.clone()),
        (None, Some(fine), _) => Ok(fine.as_str().into()),
        (None, None, Some(xml)) => {
            let name = Annotation::parse(&xml.read(limits.annotation_bytes)?)?.name;
            let found = name.ok_or("expected the name of an object in its annotation, found none");
            Ok(found.map_err(str::to_owned)?.into())
        }
        (None, None, None) => {
            let what = "no label (expected it in LOC_val_solution.csv, an XML file or the folder's name, found none)";
            Err(Unread::Input(what.into()))
        }
    }
}

/// The name a sample goes by: the file's for train; for val the official release's rule, wnid and
/// the last five digits of the number.
fn sample_id(stem: &str, fine: &str) -> String {
    match stem.strip_prefix("ILSVRC2012_val_") {
        Some(digits) if digits.len() >= 5 && digits.is_ascii() => {
            let digits = if digits.len() == 8 && digits.starts_with("000") { &digits[3..] } else { digits };
            format!("{fine}_{digits}")
        }
        _ => stem.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_of_another_label_is_passed_over() {
        let taxonomy = Taxonomy::named("imagenet-9").unwrap();
        for (name, other) in [
            ("n02085620", false),
            ("n01530575", false),
            ("n03000684", true),
            ("n99999999", true),
            ("train", false),
            ("n0300068", false),
            ("", false),
        ] {
            assert_eq!(is_other_label(name, &taxonomy), other, "{name}");
        }
    }

    #[test]
    fn ids_follow_the_release() {
        assert_eq!(sample_id("ILSVRC2012_val_00005944", "n02497673"), "n02497673_05944");
        assert_eq!(sample_id("ILSVRC2012_val_00123456", "n1"), "n1_00123456");
        assert_eq!(sample_id("n01440764_18", "n01440764"), "n01440764_18");
    }
}
