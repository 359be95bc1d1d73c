//! Asking a classifier about every photograph pasted in every way.

use super::grid::Grid;
use crate::error::Result;
use crate::probes::classifier::{Classifier, Pictures};
use crate::probes::mask_error::Backgrounds;
use crate::probes::scenes::Scenes;

/// Whether the answers about one photograph were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Index of the photograph.
    pub image: u32,
    /// Its class.
    pub class: u16,
    /// On the background of its class, cell by cell as [`Grid::cells`] has them.
    pub same: Vec<bool>,
    /// On a random background.
    pub rand: Vec<bool>,
}

/// Answers about `images`, each pasted in every cell of `grid` on both of its backgrounds (in the order of `images`).
///
/// Corners are drawn for each photograph by its own id, so a shorter list of images gives the same answers for those it
/// holds; `batch` changes nothing but speed.
///
/// # Errors
/// If the classifier fails.
#[allow(clippy::too_many_arguments, reason = "what is shown, to whom, and how; each is said once")]
pub fn answers(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    images: &[u32],
    backgrounds: &[Backgrounds],
    grid: &Grid,
    seed: u64,
    batch: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Answers>> {
    let (cells, size) = (grid.cells(), scenes.size());
    let mut rgb = vec![0; 3 * size * size];
    let mut all = Vec::with_capacity(images.len());
    for (&image, partners) in images.iter().zip(backgrounds) {
        let i = image as usize;
        let ways: Vec<_> = cells.iter().map(|cell| cell.paste(scenes.id(i), seed)).collect();
        let wanted: Vec<_> = [partners.same, partners.rand]
            .into_iter()
            .flat_map(|behind| ways.iter().map(move |way| (way, behind)))
            .collect();
        let mut right = Vec::with_capacity(wanted.len());
        for chunk in wanted.chunks(batch.max(1)) {
            let mut pictures = Pictures::empty(size);
            for (way, behind) in chunk {
                scenes.paste(way, i, *behind as usize, &mut rgb);
                pictures.push_rgb(&rgb);
            }
            right.extend(
                classifier.predict(&pictures)?.into_iter().map(|found| found == Some(scenes.class(i))),
            );
        }
        let rand = right.split_off(cells.len());
        all.push(Answers { image, class: scenes.class(i), same: right, rand });
        progress(all.len(), images.len());
    }
    Ok(all)
}
