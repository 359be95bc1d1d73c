//! A training on a dataset, from its settings to its run.

use std::path::Path;

use candle_core::{DType, Device};
use in9_data::groups::Grouping;
use in9_data::{
    Augment, Dataset, LoaderConfig, Normalization, Pairing, PairingMode, PairingPolicy, Split, Taxonomy, View,
};

use crate::device::{Compute, DeviceName};
use crate::error::{Error, Result};
use crate::model::{Model, build};
use crate::open::{Identified, Source};
use crate::params::Params;
use crate::registry;
use crate::train::weighed::Pictures;
use crate::train::{
    Batches, DataSection, DatasetBatches, ModelSection, Observer, RunFile, Selection, Settings, Summary,
    Training, fine_groups,
};
use crate::weights::Head;

/// Pictures a batch of the evaluation between epochs; changes no result on the CPU.
const EVALUATED_AT_ONCE: usize = 256;

/// What a training starts from.
#[derive(Debug, Clone)]
pub enum Start {
    /// Values drawn from the seed.
    Random,
    /// Weights; the classifier is made anew for the classes of the training.
    Weights(Source),
}

/// A training on one view of a dataset. [`Plan::run`] carries it out.
///
/// ```no_run
/// use in9_data::{Dataset, View};
/// use in9_models::train::{Plan, Settings, Silent};
///
/// # fn main() -> in9_models::Result<()> {
/// let dataset = Dataset::open("out/dataset".as_ref())?;
/// let plan = Plan { settings: Settings { epochs: 5, ..Settings::small() }, ..Plan::new("resnet-tiny", View::Original) };
/// let summary = plan.run(&dataset, "out/run".as_ref(), false, &mut Silent)?;
/// println!("{}", summary.model.display());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    /// The architecture.
    pub arch: String,
    /// The view that is trained on.
    pub view: View,
    /// The split that is trained on.
    pub split: String,
    /// The split that is evaluated between epochs, if the dataset has it.
    pub eval_split: String,
    /// Share of each class that is trained on, drawn by the seed; above 0 and at most 1. Mixed views take their
    /// backgrounds from the same share, in pairs drawn anew among it.
    pub fraction: f64,
    /// Fine labels to a class of the training; `None` takes the dataset's classes.
    pub group: Option<usize>,
    /// What it starts from.
    pub start: Start,
    /// Pixels of a side of the inputs; `None` is the size of the dataset's test pictures. Random crops of training
    /// pictures are brought to it, else their centre is taken.
    pub input_size: Option<usize>,
    /// How inputs are normalised.
    pub normalization: Normalization,
    /// How it is trained.
    pub settings: Settings,
    /// What tells groups apart, for group DRO.
    pub grouping: Option<Grouping>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Where it is computed.
    pub device: Compute,
    /// The run's name, used for the model in tables; `None` is architecture and view.
    pub name: Option<String>,
    /// The dataset's name in tables; `None` is its folder's.
    pub dataset_name: Option<String>,
}

impl Plan {
    /// A training of `arch` on `view` as [`Settings::small`] has it: on the split `train`, evaluated on `val`,
    /// from random values of seed 0, on the processor.
    pub fn new(arch: &str, view: View) -> Self {
        Self {
            arch: arch.to_owned(),
            view,
            split: "train".to_owned(),
            eval_split: "val".to_owned(),
            fraction: 1.0,
            group: None,
            start: Start::Random,
            input_size: None,
            normalization: Normalization::IMAGENET_9,
            settings: Settings::small(),
            grouping: None,
            seed: 0,
            device: DeviceName::Cpu.into(),
            name: None,
            dataset_name: None,
        }
    }

    /// Trains to the end and writes the run to the folder `out`; with `resume`, goes on with the same run there.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::UnknownArchitecture`], [`Error::EvaluationOnly`] for a plan that cannot be
    /// carried out; those of reading the dataset and the weights; those of [`Training::run`].
    pub fn run(
        &self,
        dataset: &Dataset,
        out: &Path,
        resume: bool,
        observer: &mut dyn Observer,
    ) -> Result<Summary> {
        self.settings.check()?;
        if registry::find(&self.arch)?.evaluation_only {
            return Err(Error::EvaluationOnly(self.arch.clone()));
        }
        let device = self.device.open()?;
        let split = dataset.split(&self.split)?;
        let val = match dataset.splits().iter().any(|name| *name == self.eval_split) {
            true => Some(dataset.split(&self.eval_split)?).filter(|split| !split.is_empty()),
            false => None,
        };
        let groups = self.group.map(|count| fine_groups(dataset, &split, count)).transpose()?;
        let selection = self.selection(&split, groups.as_ref())?;
        let samples = selection.len();
        let taxonomy = groups.as_ref().unwrap_or(dataset.taxonomy());
        let classes: Vec<String> = taxonomy.classes.iter().map(|class| class.name.clone()).collect();
        let (model, initial_weights) = self.model(classes.len(), &device)?;

        let size = self.input_size.unwrap_or(dataset.manifest().settings.size as usize);
        let pairing = self.pairing(dataset, &split, &selection)?;
        let (training, groups_of) = self.objective(dataset, &split, &selection, &pairing, &device)?;
        let chosen = (samples < split.len() || groups.is_some()).then_some(selection);
        let train = batches(
            dataset,
            &split,
            LoaderConfig { pairing, ..self.train_config(samples, size) },
            chosen,
            &device,
        )?;
        let train = match groups_of {
            Some(groups) => train.with_groups(groups),
            None => train,
        };
        let val_batches = match &val {
            Some(val) => {
                let relabelled = groups.as_ref().map(|groups| relabelled(val, Some(groups))).transpose()?;
                Some(batches(dataset, val, self.eval_config(size), relabelled, &device)?)
            }
            None => None,
        };
        let run = RunFile {
            name: self.name.clone().unwrap_or_else(|| format!("{}-{}", self.arch, self.view)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed: self.seed,
            device: self.device.kind(&device),
            model: ModelSection {
                arch: self.arch.clone(),
                parameters: model.parameter_count(),
                classes,
                initial_weights,
            },
            data: DataSection {
                dataset: self.dataset_name.clone().unwrap_or_else(|| dataset.name()),
                digest: dataset.digest(),
                split: split.name().to_owned(),
                view: self.view.to_string(),
                samples,
                fraction: self.fraction,
                group: self.group.unwrap_or(0),
                size,
                eval_split: val.as_ref().map_or_else(String::new, |val| val.name().to_owned()),
                mean: self.normalization.mean,
                std: self.normalization.std,
            },
            training,
        };
        let val = val_batches.as_ref().map(|batches| batches as &dyn Batches);
        Training { model: &model, train: &train, val, run: &run, dir: out, resume }.run(observer)
    }

    /// The samples that are trained on, and their labels.
    fn selection(&self, split: &Split, groups: Option<&Taxonomy>) -> Result<Selection> {
        let mut selection = relabelled(split, groups)?;
        if self.fraction != 1.0 {
            if self.view.needs_background() && self.settings.fresh_pairings {
                let expected = format!("1 where {} gets new backgrounds every epoch", self.view);
                return Err(Error::setting("fraction", expected, self.fraction));
            }
            selection.keep_fraction(split, self.fraction, self.seed)?;
        }
        Ok(selection)
    }

    /// Where the backgrounds of a mixed view come from.
    fn pairing(&self, dataset: &Dataset, split: &Split, selection: &Selection) -> Result<PairingMode> {
        let settings = &dataset.manifest().settings;
        let policy = PairingPolicy::of_settings(settings);
        if self.settings.fresh_pairings {
            // An own image says nothing new, whatever the frozen pairing allows.
            return Ok(PairingMode::Fresh(PairingPolicy { own_image: false, ..policy }));
        }
        if self.fraction == 1.0 || !self.view.needs_background() {
            return Ok(PairingMode::Frozen);
        }
        let pairs = Pairing::draw_among(split, &selection.keep, self.view, settings.seed, policy)?;
        Ok(PairingMode::Given(std::sync::Arc::new(pairs.0)))
    }

    /// The settings with the groups that they weigh, and the group of each sample of `split`, if they weigh any.
    fn objective(
        &self,
        dataset: &Dataset,
        split: &Split,
        selection: &Selection,
        pairing: &PairingMode,
        device: &Device,
    ) -> Result<(Settings, Option<Vec<u32>>)> {
        let (dro, grouping) = match (&self.settings.group_dro, &self.grouping) {
            (None, None) => return Ok((self.settings.clone(), None)),
            (Some(dro), Some(grouping)) => (dro, grouping),
            (Some(_), None) => return Err(Error::setting("groups", "what tells groups apart", "nothing")),
            (None, Some(_)) => return Err(Error::setting("groups", "nothing but for group DRO", "groups")),
        };
        if !device.is_cpu() {
            let why = "group DRO is trained on a processor only".to_owned();
            return Err(Error::Device { device: self.device.kind(device), why });
        }
        let (dro, groups) =
            Pictures { dataset, split, view: self.view, selection, pairing }.grouped(dro, grouping)?;
        Ok((Settings { group_dro: Some(dro), ..self.settings.clone() }, Some(groups)))
    }

    /// The network that is trained, and BLAKE3 of the weights that it starts from.
    fn model(&self, classes: usize, device: &Device) -> Result<(Model, String)> {
        match &self.start {
            Start::Random => {
                let params = Params::random(self.seed, DType::F32, device);
                Ok((build(&self.arch, classes, &params)?, String::new()))
            }
            Start::Weights(source) => {
                let weights = Identified::read(source, Some(&self.arch), &mut |_| {})?;
                let digest = weights.file.digest.clone();
                Ok((weights.model(Head::Fresh { classes, seed: self.seed }, true, device)?, digest))
            }
        }
    }

    fn train_config(&self, samples: usize, size: usize) -> LoaderConfig {
        LoaderConfig {
            size: Some(size),
            view: self.view,
            batch_size: self.settings.batch_size.min(samples.max(1)),
            seed: self.seed,
            shuffle: true,
            // Every batch has one size, or batch norm would judge by a few stragglers.
            drop_last: true,
            augment: self.settings.augment.loader(),
            normalization: self.normalization,
            ..LoaderConfig::default()
        }
    }

    fn eval_config(&self, size: usize) -> LoaderConfig {
        LoaderConfig {
            size: Some(size),
            view: self.view,
            batch_size: EVALUATED_AT_ONCE,
            shuffle: false,
            drop_last: false,
            augment: Augment::None,
            pairing: PairingMode::Frozen,
            normalization: self.normalization,
            ..LoaderConfig::default()
        }
    }
}

/// Every sample of a split under its class or group.
fn relabelled(split: &Split, groups: Option<&Taxonomy>) -> Result<Selection> {
    let mut selection = Selection::all(split);
    if let Some(groups) = groups {
        selection.label_by(split, groups)?;
    }
    Ok(selection)
}

fn batches(
    dataset: &Dataset,
    split: &Split,
    config: LoaderConfig,
    selection: Option<Selection>,
    device: &Device,
) -> Result<DatasetBatches> {
    match selection {
        None => DatasetBatches::new(dataset, split, config, device, DType::F32),
        Some(chosen) => DatasetBatches::selected(dataset, split, config, chosen, device, DType::F32),
    }
}
