//! Maps of what the tokens of a transformer attend to.

use super::map::Map;
use crate::error::{Error, Result};
use crate::probes::classifier::{GradientClassifier, Pictures};

/// Attention rollout of each picture: how much of its features comes from each patch, over all blocks. It is about all that
/// the network reads, not about a class.
///
/// Source: S. Abnar and W. Zuidema, "Quantifying attention flow in transformers", ACL 2020;
/// `in9_models::Model::attention_rollout` says what is done for networks that they do not know.
///
/// # Errors
/// If the classifier fails or has no attention.
pub fn attention_rollout(classifier: &dyn GradientClassifier, pictures: &Pictures) -> Result<Vec<Map>> {
    let Some(found) = classifier.attention_rollout(pictures)? else {
        return Err(Error::Classifier("has no attention to roll out; choose grad-cam".into()));
    };
    let (height, width) = (found.height, found.width);
    let maps = found.shares.chunks_exact(height * width);
    Ok(maps.map(|shares| Map::enlarged(shares, height, width, pictures.size)).collect())
}
