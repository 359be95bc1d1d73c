//! Answers on photographs with the masks of each source.

use in9_data::SoundSplit;

use crate::error::Result;
use crate::masks::Joined;
use crate::probes::classifier::Classifier;
use crate::probes::mask_error::{Backgrounds, right_answers};
use crate::probes::scenes::Scenes;

/// What a photograph contributes: its difference of right answers, mixed-same − mixed-rand, with the mask of each source;
/// each −1, 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceDifferences {
    /// Index of the photograph in the first source's split.
    pub image: u32,
    /// A value for each source.
    pub by_source: Vec<f64>,
}

/// Asks about the photographs `joined` of `splits`, of which the first is what `scenes` shows; `backgrounds` holds the
/// photographs' partners in the first split, in the order of `joined`. `batch` changes nothing but speed.
///
/// # Errors
/// If the classifier fails.
pub fn differences(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    splits: &[SoundSplit],
    joined: &Joined,
    backgrounds: &[Backgrounds],
    batch: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<SourceDifferences>> {
    let mut all = Vec::with_capacity(joined.rows().len());
    for (row, partners) in joined.rows().iter().zip(backgrounds) {
        let Some(&image) = row.first() else { continue };
        let (side, _) = scenes.stored_mask(image);
        let masks =
            row.iter().zip(splits).map(|(&at, split)| split.layers(at).mask.bytes().to_vec()).collect();
        let right = right_answers(scenes, classifier, image, partners, &(side, masks), batch)?;
        let by_source = right.as_chunks::<2>().0.iter().map(|[same, rand]| same - rand).collect();
        all.push(SourceDifferences { image: image as u32, by_source });
        progress(all.len(), joined.rows().len());
    }
    Ok(all)
}
