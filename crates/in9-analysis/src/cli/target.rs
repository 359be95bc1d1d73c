//! The network and the photographs that a probe is about.

use crate::probes::written::Source;
use crate::probes::{Resized, Scenes};
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::{self, OutputFolder, Owner};
use in9_base::shell::Shell;
use in9_data::{Dataset, Pairing, SoundSplit, Split, View, rng};
use in9_models::cli::DeviceArgs;
use in9_models::cli::network::NetworkArgs;
use in9_models::{Ask, Asked, NetworkRecord};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Arguments shared by the probes of classifiers.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    pub(crate) on: On,
}

/// What a probe is run on and where its results go.
#[derive(Debug, Clone, Args)]
pub(crate) struct On {
    /// Data set.
    #[arg(long, value_name = "DATASET")]
    data: PathBuf,
    /// Side to resize pictures to before the network sees them, in pixels, as `predict --size` does [default: leave them
    /// as they are]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: Option<u16>,
    /// Split whose photographs are used.
    #[arg(long)]
    split: Option<String>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
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

/// The photographs of a split, as a network sees them.
pub(crate) struct Seen {
    pub(crate) dataset: Dataset,
    pub(crate) split: SoundSplit,
    pub(crate) scenes: Box<dyn Scenes>,
    /// What an identity says of their size, if it is not the stored one.
    at: String,
}

/// An opened target.
pub(crate) struct Opened {
    pub(crate) network: Asked,
    pub(crate) split: SoundSplit,
    /// The split's photographs as the network sees them.
    pub(crate) seen: Box<dyn Scenes>,
    pub(crate) classes: Vec<String>,
    pub(crate) source: Source,
    /// Everything that decides the answers: network, normalisation, mapping, photographs.
    pub(crate) identity: String,
    /// The beginning of settings.toml.
    settings: String,
}

/// What a probe's results depend on beside its own settings, as settings.toml has it behind the network's record.
#[derive(Serialize)]
struct Photographs<'a> {
    dataset: &'a str,
    /// The data set's digest.
    data: &'a str,
    split: &'a str,
    device: &'a str,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u16>,
}

impl Target {
    /// Opens network and photographs.
    pub(crate) fn open(&self, shell: &Shell) -> Result<Opened> {
        let Seen { dataset, split, scenes, at } = self.on.open()?;
        let taxonomy = dataset.taxonomy();
        let (device, kind) = self.on.device.open(shell)?;
        let network = self.network.open(taxonomy, device, shell)?;
        let (record, digest) = (network.record(), dataset.digest());
        let source = self.on.source(&record, &dataset, &split);
        Ok(Opened {
            seen: scenes,
            classes: taxonomy.classes.iter().map(|class| class.name.clone()).collect(),
            identity: format!("{} {digest} {}{at}", record.identity(), split.name()),
            settings: self.on.settings(&record, &source, &digest, &kind)?,
            network,
            split,
            source,
        })
    }

    /// Begins the folder of results, before any work is done; what killed runs left beside it goes.
    pub(crate) fn begin<'o>(&self, owner: &'o Owner, inputs: &[PathBuf]) -> Result<OutputFolder<'o>> {
        self.on.begin(owner, inputs, self.network.path())
    }
}

impl On {
    /// Opens the photographs.
    pub(crate) fn open(&self) -> Result<Seen> {
        let dataset = Dataset::open(&self.data)?;
        let split = dataset.split_or_usual(self.split.as_deref())?.check_layers()?;
        if !split.has_layers() {
            bail!(
                "{}: holds photographs only (expected masks and backgrounds, found none); build it without --photos-only",
                self.data.display()
            );
        }
        let size = self.size.map(usize::from).filter(|size| *size != split.size());
        let scenes: Box<dyn Scenes> = match size {
            None => Box::new(split.clone()),
            Some(size) => Box::new(Resized::new(split.clone(), size)),
        };
        let at = size.map_or_else(String::new, |size| format!(" at {size}"));
        Ok(Seen { dataset, split, scenes, at })
    }

    /// What outputs say that they are about.
    pub(crate) fn source(&self, record: &NetworkRecord, dataset: &Dataset, split: &SoundSplit) -> Source {
        Source {
            model: record.model.clone(),
            trained_on: record.trained_on.clone(),
            dataset: dataset.name(),
            split: split.name().to_owned(),
            training: record.training.clone(),
        }
    }

    /// The frozen pairings of two views.
    pub(crate) fn frozen(&self, split: &Split, views: [View; 2]) -> Result<[Pairing; 2]> {
        let dataset = Dataset::open(&self.data)?;
        let [first, second] = views.map(|view| Pairing::frozen(&dataset, split, view));
        Ok([first?, second?])
    }

    /// The data set.
    pub(crate) fn data(&self) -> &PathBuf {
        &self.data
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

    /// Begins the folder of results of a network in this file or folder.
    pub(crate) fn begin<'o>(
        &self,
        owner: &'o Owner,
        inputs: &[PathBuf],
        network: Option<&Path>,
    ) -> Result<OutputFolder<'o>> {
        let mut inputs: Vec<&Path> =
            inputs.iter().map(PathBuf::as_path).chain([self.data.as_path()]).collect();
        inputs.extend(network);
        let output = OutputFolder::begin(&self.out, owner, &inputs)?;
        files::remove_leftovers(files::parent(&self.out))?;
        Ok(output)
    }

    /// The beginning of settings.toml: the network's record, the photographs.
    pub(crate) fn settings(
        &self,
        record: &NetworkRecord,
        source: &Source,
        digest: &str,
        device: &str,
    ) -> Result<String> {
        let photographs = Photographs {
            dataset: &source.dataset,
            data: digest,
            split: &source.split,
            device,
            seed: self.seed,
            limit: self.limit,
            size: self.size,
        };
        Ok(toml::to_string(record)? + &toml::to_string(&photographs)?)
    }
}

impl Opened {
    /// The text of settings.toml: the network's record, the photographs, and `more` of the probe's own.
    pub(crate) fn settings(&self, more: &str) -> String {
        format!("{}{more}", self.settings)
    }
}
