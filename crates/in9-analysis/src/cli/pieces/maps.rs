//! Pieces of a saliency run.

use super::{Pieces, cell, check_photographs};
use crate::output::csv_files::encode;
use crate::probes::saliency::curves::Curves;
use crate::probes::saliency::{ImageRow, Measures, sort};
use anyhow::Result;
use in9_base::files::Owner;

/// Whose a piece's folder is.
pub(crate) const OWNER: Owner =
    Owner { made_by: "in9-analysis saliency (piece)", names: &[ROWS, "settings.toml", "overlays/*.png"] };

/// The table of a piece: measures of each of its maps, by the photographs' places in the split.
pub(crate) const ROWS: &str = "rows.csv";

const HEADER: [&str; 12] = [
    "image",
    "class",
    "predicted",
    "method",
    "tap",
    "mass",
    "area",
    "pointing",
    "iou",
    // The values of a curve, with blanks between them.
    "deletion",
    "insertion",
    "elsewhere",
];

/// Measures as CSV from which [`merged`] reads the same numbers.
pub(crate) fn table(rows: &[ImageRow]) -> crate::Result<Vec<u8>> {
    let curve = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
    let rows = rows.iter().map(|r| {
        let m = &r.measures;
        let numbers = [m.mass, m.area, m.pointing, m.iou].map(|number| number.to_string());
        let mut cells = vec![
            r.image.to_string(),
            r.class.to_string(),
            r.predicted.map_or_else(String::new, |class| class.to_string()),
            r.method.name().to_owned(),
            r.tap.clone(),
        ];
        cells.extend(numbers);
        cells.extend([curve(&r.curves.deletion), curve(&r.curves.insertion), r.elsewhere.to_string()]);
        cells
    });
    encode(&HEADER, rows)
}

/// The measures of a table's row.
fn row(row: &csv::StringRecord) -> Option<ImageRow> {
    let curve = |at: usize| -> Option<Vec<f64>> {
        row.get(at)?.split(' ').filter(|value| !value.is_empty()).map(|value| value.parse().ok()).collect()
    };
    Some(ImageRow {
        image: cell(row, 0)?,
        class: cell(row, 1)?,
        predicted: match row.get(2)? {
            "" => None,
            class => Some(class.parse().ok()?),
        },
        method: cell(row, 3)?,
        tap: row.get(4)?.to_owned(),
        measures: Measures {
            mass: cell(row, 5)?,
            area: cell(row, 6)?,
            pointing: cell(row, 7)?,
            iou: cell(row, 8)?,
        },
        elsewhere: cell(row, 11)?,
        curves: Curves { deletion: curve(9)?, insertion: curve(10)? },
    })
}

/// The measures of all pieces, in the order in which one process would have made them on `images`.
pub(crate) fn merged(pieces: &Pieces, images: &[u32]) -> Result<Vec<ImageRow>> {
    pieces.check_whole()?;
    let mut rows = pieces.rows(ROWS, row)?;
    sort(&mut rows);
    let mut found: Vec<u32> = rows.iter().map(|row| row.image).collect();
    found.dedup();
    check_photographs(found, images)?;
    Ok(rows)
}

/// What a journal of saliency holds.
#[derive(Debug, PartialEq)]
pub(crate) enum Kept {
    /// A picture by its name, as a PNG file: before the measures of its batch, so that no measured photograph lacks it.
    Picture(String, Vec<u8>),
    /// The measures of a batch of photographs.
    Rows(Vec<ImageRow>),
}

/// Above all bytes of a text, so that no table begins with it.
const PICTURE: u8 = 0xff;

impl Kept {
    /// As a record.
    pub(crate) fn record(&self) -> crate::Result<Vec<u8>> {
        match self {
            Self::Rows(rows) => table(rows),
            Self::Picture(name, png) => Ok([&[PICTURE][..], name.as_bytes(), &[0], png].concat()),
        }
    }

    /// What [`Kept::record`] wrote; `None` for anything else.
    pub(crate) fn read(record: &[u8]) -> Option<Self> {
        if let [PICTURE, rest @ ..] = record {
            let end = rest.iter().position(|byte| *byte == 0)?;
            return Some(Self::Picture(
                String::from_utf8(rest[..end].to_vec()).ok()?,
                rest[end + 1..].to_vec(),
            ));
        }
        let records = csv::Reader::from_reader(record).into_records();
        records.map(|record| row(&record.ok()?)).collect::<Option<_>>().map(Self::Rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::saliency::Method;

    #[test]
    fn numbers_come_back_bit_for_bit() {
        let row = ImageRow {
            image: 7,
            class: 2,
            predicted: None,
            method: Method::GradCam,
            tap: "layer4, \"1\"".into(),
            measures: Measures { mass: f64::NAN, area: 0.1 + 0.2, pointing: 1.0, iou: 5e-324 },
            elsewhere: 0.7 / 3.0,
            curves: Curves { deletion: vec![1.0 / 3.0, -0.0], insertion: Vec::new() },
        };
        let kept = Kept::Rows(vec![row.clone(), row.clone()]);
        assert_eq!(format!("{:?}", Kept::read(&kept.record().unwrap()).unwrap()), format!("{kept:?}"));
        let picture = Kept::Picture("overlays/7.png".into(), vec![0, 255, 1]);
        assert_eq!(Kept::read(&picture.record().unwrap()).unwrap(), picture);
        assert_eq!(Kept::read(b"image,class\n7,2\n"), None);
        assert_eq!(Kept::read(&[PICTURE, b'a']), None);
        let folder = tempfile::tempdir().unwrap();
        let piece = folder.path().join("1");
        std::fs::create_dir(&piece).unwrap();
        std::fs::write(piece.join(ROWS), table(std::slice::from_ref(&row)).unwrap()).unwrap();
        std::fs::write(piece.join("settings.toml"), "device = \"cpu\"\nshard = \"1/1\"\n").unwrap();
        let pieces = Pieces { shard: None, merge: vec![piece.clone()] };
        let read = merged(&pieces, &[7]).unwrap();
        // NaN differs from itself.
        assert_eq!(format!("{read:?}"), format!("{:?}", [row]));
        assert!(merged(&pieces, &[6]).is_err());
        let twice = Pieces { shard: None, merge: vec![piece.clone(), piece] };
        assert!(merged(&twice, &[7]).unwrap_err().to_string().contains("name each piece once"));
    }
}
