//! `in9-models train`.

use std::path::PathBuf;

use anyhow::Context as _;
use in9_base::shell::Shell;
use in9_data::groups::Grouping;
use in9_data::{Dataset, View};

use super::network::with_progress;
use super::train_progress::TrainProgress;
use super::train_settings::{Preset, SettingFlags};
use crate::open::Source;
use crate::train::{Plan, Start};

/// Train a network on one view of a dataset
#[derive(clap::Args)]
#[command(args_override_self = true)]
#[command(after_help = "\
Examples:
  in9-models train --arch resnet-small --data out/dataset --view original --out out/run
  in9-models train --arch resnet50 --data out/in9 --view mixed-rand --preset paper --out out/run --resume
  in9-models train --arch resnet-small --data out/dataset --view original --attack l2 --epsilon 0.5 --out out/run
  in9-models train --arch resnet18 --data birds --view original --objective group-dro --groups waterbirds/metadata.csv \
--out out/run")]
pub struct Args {
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
    /// Train on this share of each class, drawn by the seed; mixed views take their backgrounds from it too
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
    /// Weights to start from: a run's folder, a file or the name of published ones; the classifier is made anew
    #[arg(long, value_name = "RUN|FILE|TAG")]
    weights: Option<String>,
    /// Settings to start from; the flags below change single ones
    #[arg(long, value_enum, default_value = "small")]
    preset: Preset,
    #[command(flatten)]
    settings: SettingFlags,
    /// What group DRO tells groups by, a group being a class on one kind of background: metadata with the group of each
    /// photograph, as `in9-analysis score --groups` takes them; or `backgrounds`, the class of the background of a mixed view
    #[arg(long, value_name = "METADATA.csv|backgrounds")]
    groups: Option<PathBuf>,
    /// Side of the network's input, in pixels: what random crops of the stored pictures are brought to [default: the side of
    /// the dataset's test pictures]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    input_size: Option<u16>,
    /// A rehearsal: this share of the epochs, of those between drops of the learning rate and of the warm-up
    #[arg(long, value_name = "SHARE")]
    scale: Option<f64>,
    /// Seed of every random choice
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    device: super::DeviceArgs,
}

impl Args {
    /// The training that the flags describe; published weights that it starts from are fetched.
    fn plan(&self, shell: &Shell) -> anyhow::Result<Plan> {
        let start = match &self.weights {
            None => Start::Random,
            Some(weights) => {
                let source = Source::find(weights, Some(&self.arch))?;
                with_progress(&source, shell, |progress| source.path(progress))?;
                Start::Weights(source)
            }
        };
        let settings = self.settings.apply(self.preset)?;
        let grouping = self.groups.as_deref().map(Grouping::read).transpose()?;
        Ok(Plan {
            split: self.split.clone(),
            eval_split: self.eval_split.clone(),
            fraction: self.fraction,
            group: self.group,
            start,
            input_size: self.input_size.map(usize::from),
            settings: self.scale.map_or(Ok(settings.clone()), |scale| settings.scaled(scale))?,
            grouping,
            seed: self.seed,
            device: self.device.compute(shell),
            name: self.name.clone(),
            dataset_name: self.dataset_name.clone(),
            ..Plan::new(&self.arch, self.view)
        })
    }
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let plan = args.plan(shell)?;
    let dataset = Dataset::open(&args.data)?;
    let mut progress = TrainProgress::new(plan.settings.epochs, shell);
    let result = plan.run(&dataset, &args.out, args.resume, &mut progress);
    progress.finish();
    let summary = result.with_context(|| format!("{}: training stopped", args.out.display()))?;
    shell.print(summary.model.display())
}
