//! What a search asks a classifier.

use super::pairs::Pair;
use super::search::SearchSettings;
use crate::error::Result;
use crate::probes::classifier::{Classifier, Pictures};
use crate::probes::scenes::{Scenes, composite};
use in9_data::View;

/// Answers of a classifier on composites.
pub(super) fn on_pairs(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    wave: &[(u32, u32)],
    batch: usize,
) -> Result<Vec<Pair>> {
    let pair = |(&(foreground, background), predicted)| Pair { foreground, background, predicted };
    if let Some(answers) = classifier.predict_pairs(wave, batch)? {
        return Ok(wave.iter().zip(answers).map(pair).collect());
    }
    let size = scenes.size();
    let mut rgb = vec![0; 3 * size * size];
    let mut done = Vec::with_capacity(wave.len());
    for chunk in wave.chunks(batch.max(1)) {
        let mut pictures = Pictures::empty(size);
        for &(foreground, background) in chunk {
            composite(scenes, foreground as usize, background as usize, &mut rgb);
            pictures.push_rgb(&rgb);
        }
        let answers = classifier.predict(&pictures)?;
        done.extend(chunk.iter().zip(answers).map(pair));
    }
    Ok(done)
}

/// Its scores of each background alone, `[backgrounds, classes]`.
pub(super) fn on_backgrounds(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    settings: &SearchSettings,
) -> Result<Vec<f32>> {
    let size = scenes.size();
    let mut rgb = vec![0; 3 * size * size];
    let mut scores = Vec::new();
    for chunk in settings.backgrounds.chunks(settings.batch.max(1)) {
        let mut pictures = Pictures::empty(size);
        for &b in chunk {
            scenes.compose(View::OnlyBgT, b as usize, b as usize, &mut rgb);
            pictures.push_rgb(&rgb);
        }
        scores.extend(classifier.scores(&pictures)?);
    }
    Ok(scores)
}
