//! `samples.csv` and `rejected.csv`.

use std::io::Write;

use in9_base::table;

use crate::error::{Damage, Error, Result};
use crate::shard::Sample;

use super::Dataset;

/// Names of the two files.
pub(crate) const NAMES: [&str; 2] = ["samples.csv", "rejected.csv"];

/// How much of a table is read.
const LIMITS: table::Limits =
    table::Limits { bytes: 4 << 30, rows: 8_000_000, columns: 64, row_bytes: 1 << 20 };

/// A rejected photograph.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Rejected {
    /// Split it was meant for.
    pub(crate) split: String,
    /// File, relative to the root of the source.
    pub(crate) source: String,
    /// Fine label.
    pub(crate) fine: String,
    /// Name of the rule.
    pub(crate) rule: String,
    /// The numbers behind the decision.
    pub(crate) detail: String,
}

const SAMPLES: [&str; 20] = [
    "split",
    "index",
    "id",
    "class",
    "class_name",
    "fine",
    "source",
    "blake3",
    "width",
    "height",
    "x0",
    "y0",
    "x1",
    "y1",
    "bx0",
    "by0",
    "bx1",
    "by1",
    "mask_area",
    "box_area",
];

/// Writes samples as CSV. Row by row: memory does not grow with their number.
pub(crate) fn write_samples<'a>(
    file: &mut dyn Write,
    rows: impl Iterator<Item = (&'a str, usize, &'a Sample, &'a str)>,
) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(SAMPLES)?;
    for (split, index, sample, class_name) in rows {
        let hash = blake3::Hash::from_bytes(sample.blake3).to_hex();
        for text in [split, &index.to_string(), &sample.id, &sample.class.to_string(), class_name] {
            writer.write_field(text)?;
        }
        for text in [&sample.fine, &sample.source, hash.as_str()] {
            writer.write_field(text)?;
        }
        let numbers = [sample.width, sample.height].into_iter().chain(sample.photo_box);
        let numbers =
            numbers.chain(sample.crop_box.map(u32::from)).chain([sample.mask_area, sample.box_area]);
        for number in numbers {
            writer.write_field(number.to_string())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()
}

/// Writes rejections as CSV.
pub(crate) fn write_rejected<'a>(
    file: &mut dyn Write,
    rows: impl Iterator<Item = &'a Rejected>,
) -> std::io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(["split", "source", "fine", "rule", "detail"])?;
    for row in rows {
        writer.write_record([&row.split, &row.source, &row.fine, &row.rule, &row.detail])?;
    }
    writer.flush()
}

/// Refuses a table that is not the one that the manifest was written with.
pub(crate) fn check(dataset: &Dataset, name: &str) -> Result<()> {
    let path = dataset.path().join(name);
    let length = in9_base::files::open(&path)?.metadata().map_err(|e| Error::read(&path, e))?.len();
    let limit = LIMITS.bytes;
    if length > limit {
        return Err(Error::Limit { path, what: "bytes of a table", limit, found: length });
    }
    let found = in9_base::digest::file(&path)?.to_hex();
    match dataset.manifest().tables.get(name) {
        Some(expected) if expected == found.as_str() => Ok(()),
        listed => {
            let expected = listed.map_or("a table that the manifest lists", String::as_str);
            Err(Error::damaged(&path, Damage::Table, expected, found.as_str()))
        }
    }
}

/// The photographs that a dataset was built from, kept or rejected: their files, sorted.
pub(crate) fn sources(dataset: &Dataset) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for name in NAMES {
        check(dataset, name)?;
        let mut table = table::Table::open(&dataset.path().join(name), LIMITS)?;
        let column = table.column("source");
        while let Some((_, row)) = table.next_row()? {
            sources.extend(column.map(|at| row[at].to_string()));
        }
        table.finish()?;
    }
    sources.sort_unstable();
    Ok(sources)
}
