//! The flags that name a network, the same for every program that opens one.

use std::path::{Path, PathBuf};

use candle_core::Device;
use in9_base::shell::Shell;
use in9_data::{Normalization, Taxonomy};

use crate::ask::{Ask, Asked};
use crate::classifier::Classifier;
use crate::mapping::Mapping;
use crate::open::{Options, Source, open_source};
use crate::registry::{DownloadProgress, Pretrained, find_pretrained};
use crate::scorer::{Foreign, Program, Scorer};

/// Which network is asked, and what is to be known about it beside what its weights say.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// A run's folder, a weight file, or the name of published weights (`in9-models list`)
    #[arg(long, value_name = "RUN|FILE|TAG", required_unless_present_any = ["scorer", "onnx", "zero_shot"])]
    pub weights: Option<String>,
    /// In the place of --weights: a command, for the shell, of a program that reads pictures on its standard input and
    /// writes scores to its standard output, such as "python scorer.py" (protocol: SCORER.md)
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["weights", "onnx", "arch", "normalization"])]
    pub scorer: Option<String>,
    /// In the place of --weights: a classifier in an ONNX file, with one input [batch, 3, height, width] and one output
    /// [batch, outputs]; needs --normalization unless the file says it (SCORER.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["weights", "arch"])]
    pub onnx: Option<PathBuf>,
    /// In the place of --weights: CLIP or SigLIP, told the dataset's classes in words; a folder with the weights as open_clip
    /// or transformers write them, the configuration and the vocabulary, or the weight file in one
    #[arg(long, value_name = "FOLDER|FILE", conflicts_with_all = ["weights", "scorer", "onnx", "arch"])]
    pub zero_shot: Option<PathBuf>,
    /// What --zero-shot is told about each class: `plain` ("a photo of a {}."), `ensemble` (seven sentences, averaged), or
    /// a TOML file with templates = [...] and, in its table names, what classes are called
    #[arg(long, value_name = "NAME|FILE", default_value = "plain", requires = "zero_shot")]
    pub prompts: String,
    /// The vocabulary of --zero-shot, if it does not lie beside the weights: tokenizer.json, vocab.json beside merges.txt,
    /// or CLIP's list of merges
    #[arg(long, value_name = "FILE", requires = "zero_shot")]
    pub tokenizer: Option<PathBuf>,
    /// Architecture, for weights that do not name theirs
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,
    /// What inputs are normalised with, whatever the weights say: imagenet, imagenet-9, half, none (0 to 1), as published weights
    /// (ARCH.TAG) need it, or six numbers (means, then deviations) [default: what the weights say]
    #[arg(long, value_name = "NAME", value_parser = normalization)]
    pub normalization: Option<Normalization>,
    /// How a thousand ImageNet classes, or groups of fine labels, become the dataset's: `a` looks up the
    /// winner of all (the official rule), `b` sums probabilities by class
    #[arg(long, default_value = "a", value_parser = mapping)]
    pub mapping: Mapping,
    /// Name of the model in results [default: the run's]
    #[arg(long)]
    pub name: Option<String>,
}

impl NetworkArgs {
    /// The file or folder of weights, if it is one.
    pub fn path(&self) -> Option<&Path> {
        self.onnx.as_deref().or(self.zero_shot.as_deref()).or_else(|| self.weights.as_deref().map(Path::new))
    }

    /// Opens the network and asks it about the classes of `taxonomy`. What is worth knowing about it is said.
    ///
    /// # Errors
    /// Those of [`open`](crate::open::open()), [`Classifier::new`], [`Program::start`], `Onnx::open` and
    /// [`Foreign::new`].
    pub fn open(&self, taxonomy: &Taxonomy, device: Device, shell: &Shell) -> crate::Result<Asked> {
        let asked = match (&self.scorer, &self.onnx) {
            _ if let Some(path) = &self.zero_shot => {
                Asked::Own(Box::new(self.told(path, taxonomy, device, shell)?))
            }
            (_, Some(file)) => self.foreign(onnx(file, self.normalization)?, taxonomy)?,
            (Some(command), None) => {
                let classes: Vec<String> = taxonomy.classes.iter().map(|class| class.name.clone()).collect();
                self.foreign(Box::new(Program::start(command, &classes)?), taxonomy)?
            }
            (None, None) => Asked::Own(Box::new(self.own(taxonomy, device, shell)?)),
        };
        let record = asked.record();
        let three = |values: [f32; 3]| values.map(|v| v.to_string()).join(" ");
        shell.say(format_args!(
            "{}: {}, from {}; mean {}, std {} by {}; mapping {}",
            record.model,
            if record.arch.is_empty() { "architecture not told" } else { &record.arch },
            record.origin,
            three(record.mean),
            three(record.std),
            record.normalization,
            record.mapping
        ));
        Ok(asked)
    }

    fn own(&self, taxonomy: &Taxonomy, device: Device, shell: &Shell) -> crate::Result<Classifier> {
        let weights = self.weights.as_deref().unwrap_or_default();
        let source = Source::find(weights, self.arch.as_deref())?;
        let options = Options { arch: self.arch.as_deref(), normalization: self.normalization, device };
        let opened = with_progress(&source, shell, |progress| open_source(&source, &options, progress))?;
        for note in &opened.provenance.notes {
            shell.say(format_args!("{weights}: {note}"));
        }
        let mut classifier = Classifier::new(opened, taxonomy, self.mapping)?;
        if let Some(name) = self.other_name(classifier.record().model, classifier.outputs_are_classes()) {
            classifier.rename(name);
        }
        Ok(classifier)
    }

    /// The network in `path`, told the classes of `taxonomy` in words.
    #[cfg(feature = "transformers")]
    fn told(
        &self,
        path: &Path,
        taxonomy: &Taxonomy,
        device: Device,
        shell: &Shell,
    ) -> crate::Result<Classifier> {
        let options = crate::zero_shot::Options {
            prompts: crate::zero_shot::Prompts::find(&self.prompts)?,
            tokenizer: self.tokenizer.as_deref(),
            normalization: self.normalization,
            device,
        };
        let opened = crate::zero_shot::open(path, taxonomy, &options)?;
        for note in &opened.provenance.notes {
            shell.say(format_args!("{}: {note}", path.display()));
        }
        let mut classifier = Classifier::new(opened, taxonomy, self.mapping)?;
        if let Some(name) = &self.name {
            classifier.rename(name.clone());
        }
        Ok(classifier)
    }

    #[cfg(not(feature = "transformers"))]
    fn told(&self, path: &Path, _: &Taxonomy, _: Device, _: &Shell) -> crate::Result<Classifier> {
        Err(crate::Error::MissingFeature { what: path.display().to_string(), feature: "transformers" })
    }

    fn foreign(&self, scorer: Box<dyn Scorer>, taxonomy: &Taxonomy) -> crate::Result<Asked> {
        let mut foreign = Foreign::new(scorer, taxonomy, self.mapping)?;
        if let Some(name) = self.other_name(foreign.record().model, foreign.outputs_are_classes()) {
            foreign.rename(name);
        }
        Ok(Asked::Foreign(Box::new(foreign)))
    }

    /// The name in tables of the classifier that calls itself `own`, if it is another: the one that was asked for. By the
    /// other rule a classifier is another one, and must not be taken for the first.
    fn other_name(&self, own: String, outputs_are_classes: bool) -> Option<String> {
        let by_b = !outputs_are_classes && self.mapping == Mapping::B;
        self.name.clone().or_else(|| by_b.then(|| format!("{own}, mapping b")))
    }
}

/// The classifier in an ONNX file.
#[cfg(feature = "onnx")]
fn onnx(file: &Path, normalization: Option<Normalization>) -> crate::Result<Box<dyn Scorer>> {
    Ok(Box::new(crate::scorer::Onnx::open(file, normalization)?))
}

#[cfg(not(feature = "onnx"))]
fn onnx(file: &Path, _: Option<Normalization>) -> crate::Result<Box<dyn Scorer>> {
    Err(crate::Error::MissingFeature { what: file.display().to_string(), feature: "onnx" })
}

/// Does something that may download published weights, with a progress bar while it does.
pub(super) fn with_progress<T>(
    source: &Source,
    shell: &Shell,
    work: impl FnOnce(&mut dyn FnMut(DownloadProgress)) -> T,
) -> T {
    let Source::Published(published) = source else { return work(&mut |_| {}) };
    let progress = shell.progress(&published.name(), "bytes", 0);
    let result = work(&mut |step| match step {
        DownloadProgress::Waiting => {
            progress.note(&format!("{}: another process is downloading it; waiting", published.name()));
        }
        DownloadProgress::Bytes { done, total } => {
            progress.tell(&published.name(), done, total.unwrap_or(done));
        }
    });
    progress.finish();
    result
}

/// The checked file of published weights, downloaded into `cache` if it is not there.
pub(super) fn fetch(
    weights: &'static Pretrained,
    cache: &crate::registry::Cache,
    shell: &Shell,
) -> crate::Result<std::path::PathBuf> {
    with_progress(&Source::Published(weights), shell, |progress| cache.fetch(weights, progress))
}

/// Reads a mapping from the command line.
fn mapping(text: &str) -> Result<Mapping, String> {
    text.parse().map_err(|_| "expected a or b".to_owned())
}

/// Reads a normalisation: by its name, as published weights need it, or as six numbers.
pub(super) fn normalization(text: &str) -> Result<Normalization, String> {
    match text {
        "imagenet-9" | "imagenet9" => return Ok(Normalization::IMAGENET_9),
        "imagenet" => return Ok(Normalization::IMAGENET),
        "half" => return Ok(Normalization::HALF),
        "none" => return Ok(Normalization { mean: [0.0; 3], std: [1.0; 3] }),
        _ => {}
    }
    let numbers = text.split([',', ' ']).filter(|part| !part.is_empty()).map(str::parse::<f32>);
    if let Ok(numbers) = numbers.collect::<Result<Vec<f32>, _>>()
        && let [m0, m1, m2, s0, s1, s2] = numbers[..]
    {
        let normalization = Normalization { mean: [m0, m1, m2], std: [s0, s1, s2] };
        return match normalization.is_usable() {
            true => Ok(normalization),
            false => Err("expected deviations above 0".to_owned()),
        };
    }
    match find_pretrained(text) {
        Ok(published) => Ok(published.preprocessing.normalization),
        Err(_) => Err(
            "expected imagenet, imagenet-9, half, none, ARCH.TAG of published weights, or three means and \
                       three deviations separated by commas"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalisations_have_names_publications_and_numbers() {
        assert_eq!(normalization("imagenet-9").unwrap(), Normalization::IMAGENET_9);
        assert_eq!(normalization("tf_efficientnet_b0.ap").unwrap(), Normalization::HALF);
        let six = normalization("0.5,0.25,0.5,1,2,0.5").unwrap();
        assert_eq!(six, Normalization { mean: [0.5, 0.25, 0.5], std: [1.0, 2.0, 0.5] });
        for wrong in ["mean", "0.5,0.5,0.5", "0,0,0,1,1,0", "resnet50.v9"] {
            assert!(normalization(wrong).is_err(), "{wrong}");
        }
    }
}
