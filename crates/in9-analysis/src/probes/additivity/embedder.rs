//! What gives embeddings of pictures.

use crate::error::Result;
use crate::probes::classifier::Pictures;

/// What the last layer of an encoder is called: its features.
pub const FEATURES: &str = "features";

/// From pictures to the embeddings of several layers.
pub trait Embedder {
    /// Names of the layers, from the input to the output.
    fn layers(&self) -> Vec<String>;

    /// For each layer the embeddings of the pictures, `[count, channels]`, picture by picture.
    ///
    /// # Errors
    /// If the network cannot be run.
    fn embed(&self, pictures: &Pictures) -> Result<Vec<Vec<f32>>>;
}
