//! `samples.csv` and `rejected.csv`.

use std::io::Write;

use crate::shard::Sample;

/// A photograph that was turned away.
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
