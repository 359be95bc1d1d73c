//! Photographs with a metadata table, in the layout of Waterbirds and WILDS.
//!
//! ```text
//! ROOT/metadata.csv        img_filename,y,split; more, such as place, is for `in9 score --groups`
//! ROOT/FOLDERS/NAME.jpg    at img_filename
//! ROOT/masks/FOLDERS/NAME.png    of the photograph's size, if there are masks; or .npy
//! ```
//!
//! `y` is a class by its number in the taxonomy or by its name; `split` is 0, 1 or 2 for train, val and test, or a name.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Component, Path};
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::taxonomy::Taxonomy;

use super::lines::Lines;
use super::{Boxes, Item, Listing, Locator, MaskFile, csv_table, read_text};

/// The metadata, below the root.
pub(crate) const METADATA: &str = "metadata.csv";

/// One photograph of the metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its path below the root, with `/`.
    name: String,
    /// Its class, a number or a name.
    class: String,
    split: String,
}

/// The classes of the published data set, whose numbers are 0 and 1.
pub(super) fn taxonomy() -> Result<Taxonomy> {
    Taxonomy::from_names("waterbirds", &["landbird".into(), "waterbird".into()])
}

pub(super) fn list(root: &Path, taxonomy: &Taxonomy, limits: &Limits) -> Result<Listing> {
    let (mut listing, path) = (Listing::default(), root.join(METADATA));
    for row in parse(&read_text(&path, limits)?, &path, &mut listing.faults)? {
        let class = match row.class.parse::<usize>() {
            Ok(number) => Some(number).filter(|number| *number < taxonomy.len()),
            Err(_) => taxonomy.classes.iter().position(|c| c.name == row.class || c.folder == row.class),
        };
        let Some(class) = class else { continue };
        let bare = row.name.rsplit_once('.').map_or(row.name.as_str(), |(bare, _)| bare);
        let mask = ["png", "npy"].map(|kind| root.join(format!("masks/{bare}.{kind}")));
        let mask = mask.into_iter().find(|path| path.is_file());
        let fine = row.name.rsplit_once('/').map_or(row.class.as_str(), |(folders, _)| folders);
        listing.items.push(Item {
            split: Arc::from(row.split.as_str()),
            id: bare.replace('/', "_"),
            fine: Arc::from(fine),
            class: class as u16,
            photo: Locator::File(root.join(&row.name)),
            boxes: if mask.is_some() { Boxes::OfMask } else { Boxes::Known(Vec::new()) },
            mask: mask.map_or(MaskFile::None, |path| MaskFile::File(Locator::File(path))),
            source: row.name,
        });
    }
    Ok(listing)
}

/// Whether a folder has a metadata table of this layout.
pub(super) fn is_waterbirds(root: &Path) -> bool {
    let mut start = Vec::new();
    let file = in9_base::files::open(&root.join(METADATA));
    let read = file.ok().and_then(|file| file.take(4096).read_to_end(&mut start).ok());
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    read.is_some() && String::from_utf8_lossy(first).split(',').any(|column| column.trim() == "img_filename")
}

/// The rows of a metadata table; those that make no sense become faults.
pub(crate) fn parse(text: &str, path: &Path, faults: &mut Vec<String>) -> Result<Vec<Row>> {
    let (header, mut records) = csv_table::open(text, path)?;
    let columns = ["img_filename", "y", "split"].map(|name| header.iter().position(|column| column == name));
    let [Some(name), Some(class), Some(split)] = columns else {
        return Err(csv_table::wrong_header(path, "columns img_filename, y and split", &header));
    };
    let (mut rows, mut seen, mut lines) = (Vec::new(), HashSet::new(), Lines::of(path, faults));
    for (number, record) in (2..).zip(records.records()) {
        if !lines.goes_on(number) {
            break;
        }
        let row = record.as_ref().ok().and_then(|record| {
            let name = record.get(name)?.replace('\\', "/");
            let split = match record.get(split)? {
                "0" => "train",
                "1" => "val",
                "2" => "test",
                named => named,
            };
            Some(Row { name, class: record.get(class)?.to_owned(), split: split.to_owned() })
        });
        let row = row.filter(|row| !row.class.is_empty() && !row.split.is_empty() && is_below(&row.name));
        let line = csv_table::line_of(&record);
        match row {
            Some(row) if seen.insert(row.name.clone()) => rows.push(row),
            Some(row) => lines.wrong(line, || {
                format!("repeats a photograph (expected each once, found {:?} again); delete one of them", csv_table::excerpt(&row.name))
            }),
            None => lines.wrong(line, || {
                let found = csv_table::shown(&record, 8);
                format!("makes no sense (expected a path below the folder, a class and a split, found {found:?}); mend it")
            }),
        }
    }
    lines.finish();
    Ok(rows)
}

/// Whether a path stays below the folder that it is relative to.
fn is_below(name: &str) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    !name.is_empty() && !name.contains('\0') && Path::new(name).components().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_layout_is_read() {
        let text = "img_id,img_filename,y,split,place,place_filename\n\
                    1,001.Albatross/A_1.jpg,1,0,0,b/bamboo.jpg\n2,002.Wren/W_2.jpg,0,1,1,o/ocean.jpg\n\
                    3,002.Wren/W_3.jpg,landbird,test,1,o/ocean.jpg\n";
        let mut faults = Vec::new();
        let rows = parse(text, Path::new("m"), &mut faults).unwrap();
        let splits: Vec<&str> = rows.iter().map(|row| row.split.as_str()).collect();
        assert_eq!((splits, faults.len()), (vec!["train", "val", "test"], 0));
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(METADATA), text).unwrap();
        std::fs::create_dir_all(dir.path().join("masks/001.Albatross")).unwrap();
        std::fs::write(dir.path().join("masks/001.Albatross/A_1.png"), "").unwrap();
        let listing = list(dir.path(), &taxonomy().unwrap(), &Limits::default()).unwrap();
        let of: Vec<_> =
            listing.items.iter().map(|item| (item.id.as_str(), item.class, &*item.fine)).collect();
        assert_eq!(
            of,
            [
                ("001.Albatross_A_1", 1, "001.Albatross"),
                ("002.Wren_W_2", 0, "002.Wren"),
                ("002.Wren_W_3", 0, "002.Wren")
            ]
        );
        assert!(is_waterbirds(dir.path()));
        assert!(
            matches!(listing.items[0].boxes, Boxes::OfMask)
                && matches!(listing.items[1].mask, MaskFile::None)
        );
    }

    #[test]
    fn rows_that_lead_elsewhere_or_make_no_sense_are_faults() {
        let text = "img_filename,y,split\n../a.jpg,0,0\n/etc/passwd,0,0\n,0,0\na.jpg,,0\na.jpg,0,0\na.jpg,1,0\nb.jpg\n";
        let mut faults = Vec::new();
        let rows = parse(text, Path::new("m"), &mut faults).unwrap();
        assert_eq!((rows.len(), faults.len()), (1, 6), "{faults:?}");
        assert!(faults[0].starts_with("m: line 2 makes no sense") && faults[4].contains("line 7 repeats"));
        let error = parse("image,y,split\n", Path::new("m"), &mut faults).unwrap_err().to_string();
        assert!(error.contains("img_filename") && error.lines().count() == 1, "{error}");
    }
}
