//! A frozen network without its classifier: from pictures to features.
//!
//! Features are what would go into the layer that fine-tuning replaces, of any network of the zoo, and of the image tower of
//! CLIP or SigLIP its embedding of length one. The classifier is not cut off but replaced by one that hands on what it
//! gets, so that every architecture has features without a word about them. On a processor they are exact; a GPU rounds
//! them once more, as it rounds the factors of all products.
//!
//! ```no_run
//! use in9_models::Encoder;
//! use in9_models::open::{Options, Source};
//!
//! # fn main() -> in9_models::Result<()> {
//! let source = Source::find("dinov2_vits14_pretrain.pth", None)?;
//! let options = Options { arch: Some("vit_small_patch14_dinov2"), ..Options::default() };
//! let encoder = Encoder::open(&source, &options, &mut |_| {})?;
//! assert_eq!(encoder.width(), 384);
//! # Ok(())
//! # }
//! ```

use std::sync::atomic::AtomicUsize;

use candle_core::{DType, Tensor};
use in9_data::Normalization;

use crate::classifier::{NetworkRecord, in_parts};
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::open::{Identified, Opened, Options, Source};
use crate::probe::{ProbeRecord, Settings};
use crate::registry::DownloadProgress;
use crate::weights::Head;

/// A frozen network whose outputs are features.
pub struct Encoder {
    opened: Opened,
    layer: String,
    /// The most pictures that fit a GPU's memory together, once more did not.
    most: AtomicUsize,
}

impl Encoder {
    /// Opens the network of `source` without its classifier, which the file need not have.
    ///
    /// # Errors
    /// Those of [`open`](crate::open::open()).
    pub fn open(
        source: &Source,
        options: &Options<'_>,
        progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<Self> {
        let opened = Identified::read(source, options.arch, progress)?.open_with(Head::Removed, options)?;
        let layer = format!("input of {}", opened.model.architecture().head);
        Ok(Self::of(opened, layer))
    }

    /// Opens the image tower of the CLIP or SigLIP in `path`, a folder or its weight file
    /// ([`zero_shot::open`](crate::zero_shot::open())).
    ///
    /// # Errors
    /// Those of [`zero_shot::image_tower`](crate::zero_shot::image_tower).
    #[cfg(feature = "transformers")]
    pub fn image_tower(
        path: &std::path::Path,
        normalization: Option<Normalization>,
        device: &candle_core::Device,
    ) -> Result<Self> {
        let opened = crate::zero_shot::image_tower(path, normalization, device)?;
        Ok(Self::of(opened, "embedding, of length one".to_owned()))
    }

    fn of(opened: Opened, layer: String) -> Self {
        Self { opened, layer, most: AtomicUsize::new(usize::MAX) }
    }

    /// The network: its name, digest, normalisation, and where they are known from. Its outputs are features.
    pub fn network(&self) -> &Opened {
        &self.opened
    }

    /// Which activation the features are, in words.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Number of features of a picture.
    pub fn width(&self) -> usize {
        self.opened.model.classes()
    }

    /// What its inputs are normalised with.
    pub fn normalization(&self) -> Normalization {
        self.opened.normalization
    }

    /// What outputs say about the encoder; `name` is what to call it, if not as it calls itself.
    pub fn own_record(&self, name: Option<&str>) -> NetworkRecord {
        let Opened { normalization: Normalization { mean, std }, provenance, .. } = &self.opened;
        NetworkRecord {
            model: name.unwrap_or(&self.opened.name).to_owned(),
            trained_on: self.opened.trained_on.clone(),
            arch: self.opened.model.name().to_owned(),
            training: self.opened.training.clone(),
            weights: provenance.digest.clone(),
            origin: provenance.origin.clone(),
            mean: *mean,
            std: *std,
            normalization: provenance.normalization.to_string(),
            mapping: "identity".to_owned(),
            zero_shot: None,
            probe: None,
        }
    }

    /// What outputs say about a probe of this encoder; `name` is what to call the encoder, if not as it calls itself.
    pub fn record(&self, name: Option<&str>, settings: &Settings, probe: ProbeRecord) -> NetworkRecord {
        let own = self.own_record(name);
        NetworkRecord {
            model: format!("{} {}", own.model, settings.name()),
            trained_on: format!("{} probe on {}", settings.name(), probe.data.view),
            training: probe.training(self, settings),
            probe: Some(probe),
            ..own
        }
    }

    /// The layers that [`Encoder::embeddings`] knows beside the features, from the input to the output.
    pub fn layers(&self) -> Vec<String> {
        self.opened.model.tap_names()
    }

    /// What each of `layers` makes of `n` normalised pictures, averaged over places, and last their features.
    ///
    /// # Shapes
    /// - `planes`: as for [`Encoder::features`]
    /// - output: for each layer, in the order in which they are reached, and for the features: `n · channels` values, picture
    ///   by picture
    ///
    /// # Errors
    /// [`Error::UnknownTap`], and as for [`Encoder::features`].
    pub fn embeddings(
        &self,
        planes: &[f32],
        n: usize,
        size: usize,
        layers: &[&str],
    ) -> Result<Vec<Vec<f32>>> {
        let model = &self.opened.model;
        let input =
            Tensor::from_slice(planes, (n, 3, size, size), model.device())?.to_dtype(model.dtype())?;
        let parts = in_parts(n, &self.most, &mut |first, count| {
            let (features, taps) =
                model.forward_with_taps(&input.narrow(0, first, count)?, Mode::Eval, layers)?;
            let means = taps.into_iter().map(|(_, tap)| match tap.rank() {
                0..=2 => Ok(tap),
                _ => tap.to_dtype(DType::F32)?.flatten_from(2)?.mean(2),
            });
            let all = means.chain([Ok(features)]);
            all.map(|x| Ok(x?.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?))
                .collect::<Result<Vec<Vec<f32>>>>()
        })?;
        let mut joined: Vec<Vec<f32>> = vec![Vec::new(); layers.len() + 1];
        for part in parts {
            let part: Vec<Vec<f32>> = part;
            joined.iter_mut().zip(part).for_each(|(all, more)| all.extend(more));
        }
        match joined.iter().flatten().all(|value| value.is_finite()) {
            true => Ok(joined),
            false => Err(Error::NotFinite(self.opened.name.clone())),
        }
    }

    /// The features of `n` normalised pictures.
    ///
    /// # Shapes
    /// - `planes`: `n · 3 · size · size` values, picture by picture, channel by channel, row by row
    /// - output: `n · width` values, picture by picture
    ///
    /// # Errors
    /// [`Error::NotFinite`]; those of [`Model::forward`](crate::Model::forward).
    pub fn features(&self, planes: &[f32], n: usize, size: usize) -> Result<Vec<f32>> {
        // The last of the embeddings, and without layers the only one.
        Ok(self.embeddings(planes, n, size, &[])?.pop().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::params::Params;
    use crate::weights::{self, Limits};
    use candle_core::Device;

    /// The classifier, applied to the features, gives the logits; and a file without one gives the same features.
    #[test]
    fn features_are_what_goes_into_the_classifier() {
        let size = 48;
        let planes: Vec<f32> =
            (0..2 * 3 * size * size).map(|i| ((i * 37 % 101) as f32 - 50.0) / 30.0).collect();
        let x = Tensor::from_slice(&planes, (2, 3, size, size), &Device::Cpu).unwrap();
        for (arch, inputs) in [("resnet-tiny", 128), ("mobilenetv3_small_100", 1024), ("dpn92", 2688)] {
            let model = crate::build(arch, 5, &Params::random(3, DType::F32, &Device::Cpu)).unwrap();
            let (head, dir) = (model.architecture().head, tempfile::tempdir().unwrap());
            let path = dir.path().join("w.safetensors");
            let mut tensors: HashMap<String, Tensor> = model.tensors();
            candle_core::safetensors::save(&tensors, &path).unwrap();
            let open = || {
                let source = Source::File(path.clone());
                let half = Some(Normalization::HALF);
                let options = Options { arch: Some(arch), normalization: half, ..Options::default() };
                Encoder::open(&source, &options, &mut |_| {})
            };
            let encoder = open().unwrap();
            assert_eq!(encoder.width(), inputs, "{arch}");
            assert_eq!(encoder.layer(), format!("input of {head}"));
            let features = encoder.features(&planes, 2, size).unwrap();
            let layers = encoder.layers();
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            let all = encoder.embeddings(&planes, 2, size, &layers).unwrap();
            assert_eq!(all.len(), layers.len() + 1, "{arch}");
            // Where activations are tapped they are in planes, whose last digits differ.
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
            assert_eq!(all[layers.len()].len(), features.len(), "{arch}");
            assert!(all[layers.len()].iter().zip(&features).all(near), "{arch}");
            assert!(all.iter().all(|layer| !layer.is_empty() && layer.len() % 2 == 0), "{arch}");

            let weight = tensors[&format!("{head}.weight")].flatten_from(1).unwrap();
            let of_features = Tensor::from_vec(features.clone(), (2, inputs), &Device::Cpu).unwrap();
            let weight = weight.reshape((5, inputs)).unwrap();
            let logits = of_features.matmul(&weight.t().unwrap()).unwrap();
            let logits = logits.broadcast_add(&tensors[&format!("{head}.bias")]).unwrap();
            let expected = model.frozen().unwrap().forward(&x, Mode::Eval).unwrap();
            let apart = (logits - &expected).unwrap().abs().unwrap().max_all().unwrap();
            let largest = expected.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            assert!(apart.to_scalar::<f32>().unwrap() < 1e-5 * largest.max(1.0), "{arch}");

            tensors.retain(|name, _| !name.starts_with(head));
            candle_core::safetensors::save(&tensors, &path).unwrap();
            assert_eq!(open().unwrap().features(&planes, 2, size).unwrap(), features, "{arch}");
            let file = weights::read(&path, &Limits::default()).unwrap();
            let whole = weights::load_from(arch, &path, file.tensors, Head::FromFile, false, &Device::Cpu);
            assert!(whole.err().unwrap().to_string().contains(head), "{arch}: a classifier is missing");
        }
    }
}
