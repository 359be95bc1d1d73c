//! Contact sheets: photographs in their views, and photographs that were rejected.

use std::path::Path;

use fast_image_resize::Resizer;
use fast_image_resize::pixels::U8x3;
use in9_base::files;
use in9_base::table::Table;

use crate::compose::compose;
use crate::dataset::{Dataset, Split};
use crate::error::Result;
use crate::limits::Limits;
use crate::pairing::Pairing;
use crate::photo;
use crate::resample;
use crate::sheet::Sheet;
use crate::view::View;

/// One view of sample `index`, size·size·3 bytes, RGB. `pairing` is only read by mixed views.
pub(crate) fn view_of(split: &Split, index: usize, view: View, pairing: Option<&Pairing>) -> Result<Vec<u8>> {
    let size = split.size();
    let mut out = vec![0; size * size * 3];
    let background = pairing.map(|pairing| split.tiled(pairing.0[index] as usize)).transpose()?;
    let foreground = split.layers_for(view, index)?;
    compose(view, &foreground, split.sample(index).crop_box, background, size, &mut out);
    Ok(out)
}

/// Writes a PNG with one row for each sample of `rows`, named by its class and id, and one column for each view, named
/// above, on white.
///
/// # Errors
/// If the split cannot give a view, a pairing or a layer cannot be read, or the file cannot be written.
///
/// # Panics
/// If a row is not an index of the split.
pub fn contact_sheet(
    dataset: &Dataset,
    split: &Split,
    rows: &[usize],
    views: &[View],
    png: &Path,
) -> Result<()> {
    let names: Vec<&str> = views.iter().map(|view| view.name()).collect();
    let class = |index: usize| &dataset.taxonomy().classes[usize::from(split.sample(index).class)].name;
    let titles: Vec<Vec<String>> =
        rows.iter().map(|&index| vec![class(index).clone(), split.sample(index).id.clone()]).collect();
    let mut sheet = Sheet::new(split.size(), &names, &titles);
    for (column, &view) in views.iter().enumerate() {
        split.check_view(view)?;
        let pairing = match view.needs_background() {
            true => Some(Pairing::frozen(dataset, split, view)?),
            false => None,
        };
        for (row, &index) in rows.iter().enumerate() {
            sheet.put(row, column, &view_of(split, index, view, pairing.as_ref())?);
        }
    }
    sheet.write(png)
}

/// Photographs of a row of [`rejected_sheet`].
const IN_A_ROW: usize = 8;

/// Pixels of their side.
const SIDE: usize = 112;

/// What is on a sheet of rejected photographs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedSheet {
    /// Rules with the number of photographs that each rejected, in the order of the sheet's rows.
    pub rules: Vec<(String, u64)>,
    /// Photographs that are shown.
    pub shown: usize,
    /// Photographs that should be shown but could not be read, each with the reason.
    pub unread: Vec<String>,
}

/// Writes a PNG of the photographs of `split` that a build rejected: one row a rule, up to eight photographs each, read
/// from below `root`, the folder that the dataset was built from.
///
/// # Errors
/// If `rejected.csv` cannot be read, or the file cannot be written.
pub fn rejected_sheet(dataset: &Dataset, split: &str, root: &Path, png: &Path) -> Result<RejectedSheet> {
    let mut rules: Vec<(String, u64, Vec<String>)> = Vec::new();
    let mut table = Table::open(&dataset.path().join("rejected.csv"), Default::default())?;
    let columns = ["split", "rule", "source"].map(|name| table.column(name));
    while let Some((_, row)) = table.next_row()? {
        let [of, rule, source] = columns.map(|at| at.map_or("", |at| &row[at]));
        if of != split {
            continue;
        }
        let at = rules.iter().position(|(name, ..)| name == rule).unwrap_or_else(|| {
            rules.push((rule.to_owned(), 0, Vec::new()));
            rules.len() - 1
        });
        let (_, count, some) = &mut rules[at];
        *count += 1;
        if some.len() < IN_A_ROW {
            some.push(source.to_owned());
        }
    }
    table.finish()?;
    let titles: Vec<Vec<String>> =
        rules.iter().map(|(rule, count, _)| vec![rule.clone(), format!("{count} rejected")]).collect();
    let mut sheet = Sheet::new(SIDE, &[""; IN_A_ROW], &titles);
    let (mut unread, mut shown) = (Vec::new(), 0);
    for (row, (.., sources)) in rules.iter().enumerate() {
        for (column, source) in sources.iter().enumerate() {
            match small(&root.join(source)) {
                Ok(picture) => {
                    sheet.put(row, column, &picture);
                    shown += 1;
                }
                Err(why) => unread.push(format!("{source}: {why}")),
            }
        }
    }
    sheet.write(png)?;
    Ok(RejectedSheet {
        rules: rules.into_iter().map(|(rule, count, _)| (rule, count)).collect(),
        shown,
        unread,
    })
}

/// A photograph as a square of [`SIDE`] pixels, whole, on grey.
fn small(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let limits = Limits::default();
    let bytes = files::read(path, limits.photo_bytes).map_err(|e| e.to_string())?;
    let photo = photo::decode(&bytes, &limits)?;
    let (width, height) = (photo.width as usize, photo.height as usize);
    // Whole photographs are shown: what a crop leaves out may be why one was rejected.
    let side = width.max(height);
    let mut square = vec![225; side * side * 3];
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    for (y, line) in photo.rgb.chunks_exact(width * 3).enumerate() {
        let start = ((top + y) * side + left) * 3;
        square[start..start + line.len()].copy_from_slice(line);
    }
    let mut out = vec![0; SIDE * SIDE * 3];
    let whole = [0.0, 0.0, side as f64, side as f64];
    resample::square::<U8x3>(
        &mut Resizer::new(),
        &square,
        (side as u32, side as u32),
        whole,
        SIDE as u32,
        &mut out,
    )?;
    Ok(out)
}
