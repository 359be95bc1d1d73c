//! Networks of in9-models as embedders.

use super::embedder::{Embedder, FEATURES};
use crate::error::Result;
use crate::probes::classifier::Pictures;
use in9_models::Encoder;

/// Some layers of an encoder, each averaged over places, and its features.
pub struct EncoderLayers<'a> {
    /// The encoder.
    pub encoder: &'a Encoder,
    /// The layers, from the input to the output, as [`Encoder::layers`] names them.
    pub layers: Vec<String>,
}

impl Embedder for EncoderLayers<'_> {
    fn layers(&self) -> Vec<String> {
        self.layers.iter().cloned().chain([FEATURES.to_owned()]).collect()
    }

    fn embed(&self, pictures: &Pictures) -> Result<Vec<Vec<f32>>> {
        let mut planes = pictures.pixels.clone();
        self.encoder.normalization().values(&mut planes, pictures.size * pictures.size);
        let layers: Vec<&str> = self.layers.iter().map(String::as_str).collect();
        Ok(self.encoder.embeddings(&planes, pictures.count, pictures.size, &layers)?)
    }
}
