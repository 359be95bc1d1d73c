//! Which network gives features: the flags of commands that take networks without their classifiers.

use std::path::{Path, PathBuf};

use candle_core::Device;
use in9_base::shell::Shell;
use in9_data::Normalization;

use crate::classifier::NetworkRecord;
use crate::cli::network::{normalization, with_progress};
use crate::encoder::Encoder;
use crate::open::{Options, Source};

/// Which network gives the features.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct EncoderArgs {
    /// A run's folder, a weight file, or the name of published weights (`in9-models list`)
    #[arg(long, value_name = "RUN|FILE|TAG", required_unless_present = "image_tower")]
    weights: Option<String>,
    /// In the place of --weights: the image tower of CLIP or SigLIP; a folder with the weights as open_clip or transformers
    /// write them and the configuration, or the weight file in one
    #[arg(long, value_name = "FOLDER|FILE", conflicts_with_all = ["weights", "arch"])]
    image_tower: Option<PathBuf>,
    /// Architecture, for weights that do not name theirs
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,
    /// What inputs are normalised with, whatever the weights say: imagenet, imagenet-9, half, none (0 to 1), as published weights
    /// (ARCH.TAG) need it, or six numbers (means, then deviations) [default: what the weights say]
    #[arg(long, value_name = "NAME", value_parser = normalization)]
    normalization: Option<Normalization>,
    /// Name of the network in results, before that of a probe learnt on it [default: the run's]
    #[arg(long)]
    pub(crate) name: Option<String>,
}

impl EncoderArgs {
    /// The file or folder of weights, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.image_tower.as_deref().or_else(|| self.weights.as_deref().map(Path::new))
    }

    /// What results call the network.
    pub fn record(&self, encoder: &Encoder) -> NetworkRecord {
        encoder.own_record(self.name.as_deref())
    }

    /// The network without its classifier.
    ///
    /// # Errors
    /// Those of [`Encoder::open`] and [`Encoder::image_tower`].
    pub fn open(&self, device: Device, shell: &Shell) -> crate::Result<Encoder> {
        let encoder = match &self.image_tower {
            Some(path) => image_tower(path, self.normalization, &device)?,
            None => {
                let weights = self.weights.as_deref().unwrap_or_default();
                let source = Source::find(weights, self.arch.as_deref())?;
                let options =
                    Options { arch: self.arch.as_deref(), normalization: self.normalization, device };
                with_progress(&source, shell, |progress| Encoder::open(&source, &options, progress))?
            }
        };
        let network = encoder.network();
        for note in &network.provenance.notes {
            shell.say(format_args!("{}: {note}", network.provenance.origin));
        }
        let three = |values: [f32; 3]| values.map(|v| v.to_string()).join(" ");
        shell.say(format_args!(
            "{}: {} features, {} of {}; mean {}, std {} by {}",
            network.name,
            encoder.width(),
            encoder.layer(),
            network.model.name(),
            three(network.normalization.mean),
            three(network.normalization.std),
            network.provenance.normalization
        ));
        Ok(encoder)
    }
}

#[cfg(feature = "transformers")]
fn image_tower(path: &Path, asked: Option<Normalization>, device: &Device) -> crate::Result<Encoder> {
    Encoder::image_tower(path, asked, device)
}

#[cfg(not(feature = "transformers"))]
fn image_tower(path: &Path, _: Option<Normalization>, _: &Device) -> crate::Result<Encoder> {
    Err(crate::Error::MissingFeature { what: path.display().to_string(), feature: "transformers" })
}
