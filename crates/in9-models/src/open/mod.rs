//! Opening a network: from a run's folder, a weight file or the name of published weights to a model,
//! its classes, how its inputs are normalised, and where all of that is known from.
//!
//! Nothing is guessed. Files of this project say in their header what they are; published files are
//! known by their SHA-256; checkpoints of the `robustness` library hold their normaliser. What none of
//! these tell, the caller has to, and what contradicts the caller is refused.
//!
//! ```no_run
//! use candle_core::Device;
//! use in9_models::open::{Options, open};
//!
//! # fn main() -> in9_models::Result<()> {
//! let network = open("out/run", &Options::default())?;
//! println!("{}: mean {:?}, by {}", network.name, network.normalization.mean, network.provenance.normalization);
//! # Ok(())
//! # }
//! ```

mod identify;
mod normalization;
mod source;
mod zero_shot_record;

use candle_core::Device;
use in9_data::Normalization;
use in9_data::facts::RunFile;
use in9_data::predictions::Training;

use crate::error::Result;
use crate::model::Model;
use crate::preprocess::Preprocessing;
use crate::registry::DownloadProgress;
use crate::weights::Head;

pub use identify::Identified;
pub use normalization::{NormalizationSource, choose};
pub use source::Source;
pub use zero_shot_record::ZeroShotRecord;
#[cfg(feature = "transformers")]
pub(crate) use zero_shot_record::digest as digest_of_texts;

/// What is to be known about weights beside what they say themselves.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The architecture; needed where the weights do not name theirs, refused where they name another.
    pub arch: Option<&'a str>,
    /// What inputs are normalised with, whatever the weights say.
    pub normalization: Option<Normalization>,
    /// Where the model's parameters go.
    pub device: Device,
}

impl Default for Options<'_> {
    /// What the weights say, on the processor.
    fn default() -> Self {
        Self { arch: None, normalization: None, device: Device::Cpu }
    }
}

/// A network with everything that is needed to ask it something.
pub struct Opened {
    /// The model, frozen.
    pub model: Model,
    /// A name for tables: the run's, or the architecture's and the file's.
    pub name: String,
    /// What it was trained on, as tables say it; empty if nobody says.
    pub trained_on: String,
    /// Which training it came from: its run's, or else the weights themselves.
    pub training: Training,
    /// Class names in the order of the outputs; empty if nobody says.
    pub classes: Vec<String>,
    /// How its inputs are normalised.
    pub normalization: Normalization,
    /// How its publishers turn a photograph into its input; `None` for all others.
    pub preprocessing: Option<Preprocessing>,
    /// Side of the square pictures that it was made or trained for, in pixels, if somebody says.
    pub size: Option<usize>,
    /// What it was told about the classes, if it knows them by words only.
    pub zero_shot: Option<ZeroShotRecord>,
    /// Where all of this is known from.
    pub provenance: Provenance,
}

/// Where a network comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// BLAKE3 of the weight file, lower-case hexadecimal.
    pub digest: String,
    /// The file in a few words without its folder: `run resnet-tiny-original`, `resnet50.gluon`, `w.pth`.
    pub origin: String,
    /// How the normalisation is known.
    pub normalization: NormalizationSource,
    /// What was undone to read the file, and what else is worth knowing.
    pub notes: Vec<String>,
}

/// Opens the network that `weights` names: a run's folder, a weight file, or published weights
/// (`arch.tag`, `arch`, or a tag of the architecture in `options`), which are downloaded if they are not in
/// the user's cache.
///
/// # Errors
/// [`Error::UnknownWeights`](crate::Error::UnknownWeights) for a name of nothing;
/// [`Error::ArchitectureUnknown`](crate::Error::ArchitectureUnknown),
/// [`Error::OtherArchitecture`](crate::Error::OtherArchitecture) and
/// [`Error::NormalizationUnknown`](crate::Error::NormalizationUnknown) where the weights say too little or
/// something else; those of reading and loading weights.
pub fn open(weights: &str, options: &Options<'_>) -> Result<Opened> {
    let source = Source::find(weights, options.arch)?;
    open_source(&source, options, &mut |_| {})
}

/// [`open`] for a source that was found before; `progress` hears of bytes of a download that are done and,
/// once they are known, of all.
///
/// # Errors
/// Those of [`open`].
pub fn open_source(
    source: &Source,
    options: &Options<'_>,
    progress: &mut dyn FnMut(DownloadProgress),
) -> Result<Opened> {
    Identified::read(source, options.arch, progress)?.open(options)
}

impl Identified {
    /// The network, frozen.
    ///
    /// # Errors
    /// Those of [`open`], but for finding and reading the file.
    pub fn open(self, options: &Options<'_>) -> Result<Opened> {
        self.open_with(Head::FromFile, options)
    }

    /// As [`Identified::open`], with this classifier.
    ///
    /// # Errors
    /// As [`Identified::open`].
    pub fn open_with(self, head: Head, options: &Options<'_>) -> Result<Opened> {
        // What is missing is said before the work of loading.
        let (normalization, known_from) = self.normalization(options.normalization)?;
        let (facts, published) = (self.facts.as_ref(), self.published);
        let text =
            |of: fn(&in9_data::facts::NetworkFacts) -> &String| facts.map(of).cloned().unwrap_or_default();
        let trained_on = match published {
            Some(_) => "imagenet".to_owned(),
            None => text(|facts| &facts.trained_on),
        };
        let size = facts.map(|facts| facts.size).filter(|size| *size > 0);
        let preprocessing = published.map(|p| Preprocessing { normalization, ..p.preprocessing });
        let provenance = Provenance {
            digest: self.file.digest.clone(),
            origin: self.origin(),
            normalization: known_from,
            notes: self.notes(),
        };
        let training = self.training();
        let name = self.name();
        let classes = if head == Head::FromFile { text_list(facts) } else { Vec::new() };
        let model = self.model(head, false, &options.device)?;
        Ok(Opened {
            size: size.or(preprocessing.map(|p| p.size)),
            model,
            name,
            trained_on,
            training,
            classes,
            normalization,
            preprocessing,
            zero_shot: None,
            provenance,
        })
    }
}

impl Identified {
    /// Which training the weights came from: the run's whose `run.toml` lies beside them and has their name, or else
    /// none but their own.
    fn training(&self) -> Training {
        let run = self.facts.as_ref().filter(|facts| !facts.name.is_empty()).and_then(|facts| {
            let text = in9_base::files::read_text(&self.path.with_file_name("run.toml"), LONGEST_RUN).ok()?;
            let run = RunFile::<toml::Table>::parse(&text).ok()?;
            let same = run.name == facts.name && run.trained_on() == facts.trained_on;
            same.then(|| run.identity().ok()).flatten()
        });
        let trained = if self.published.is_some() { "imagenet" } else { "" };
        run.unwrap_or_else(|| Training::of_weights(trained, &self.file.digest))
    }
}

/// A run's facts are no longer than this many bytes.
const LONGEST_RUN: u64 = 1 << 20;

fn text_list(facts: Option<&in9_data::facts::NetworkFacts>) -> Vec<String> {
    facts.map(|facts| facts.classes.clone()).unwrap_or_default()
}
