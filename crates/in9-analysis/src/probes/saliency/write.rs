//! The files of a saliency run, and reading them back.

use super::run::{ImageRow, Method};
use crate::error::{Error, Result};
use crate::output::csv_files::encode;
use crate::probes::scenes::Scenes;
use in9_base::files::Owner;
use std::collections::BTreeMap;
use std::path::Path;

/// Whose the folder of a saliency run is, and what may be in it.
pub const OWNER: Owner = Owner {
    made_by: "in9-analysis saliency",
    names: &["summary.json", "maps.csv", "settings.toml", "overlays/*.png"],
};

const HEADER: [&str; 13] = [
    "image",
    "class",
    "predicted",
    "method",
    "mass",
    "area",
    "pointing",
    "iou",
    "deletion",
    "insertion",
    "tap",
    // What the names of the image's overlays begin with.
    "number",
    "elsewhere",
];

/// maps.csv: one row an image, method and tap; an undefined number is empty.
///
/// # Errors
/// If the table cannot be encoded.
pub fn maps_csv(scenes: &dyn Scenes, classes: &[String], rows: &[ImageRow]) -> Result<Vec<u8>> {
    let name = |c: u16| classes.get(usize::from(c)).cloned().unwrap_or_default();
    let number = |v: f64| if v.is_nan() { String::new() } else { v.to_string() };
    let rows = rows.iter().map(|r| {
        let m = &r.measures;
        vec![
            scenes.id(r.image as usize).to_owned(),
            name(r.class),
            r.predicted.map(name).unwrap_or_default(),
            r.method.name().to_owned(),
            number(m.mass),
            number(m.area),
            m.pointing.to_string(),
            number(m.iou),
            number(r.curves.deletion_area()),
            number(r.curves.insertion_area()),
            r.tap.clone(),
            format!("{:06}", r.image),
            number(r.elsewhere),
        ]
    });
    encode(&HEADER, rows)
}

/// Share of the map on the foreground of each image beyond its share on the foregrounds of the others, by a method at a tap
/// (empty for a method without), from a maps.csv; of one that does not have the latter the former alone.
///
/// # Errors
/// If the file is not one.
pub fn read_masses(path: &Path, method: Method, tap: &str) -> Result<BTreeMap<String, f64>> {
    let bad = Error::csv(path);
    let mut masses = BTreeMap::new();
    for record in csv::Reader::from_reader(in9_base::files::open(path)?).records() {
        let record = record.map_err(&bad)?;
        if record.get(3) != Some(method.name()) || record.get(10).unwrap_or_default() != tap {
            continue;
        }
        if let (Some(image), Some(Ok(mass))) = (record.get(0), record.get(4).map(str::parse::<f64>)) {
            let elsewhere = record.get(12).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
            masses.insert(image.to_owned(), mass - elsewhere);
        }
    }
    Ok(masses)
}

/// Name of an overlay file: its place in the split and the method, or `photo`.
pub fn overlay_name(image: u32, what: &str) -> String {
    format!("overlays/{image:06}-{what}.png")
}
