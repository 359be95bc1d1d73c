//! What the masks of each source show: photographs, and their objects pasted with each mask.

use in9_data::{MaskBits, View};

use super::run::Sources;
use crate::error::Result;
use crate::output::png;
use crate::probes::mask_error::Backgrounds;
use crate::probes::scenes::{Scenes, first_of_each_class};

/// What a picture shows of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The photograph itself.
    Photograph,
    /// Its object on its background of mixed-rand, cut out by the mask of source `0`, `1`, ….
    Source(usize),
}

/// Name of the file that shows this of the photograph with this number in the split.
pub fn picture_name(number: u32, shown: Shown) -> String {
    match shown {
        Shown::Photograph => format!("pictures/{number:06}-photo.png"),
        Shown::Source(source) => format!("pictures/{number:06}-{source}.png"),
    }
}

/// Pictures of up to `count` of the photographs, the first of each class before others, by name, as PNG.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn pictures(
    scenes: &dyn Scenes,
    sources: &Sources<'_>,
    backgrounds: &[Backgrounds],
    count: usize,
) -> Result<Vec<(String, Vec<u8>)>> {
    let rows = sources.joined.rows();
    let images: Vec<u32> = rows.iter().filter_map(|row| row.first()).map(|&image| image as u32).collect();
    let wanted = first_of_each_class(scenes, &images, count);
    let size = scenes.size();
    let mut rgb = vec![0; 3 * size * size];
    let mut made = Vec::new();
    for ((row, partners), number) in rows.iter().zip(backgrounds).zip(images) {
        if !wanted.contains(&number) {
            continue;
        }
        let image = number as usize;
        scenes.compose(View::Original, image, image, &mut rgb);
        made.push((picture_name(number, Shown::Photograph), png(&rgb, size)?));
        let side = scenes.stored_mask(image).0;
        for (source, mask) in sources.masks(row).iter().enumerate() {
            let behind = partners.rand as usize;
            scenes.compose_with(MaskBits::new(mask, side), View::MixedRand, image, behind, &mut rgb);
            made.push((picture_name(number, Shown::Source(source)), png(&rgb, size)?));
        }
    }
    Ok(made)
}
