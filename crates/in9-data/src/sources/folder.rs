//! A plain folder: one sub-folder a class, below folders for the splits or directly below the root.
//!
//! ```text
//! ROOT/[train|val|test|…/]CLASS/NAME.jpg
//! ROOT/masks/[SPLIT/]CLASS/NAME.png      of the photograph's size; see `photo::decode_mask`
//! ROOT/SPLIT/masks/CLASS/NAME.png        the same
//! ROOT/[SPLIT/]CLASS/NAME_mask.png       the same
//! … .npy instead of .png                 booleans, bytes, or 32-bit floats of which those above a half are the object
//! ROOT/boxes.csv                         image,x0,y0,x1,y1 (path below ROOT; inclusive pixels)
//! ROOT/annotations.json                  COCO: polygons, run lengths, boxes; file_name below ROOT
//! ```
//!
//! Masks, boxes and COCO may be there together: boxes come from the CSV, else from COCO, else
//! from the mask.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::prepare::PhotoBox;
use crate::taxonomy::Taxonomy;

use super::csv_table;
use super::lines::Lines;
use super::{Boxes, Item, Listing, Locator, MaskFile, coco, entries, is_photo, read_text, stem};

/// The file of COCO annotations, below the root.
pub(crate) const COCO: &str = "annotations.json";

/// Folders of the root that are no class and no split.
const RESERVED: [&str; 1] = ["masks"];

/// (split, folder of the split relative to the root).
fn splits(root: &Path, faults: &mut Vec<String>) -> Result<Vec<(String, String)>> {
    let mut splits = Vec::new();
    for name in entries(root, faults)?.into_iter().filter(|name| !RESERVED.contains(&name.as_str())) {
        // A folder of folders is a split; a folder of photographs is a class.
        let path = root.join(&name);
        if path.is_dir() && entries(&path, faults)?.iter().any(|inner| path.join(inner).is_dir()) {
            splits.push((name.clone(), format!("{name}/")));
        }
    }
    if splits.is_empty() {
        splits.push(("train".into(), String::new()));
    }
    Ok(splits)
}

fn class_folders(root: &Path, below: &str, faults: &mut Vec<String>) -> Result<Vec<String>> {
    let place = root.join(below);
    let names = entries(&place, faults)?.into_iter();
    Ok(names.filter(|name| !RESERVED.contains(&name.as_str()) && place.join(name).is_dir()).collect())
}

/// Every class folder of every split, in sorted order, as a taxonomy. Faults are told when photographs are
/// listed.
pub(super) fn taxonomy(root: &Path) -> Result<Taxonomy> {
    let (mut names, mut faults) = (BTreeSet::new(), Vec::new());
    for (_, below) in splits(root, &mut faults)? {
        names.extend(class_folders(root, &below, &mut faults)?);
    }
    Taxonomy::from_names("folder", &names.into_iter().collect::<Vec<_>>())
}

pub(super) fn list(root: &Path, taxonomy: &Taxonomy, with_masks: bool, limits: &Limits) -> Result<Listing> {
    let mut listing = Listing::default();
    let boxes = boxes_csv(&root.join("boxes.csv"), limits, &mut listing.faults)?;
    let coco_path = root.join(COCO);
    let coco = if coco_path.exists() { coco::read(&coco_path, limits)? } else { HashMap::new() };
    for (split, below) in splits(root, &mut listing.faults)? {
        let split: Arc<str> = split.into();
        for folder in class_folders(root, &below, &mut listing.faults)? {
            let class = taxonomy.classes.iter().position(|class| {
                class.name == folder || class.folder == folder || class.synsets.contains(&folder)
            });
            let Some(class) = class else { continue };
            let place = root.join(&below).join(&folder);
            let fine: Arc<str> = folder.as_str().into();
            let names = entries(&place, &mut listing.faults)?;
            for name in names.iter().filter(|name| is_photo(name) && !is_mask_of_another(name, &names)) {
                let source = format!("{below}{folder}/{name}");
                let shapes = coco.get(&source).or_else(|| coco.get(name));
                let mask = match (mask_file(root, &below, &folder, stem(name)), shapes) {
                    (Some(file), _) => MaskFile::File(Locator::File(file)),
                    (None, Some(shapes)) => MaskFile::Shapes(shapes.clone()),
                    (None, None) => MaskFile::None,
                };
                let found = match (boxes.get(&source), shapes) {
                    (Some(boxes), _) => Boxes::Known(boxes.clone()),
                    (None, Some(shapes)) => Boxes::Shapes(shapes.clone()),
                    (None, None) if matches!(mask, MaskFile::File(_)) => Boxes::OfMask,
                    (None, None) => Boxes::Known(Vec::new()),
                };
                listing.items.push(Item {
                    split: split.clone(),
                    id: format!("{folder}_{}", stem(name)),
                    fine: fine.clone(),
                    class: class as u16,
                    source,
                    photo: Locator::File(place.join(name)),
                    boxes: found,
                    mask: if with_masks || matches!(mask, MaskFile::File(_)) { mask } else { MaskFile::None },
                });
            }
        }
    }
    Ok(listing)
}

/// What the name of a mask beside its photograph ends with.
const MASK: [&str; 2] = ["_mask.png", "_mask.npy"];

/// The mask of a photograph, in the first of the usual places that has one.
fn mask_file(root: &Path, below: &str, folder: &str, name: &str) -> Option<PathBuf> {
    let folders =
        [format!("masks/{below}{folder}"), format!("masks/{folder}"), format!("{below}masks/{folder}")];
    let apart = folders.iter().flat_map(|place| ["png", "npy"].map(|kind| format!("{place}/{name}.{kind}")));
    let beside = MASK.iter().map(|end| format!("{below}{folder}/{name}{end}"));
    apart.chain(beside).map(|place| root.join(place)).find(|path| path.is_file())
}

/// Whether a picture is the mask that lies beside another one of the folder.
fn is_mask_of_another(name: &str, names: &[String]) -> bool {
    let Some(of) = name.strip_suffix(MASK[0]) else { return false };
    names.iter().any(|other| is_photo(other) && stem(other) == of)
}

fn boxes_csv(
    path: &Path,
    limits: &Limits,
    faults: &mut Vec<String>,
) -> Result<HashMap<String, Vec<PhotoBox>>> {
    match path.exists() {
        true => parse_boxes(&read_text(path, limits)?, path, faults),
        false => Ok(HashMap::new()),
    }
}

/// The rows of `boxes.csv`; those that make no sense become faults.
pub(crate) fn parse_boxes(
    text: &str,
    path: &Path,
    faults: &mut Vec<String>,
) -> Result<HashMap<String, Vec<PhotoBox>>> {
    let mut boxes: HashMap<String, Vec<PhotoBox>> = HashMap::new();
    let (header, mut records) = csv_table::open(text, path)?;
    if header.join(",") != "image,x0,y0,x1,y1" {
        return Err(csv_table::wrong_header(path, "image,x0,y0,x1,y1", &header));
    }
    let mut lines = Lines::of(path, faults);
    for (number, record) in (2..).zip(records.records()) {
        if !lines.goes_on(number) {
            break;
        }
        let row = record.as_ref().ok().and_then(|record| {
            let corners = record.iter().skip(1).take(5);
            let corners: Option<Vec<i64>> = corners.map(|c| c.parse().ok()).collect();
            let corners = corners.filter(|c| c.len() == 4)?;
            Some((
                record[0].replace('\\', "/"),
                PhotoBox::new(corners[0], corners[1], corners[2], corners[3]),
            ))
        });
        match row {
            Some((image, one)) => boxes.entry(image).or_default().push(one),
            None => lines.wrong(csv_table::line_of(&record), || {
                let found = csv_table::shown(&record, 6);
                format!("makes no sense (expected image,x0,y0,x1,y1, found {found:?}); mend it")
            }),
        }
    }
    lines.finish();
    Ok(boxes)
}
