//! The network and the photographs that a probe is about.

use super::out::Log;
use anyhow::{Context, Result, bail};
use clap::Args;
use in9_analysis::probes::network::Network;
use in9_analysis::probes::written::Source;
use in9_data::{Dataset, Normalization, SoundSplit, Split, rng};
use in9_models::DeviceName;
use in9_models::mapping::{ClassMap, Mapping};
use in9_models::train::RunFile;
use in9_models::weights::{Head, load};
use std::path::PathBuf;

/// Arguments shared by the probes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// Folder of a training run, or a weight file together with --arch.
    #[arg(long, value_name = "RUN|FILE")]
    weights: PathBuf,
    /// Architecture of a weight file.
    #[arg(long, value_name = "NAME")]
    arch: Option<String>,
    /// How a weight file's network wants its pixels: imagenet, imagenet-9 or half.
    #[arg(long, default_value = "imagenet")]
    normalization: String,
    /// From 1000 outputs, or from groups of fine labels, to classes: a (arg-max, then look up) or b (sum
    /// probabilities).
    #[arg(long, default_value = "a")]
    mapping: Mapping,
    /// Name in the results; the run's own if absent.
    #[arg(long)]
    name: Option<String>,
    /// Data set.
    #[arg(long, value_name = "DATASET")]
    data: PathBuf,
    /// Split whose photographs are used.
    #[arg(long, default_value = "test")]
    split: String,
    /// cpu or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: DeviceName,
    /// Pictures a forward pass; changes speed and memory only.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65536))]
    batch_size: u32,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Uses only this many photographs, drawn by the seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Folder to write.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// An opened target.
pub(crate) struct Opened {
    pub(crate) network: Network,
    pub(crate) split: SoundSplit,
    pub(crate) classes: Vec<String>,
    pub(crate) source: Source,
    /// BLAKE3 of the weights and the data set's digest, in words.
    pub(crate) identity: String,
}

/// What --weights names.
struct Weights {
    arch: String,
    file: PathBuf,
    normalization: Normalization,
    name: String,
    trained_on: String,
    /// Names of the outputs; empty if the file does not say.
    classes: Vec<String>,
}

impl Target {
    /// Opens network and photographs.
    pub(crate) fn open(&self, log: Log) -> Result<Opened> {
        let dataset = Dataset::open(&self.data)?;
        let split = dataset.split(&self.split)?.check_layers()?;
        if !split.has_layers() {
            bail!(
                "{}: holds photographs only (expected masks and backgrounds, found none); build it without --photos-only",
                self.data.display()
            );
        }
        let device = self.device.open()?;
        let taxonomy = dataset.taxonomy();
        let classes: Vec<String> = taxonomy.classes.iter().map(|c| c.name.clone()).collect();
        let weights = self.weights()?;
        let (model, notes) = load(&weights.arch, &weights.file, Head::FromFile, false, &device)?;
        for note in notes {
            log.say(&note);
        }
        let map = if weights.classes == classes
            || (weights.classes.is_empty() && model.classes() == classes.len())
        {
            ClassMap::identity(classes.len())
        } else if weights.classes.is_empty() {
            ClassMap::imagenet(taxonomy, self.mapping, model.classes())?
        } else {
            ClassMap::groups(&weights.classes, taxonomy, self.mapping)?
        };
        let bytes = std::fs::read(&weights.file).with_context(|| weights.file.display().to_string())?;
        let identity = format!("{} {}", blake3::hash(&bytes).to_hex(), dataset.digest());
        let Normalization { mean, std } = weights.normalization;
        let network = Network::new(model, map, classes.len(), mean, std);
        let folder = self.data.file_name().map(|n| n.to_string_lossy().into_owned());
        let source = Source {
            model: self.name.clone().unwrap_or(weights.name),
            trained_on: weights.trained_on,
            dataset: folder.unwrap_or_default(),
            split: self.split.clone(),
        };
        Ok(Opened { network, split, classes, source, identity })
    }

    fn weights(&self) -> Result<Weights> {
        if self.weights.is_dir() {
            let run = RunFile::read(&self.weights.join("run.toml"))?;
            return Ok(Weights {
                trained_on: run.trained_on(),
                arch: run.model.arch,
                file: self.weights.join("model.safetensors"),
                normalization: Normalization { mean: run.data.mean, std: run.data.std },
                name: run.name,
                classes: run.model.classes,
            });
        }
        let Some(arch) = &self.arch else {
            bail!("{}: a weight file needs its architecture; give --arch", self.weights.display());
        };
        let normalization = match self.normalization.as_str() {
            "imagenet" => Normalization::IMAGENET,
            "imagenet-9" => Normalization::IMAGENET_9,
            "half" => Normalization::HALF,
            other => bail!("--normalization: expected imagenet, imagenet-9 or half, found {other}"),
        };
        Ok(Weights {
            arch: arch.clone(),
            file: self.weights.clone(),
            normalization,
            name: arch.clone(),
            trained_on: "imagenet".into(),
            classes: Vec::new(),
        })
    }

    /// Pictures a forward pass.
    pub(crate) fn batch(&self) -> usize {
        self.batch_size as usize
    }

    /// Photographs to use, ascending: all of the split, or as many as --limit says.
    pub(crate) fn chosen(&self, split: &Split, purpose: &str) -> Vec<u32> {
        let mut all: Vec<u32> = (0..split.len() as u32).collect();
        if let Some(limit) = self.limit {
            rng::shuffle(&mut rng::stream(self.seed, purpose, 0, 0), &mut all);
            all.truncate(limit as usize);
            all.sort_unstable();
        }
        all
    }

    /// The settings for settings.toml.
    pub(crate) fn settings(&self, opened: &Opened) -> String {
        let limit = self.limit.map_or(String::new(), |n| format!("limit = {n}\n"));
        format!(
            "model = {:?}\ntrained_on = {:?}\ndataset = {:?}\nsplit = {:?}\nidentity = {:?}\ndevice = {:?}\nseed = {}\n{limit}",
            opened.source.model,
            opened.source.trained_on,
            opened.source.dataset,
            opened.source.split,
            opened.identity,
            self.device.kind(),
            self.seed
        )
    }
}
