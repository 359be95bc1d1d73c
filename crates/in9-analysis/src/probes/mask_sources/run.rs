//! Answers on photographs with the masks of each source.

use in9_data::{MaskBits, MaskChange, SoundSplit, rng};

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

/// Where the masks of a photograph come from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// Data sets with masks of their own.
    pub splits: &'a [SoundSplit],
    /// The photographs that all of them hold.
    pub joined: &'a Joined,
    /// Further sources, each of which draws the masks of the first data set otherwise.
    pub changes: &'a [MaskChange],
    /// Seed of those changes that are random.
    pub seed: u64,
}

impl Sources<'_> {
    /// The masks of a photograph, a row of `joined`: those of the data sets, then the changed ones. Changes are drawn by the
    /// photograph's id, so that those of one do not depend on which others there are.
    pub fn masks(&self, row: &[usize]) -> Vec<Vec<u8>> {
        let mut masks: Vec<Vec<u8>> = (row.iter().zip(self.splits))
            .map(|(&at, split)| split.layers(at).mask.bytes().to_vec())
            .collect();
        if let (Some(&image), Some(first)) = (row.first(), self.splits.first()) {
            let (own, key) = (first.layers(image).mask, rng::text_key(&first.sample(image).id));
            masks.extend(self.changes.iter().map(|change| {
                let mut random = rng::stream(self.seed, &format!("mask-change {change}"), key, 0);
                change.of(&MaskBits::new(own.bytes(), own.size()), &mut random)
            }));
        }
        masks
    }
}

/// Asks about the photographs of `sources`, of which the first data set is what `scenes` shows; `backgrounds` holds the
/// photographs' partners in it, in the order of the joined ones. `batch` changes nothing but speed.
///
/// # Errors
/// If the classifier fails.
pub fn differences(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    sources: &Sources<'_>,
    backgrounds: &[Backgrounds],
    batch: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<SourceDifferences>> {
    let rows = sources.joined.rows();
    let mut all = Vec::with_capacity(rows.len());
    for (row, partners) in rows.iter().zip(backgrounds) {
        let Some(&image) = row.first() else { continue };
        let masks = (scenes.stored_mask(image).0, sources.masks(row));
        let right = right_answers(scenes, classifier, image, partners, &masks, batch)?;
        let by_source = right.as_chunks::<2>().0.iter().map(|[same, rand]| same - rand).collect();
        all.push(SourceDifferences { image: image as u32, by_source });
        progress(all.len(), rows.len());
    }
    Ok(all)
}
