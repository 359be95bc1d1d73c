//! Contact sheets.

use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use in9_base::files;

use crate::compose::compose;
use crate::dataset::{Dataset, Split};
use crate::error::Result;
use crate::pairing::Pairing;
use crate::view::View;

/// Pixels between pictures.
const GAP: usize = 4;

/// One view of sample `index`, size·size·3 bytes, RGB. `pairing` is only read by mixed views.
pub(crate) fn view_of(split: &Split, index: usize, view: View, pairing: Option<&Pairing>) -> Result<Vec<u8>> {
    let size = split.size();
    let mut out = vec![0; size * size * 3];
    let background = pairing.map(|pairing| split.tiled(pairing.0[index] as usize)).transpose()?;
    let foreground = split.layers_for(view, index)?;
    compose(view, &foreground, split.sample(index).crop_box, background, size, &mut out);
    Ok(out)
}

/// Writes a PNG with one row for each sample of `rows` and one column for each view, on white.
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
    let size = split.size();
    let cell = size + GAP;
    let (width, height) = (views.len() * cell + GAP, rows.len() * cell + GAP);
    let mut sheet = vec![255u8; width * height * 3];
    for (column, &view) in views.iter().enumerate() {
        split.check_view(view)?;
        let pairing = match view.needs_background() {
            true => Some(Pairing::frozen(dataset, split, view)?),
            false => None,
        };
        for (row, &index) in rows.iter().enumerate() {
            let picture = view_of(split, index, view, pairing.as_ref())?;
            for (y, line) in picture.chunks_exact(size * 3).enumerate() {
                let start = ((row * cell + GAP + y) * width + column * cell + GAP) * 3;
                sheet[start..start + line.len()].copy_from_slice(line);
            }
        }
    }
    files::write(png, |file| {
        PngEncoder::new(file)
            .write_image(&sheet, width as u32, height as u32, ExtendedColorType::Rgb8)
            .map_err(std::io::Error::other)
    })?;
    Ok(())
}
