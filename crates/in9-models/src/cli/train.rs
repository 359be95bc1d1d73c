//! `in9-models train`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use candle_core::DType;
use clap::ValueEnum;
use in9_data::{Augment, Dataset, LoaderConfig, Normalization, PairingMode, PairingPolicy, Split, View};
use in9_models::train::{
    Anneal, Attack, AugmentSetting, DataSection, DatasetBatches, Decay, ModelSection, Norm, RunFile,
    Selection, Settings, Training, fine_groups,
};
use in9_models::weights::{self, Head};
use in9_models::{DeviceName, Params, build};

use super::progress::TrainProgress;

/// Train a network on one view of a dataset
#[derive(clap::Args)]
#[command(args_override_self = true)]
#[command(after_help = "\
Examples:
  in9-models train --arch resnet-small --data out/dataset --view original --out out/run
  in9-models train --arch resnet50 --data out/in9 --view mixed-rand --preset paper --out out/run --resume
  in9-models train --arch resnet-small --data out/dataset --view original --attack l2 --epsilon 0.5 --out out/run")]
pub(crate) struct Args {
    /// Architecture; `in9-models list` shows all
    #[arg(long)]
    arch: String,
    /// Dataset folder that `in9-data build` wrote
    #[arg(long, value_name = "DATASET")]
    data: PathBuf,
    /// View to train on
    #[arg(long)]
    view: View,
    /// Folder for the run
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Name of the model in prediction tables [default: ARCH-VIEW]
    #[arg(long)]
    name: Option<String>,
    /// Name of the dataset in prediction tables [default: the folder's name]
    #[arg(long)]
    dataset_name: Option<String>,
    /// Split to train on
    #[arg(long, default_value = "train")]
    split: String,
    /// Train on this share of each class, drawn by the seed (not for mixed views)
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    fraction: f64,
    /// Tell groups of this many fine labels apart instead of classes; predictions count a group as its class
    #[arg(long, value_name = "N")]
    group: Option<usize>,
    /// Split to evaluate between epochs, if the dataset has it
    #[arg(long, default_value = "val")]
    eval_split: String,
    /// Go on with the run in --out if there is one
    #[arg(long)]
    resume: bool,
    /// Weights to start from: a file or the tag of published ones; the classifier is made anew
    #[arg(long, value_name = "FILE|TAG")]
    weights: Option<String>,
    /// Settings to start from; the flags below change single ones
    #[arg(long, value_enum, default_value = "small")]
    preset: Preset,
    #[command(flatten)]
    settings: SettingFlags,
    /// Seed of every random choice
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    machine: super::Machine,
}

#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// The paper's recipe: 200 epochs, batches of 256, random resized crops
    Paper,
    /// 15 epochs of one cycle for small photographs on a processor
    Small,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    OneCycle,
    Cosine,
    Step,
}

#[derive(Clone, Copy, ValueEnum)]
enum AugmentName {
    None,
    ShiftFlip,
    RandomResizedCrop,
}

#[derive(Clone, Copy, ValueEnum)]
enum DecayName {
    All,
    Weights,
}

#[derive(Clone, Copy, ValueEnum)]
enum NormName {
    L2,
    Linf,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Settings")]
struct SettingFlags {
    /// Passes over the split
    #[arg(long)]
    epochs: Option<u32>,
    /// Pictures a batch
    #[arg(long)]
    batch_size: Option<usize>,
    /// Batches whose gradients are averaged into one step
    #[arg(long, value_name = "BATCHES")]
    accumulate: Option<usize>,
    /// Largest learning rate
    #[arg(long)]
    lr: Option<f64>,
    /// How the learning rate moves
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Epochs between drops of the step schedule
    #[arg(long, value_name = "EPOCHS")]
    step_epochs: Option<u32>,
    /// What the step schedule multiplies the rate with
    #[arg(long, value_name = "FACTOR")]
    step_factor: Option<f64>,
    /// Epochs of linear warm-up
    #[arg(long, value_name = "EPOCHS")]
    warmup: Option<f64>,
    /// Momentum of SGD
    #[arg(long)]
    momentum: Option<f64>,
    /// Let the momentum look ahead
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    nesterov: Option<bool>,
    /// Weight decay
    #[arg(long)]
    weight_decay: Option<f64>,
    /// What weight decay pulls on
    #[arg(long, value_enum)]
    decay: Option<DecayName>,
    /// Share of the target that is spread over all classes
    #[arg(long, value_name = "SHARE")]
    label_smoothing: Option<f64>,
    /// What happens to training pictures
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Largest shift of shift-flip in pixels
    #[arg(long, value_name = "PIXELS")]
    shift: Option<u16>,
    /// Adversarial training: move each picture to where the loss is largest, no further than --epsilon
    #[arg(long, value_enum, value_name = "NORM", requires = "epsilon")]
    attack: Option<NormName>,
    /// How far, for pixel values from 0 to 1
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    epsilon: Option<f64>,
    /// Steps of the attack, each a pass there and back [default: 7]
    #[arg(long, value_name = "STEPS", requires = "attack")]
    attack_steps: Option<u32>,
    /// Length of a step [default: 2.5 · epsilon / steps]
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    attack_step_size: Option<f64>,
    /// Draw new backgrounds for mixed views every epoch
    #[arg(long)]
    fresh_pairings: bool,
    /// Epochs between evaluations; 0 evaluates after the last one only
    #[arg(long, value_name = "EPOCHS")]
    eval_every: Option<u32>,
    /// Batches between checkpoints within an epoch; 0 writes one after each epoch only
    #[arg(long, value_name = "BATCHES")]
    checkpoint_every: Option<u64>,
}

impl SettingFlags {
    /// The preset with every flag applied.
    fn apply(&self, preset: Preset) -> anyhow::Result<Settings> {
        let mut s = match preset {
            Preset::Paper => Settings::paper(),
            Preset::Small => Settings::small(),
        };
        macro_rules! take {
            ($($field:ident),*) => { $(if let Some(value) = self.$field { s.$field = value; })* };
        }
        take!(epochs, batch_size, accumulate, lr, warmup, momentum, nesterov, weight_decay);
        take!(label_smoothing, eval_every, checkpoint_every);
        s.fresh_pairings |= self.fresh_pairings;
        match self.decay {
            Some(DecayName::All) => s.decay = Decay::All,
            Some(DecayName::Weights) => s.decay = Decay::Weights,
            None => {}
        }
        match self.schedule {
            Some(ScheduleName::OneCycle) => s.schedule = Anneal::OneCycle,
            Some(ScheduleName::Cosine) => s.schedule = Anneal::Cosine,
            Some(ScheduleName::Step) => s.schedule = Settings::paper().schedule,
            None => {}
        }
        match &mut s.schedule {
            Anneal::Step { epochs, factor } => {
                *epochs = self.step_epochs.unwrap_or(*epochs);
                *factor = self.step_factor.unwrap_or(*factor);
            }
            _ if self.step_epochs.is_some() || self.step_factor.is_some() => {
                bail!("--step-epochs, --step-factor: need --schedule step");
            }
            _ => {}
        }
        match self.augment {
            Some(AugmentName::None) => s.augment = AugmentSetting::None,
            Some(AugmentName::ShiftFlip) => s.augment = Settings::small().augment,
            Some(AugmentName::RandomResizedCrop) => s.augment = AugmentSetting::RandomResizedCrop,
            None => {}
        }
        match (&mut s.augment, self.shift) {
            (AugmentSetting::ShiftFlip { pixels }, Some(shift)) => *pixels = shift,
            (_, Some(_)) => bail!("--shift: needs --augment shift-flip"),
            (_, None) => {}
        }
        if let (Some(norm), Some(epsilon)) = (self.attack, self.epsilon) {
            let norm = match norm {
                NormName::L2 => Norm::L2,
                NormName::Linf => Norm::Linf,
            };
            let attack = Attack::new(norm, epsilon, self.attack_steps.unwrap_or(7));
            let step_size = self.attack_step_size.unwrap_or(attack.step_size);
            s.attack = Some(Attack { step_size, ..attack });
        }
        s.check()?;
        Ok(s)
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = args.settings.apply(args.preset)?;
    let device_name: DeviceName = args.machine.device()?;
    let device = device_name.open()?;
    let dataset = Dataset::open(&args.data)?;
    let split = dataset.split(&args.split)?;
    let val = match dataset.splits().iter().any(|name| *name == args.eval_split) {
        true => Some(dataset.split(&args.eval_split)?).filter(|split| !split.is_empty()),
        false => None,
    };
    let groups = args.group.map(|count| fine_groups(&dataset, &split, count)).transpose()?;
    let taxonomy = groups.as_ref().unwrap_or(dataset.taxonomy());
    let classes: Vec<String> = taxonomy.classes.iter().map(|class| class.name.clone()).collect();
    let select = |split: &Split| -> anyhow::Result<Selection> {
        let mut selection = Selection::all(split);
        if let Some(groups) = &groups {
            selection.label_by(split, groups)?;
        }
        Ok(selection)
    };
    let mut selection = select(&split)?;
    if args.fraction != 1.0 {
        if args.view.needs_background() {
            bail!(
                "--fraction: cannot be used with {} (its backgrounds come from the whole split)",
                args.view
            );
        }
        selection.keep_fraction(&split, args.fraction, args.seed)?;
    }
    let (model, initial_weights) = match &args.weights {
        Some(weights) => {
            let path = super::weights::resolve(&args.arch, weights)?;
            let head = Head::Fresh { classes: classes.len(), seed: args.seed };
            let (model, _) = weights::load(&args.arch, &path, head, true, &device)?;
            let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
            (model, blake3::hash(&bytes).to_hex().to_string())
        }
        None => {
            let params = Params::random(args.seed, DType::F32, &device);
            (build(&args.arch, classes.len(), &params)?, String::new())
        }
    };
    if model.architecture().evaluation_only {
        bail!("--arch {}: can only be evaluated here; `in9-models list` shows others", args.arch);
    }

    let normalization = Normalization::IMAGENET_9;
    let pairing = match settings.fresh_pairings {
        true => PairingMode::Fresh(PairingPolicy::default()),
        false => PairingMode::Frozen,
    };
    let config = LoaderConfig {
        view: args.view,
        batch_size: settings.batch_size.min(selection.len().max(1)),
        seed: args.seed,
        shuffle: true,
        // Every batch has one size, or batch norm would judge by a few stragglers.
        drop_last: true,
        augment: settings.augment.loader(),
        pairing,
        normalization,
        ..LoaderConfig::default()
    };
    let whole = selection.len() == split.len() && groups.is_none();
    let (samples, open) = (selection.len(), |split, config, selection: Option<Selection>| match selection {
        None => DatasetBatches::new(&dataset, split, config, &device, DType::F32),
        Some(chosen) => DatasetBatches::selected(&dataset, split, config, chosen, &device, DType::F32),
    });
    let train = open(&split, config, (!whole).then_some(selection))?;
    let val_batches = match &val {
        Some(val) => {
            let config = LoaderConfig {
                view: args.view,
                batch_size: 256,
                shuffle: false,
                drop_last: false,
                augment: Augment::None,
                pairing: PairingMode::Frozen,
                normalization,
                ..LoaderConfig::default()
            };
            let relabelled = groups.is_some().then(|| select(val)).transpose()?;
            Some(open(val, config, relabelled)?)
        }
        None => None,
    };
    let run = RunFile {
        name: args.name.unwrap_or_else(|| format!("{}-{}", args.arch, args.view)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: args.seed,
        device: device_name.kind().to_owned(),
        model: ModelSection {
            arch: args.arch,
            parameters: model.parameter_count(),
            classes,
            initial_weights,
        },
        data: DataSection {
            dataset: args.dataset_name.unwrap_or_else(|| super::folder_name(&args.data)),
            digest: dataset.digest(),
            split: split.name().to_owned(),
            view: args.view.to_string(),
            samples,
            fraction: args.fraction,
            group: args.group.unwrap_or(0),
            size: split.size(),
            eval_split: val.as_ref().map_or_else(String::new, |val| val.name().to_owned()),
            mean: normalization.mean,
            std: normalization.std,
        },
        training: settings,
    };
    let mut progress = TrainProgress::new(run.training.epochs, args.machine.quiet);
    let training = Training {
        model: &model,
        train: &train,
        val: val_batches.as_ref().map(|batches| batches as &dyn in9_models::train::Batches),
        run: &run,
        dir: &args.out,
        resume: args.resume,
    };
    let result = training.run(&mut progress);
    progress.finish();
    let summary = result.with_context(|| format!("{}: training stopped", args.out.display()))?;
    super::print_line(&summary.model.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
