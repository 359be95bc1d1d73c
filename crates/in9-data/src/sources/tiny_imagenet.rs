//! Tiny-ImageNet as published: `train/<wnid>/images` with `<wnid>_boxes.txt`, `val/images` with
//! `val_annotations.txt`. Its validation photographs are split `test`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::prepare::PhotoBox;
use crate::taxonomy::Taxonomy;

use super::lines::Lines;
use super::{Boxes, Item, Listing, Locator, MaskFile, entries, is_photo, read_text, stem};

/// File name to (fine label, boxes).
pub(crate) type Table = HashMap<String, (String, Vec<PhotoBox>)>;

pub(super) fn list(root: &Path, taxonomy: &Taxonomy, limits: &Limits) -> Result<Listing> {
    let mut listing = Listing::default();
    let train = root.join("train");
    for wnid in entries(&train, &mut listing.faults)? {
        let Some(class) = taxonomy.class_of_synset(&wnid) else { continue };
        let boxes =
            table(&train.join(&wnid).join(format!("{wnid}_boxes.txt")), Some(&wnid), limits, &mut listing)?;
        let folder = train.join(&wnid).join("images");
        let (split, fine): (Arc<str>, Arc<str>) = ("train".into(), wnid.as_str().into());
        for name in entries(&folder, &mut listing.faults)?.into_iter().filter(|name| is_photo(name)) {
            let found = boxes.get(&name).map(|(_, boxes)| boxes.clone()).unwrap_or_default();
            listing.items.push(Item {
                split: split.clone(),
                id: stem(&name).into(),
                fine: fine.clone(),
                class: class as u16,
                source: format!("train/{wnid}/images/{name}"),
                photo: Locator::File(folder.join(&name)),
                boxes: Boxes::Known(found),
                mask: MaskFile::None,
            });
        }
    }
    let val = root.join("val");
    if val.is_dir() {
        let boxes = table(&val.join("val_annotations.txt"), None, limits, &mut listing)?;
        let split: Arc<str> = "test".into();
        for name in
            entries(&val.join("images"), &mut listing.faults)?.into_iter().filter(|name| is_photo(name))
        {
            let Some((fine, found)) = boxes.get(&name) else {
                listing.faults.push(format!(
                    "{}: no row for {name} (expected file, wnid and box, found none); add it or remove the photograph",
                    val.join("val_annotations.txt").display()
                ));
                continue;
            };
            let Some(class) = taxonomy.class_of_synset(fine) else { continue };
            listing.items.push(Item {
                split: split.clone(),
                id: format!("{fine}_{}", stem(&name)),
                fine: fine.as_str().into(),
                class: class as u16,
                source: format!("val/images/{name}"),
                photo: Locator::File(val.join("images").join(&name)),
                boxes: Boxes::Known(found.clone()),
                mask: MaskFile::None,
            });
        }
    }
    Ok(listing)
}

/// Reads `file [wnid] x0 y0 x1 y1` rows; `fine` is the label where the file does not give one.
fn table(path: &Path, fine: Option<&str>, limits: &Limits, listing: &mut Listing) -> Result<Table> {
    Ok(parse(&read_text(path, limits)?, path, fine, &mut listing.faults))
}

/// The rows of a table; those that make no sense become faults.
pub(crate) fn parse(text: &str, path: &Path, fine: Option<&str>, faults: &mut Vec<String>) -> Table {
    let (mut table, mut lines) = (Table::new(), Lines::of(path, faults));
    for (number, line) in (1..).zip(text.lines()) {
        if !lines.goes_on(number) {
            break;
        }
        if !lines.fits(number, line) {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let row = match (fine.as_ref(), &words[..]) {
            (_, []) => continue,
            (Some(fine), [name, corners @ ..]) | (None, [name, fine, corners @ ..]) => {
                let corners: Option<Vec<i64>> = corners.iter().map(|c| c.parse().ok()).collect();
                corners.filter(|c| c.len() == 4).map(|c| (name.to_string(), fine.to_string(), c))
            }
            _ => None,
        };
        match row {
            Some((name, fine, c)) => {
                table.entry(name).or_insert((fine, Vec::new())).1.push(PhotoBox::new(c[0], c[1], c[2], c[3]));
            }
            None => lines.wrong(number, || {
                let found = line.chars().take(60).collect::<String>();
                format!(
                    "makes no sense (expected file, label, four numbers, found {found:?}); mend or delete it"
                )
            }),
        }
    }
    lines.finish();
    table
}
