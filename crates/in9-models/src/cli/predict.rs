//! `in9-models predict`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use candle_core::Device;
use clap::ValueEnum;
use in9_data::{Dataset, Normalization, View};
use in9_models::mapping::{ClassMap, Mapping};
use in9_models::predict::Predictor;
use in9_models::registry::pretrained_of;
use in9_models::trained::Trained;
use in9_models::weights::{self, Head};

use super::progress::Progress;

/// Predict every picture of a dataset's views with a trained network
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  in9-models predict --weights out/run --data out/dataset --views all --out predictions.csv
  in9-models predict --weights out/run --data out/dataset --split test,val --views original,mixed-rand --out p.csv
  in9-models predict --arch resnet50 --weights imagenet1k-v1 --mapping a --data out/in9 --out p.csv")]
pub(crate) struct Args {
    /// A run's folder, a weight file, or the tag of published weights (the last two with --arch)
    #[arg(long, value_name = "RUN|FILE|TAG")]
    weights: String,
    /// Architecture, for weights that do not name theirs
    #[arg(long)]
    arch: Option<String>,
    /// How a thousand ImageNet classes, or groups of fine labels, become the dataset's: `a` looks up the
    /// winner of all (the official rule), `b` sums probabilities by class
    #[arg(long, default_value = "a")]
    mapping: Mapping,
    /// What inputs are normalised with [default: what the weights were trained with]
    #[arg(long, value_enum)]
    normalization: Option<NormalizationName>,
    /// Side to resize pictures to before the network sees them, in pixels [default: leave them as they are]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: Option<u16>,
    /// Dataset folder that `in9-data build` wrote
    #[arg(long, value_name = "DATASET")]
    data: PathBuf,
    /// Splits to predict, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "test")]
    split: Vec<String>,
    /// Views to predict, separated by commas; `all` is the paper's eight
    #[arg(long, value_delimiter = ',', default_value = "all")]
    views: Vec<String>,
    /// The table to write
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
    /// Name of the model in the table [default: the run's]
    #[arg(long)]
    name: Option<String>,
    /// Name of the dataset in the table [default: the folder's name]
    #[arg(long)]
    dataset_name: Option<String>,
    /// Pictures a batch
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
    #[command(flatten)]
    machine: super::Machine,
}

#[derive(Clone, Copy, ValueEnum)]
enum NormalizationName {
    /// The paper's constants for nine-class networks
    Imagenet9,
    /// The usual ImageNet constants
    Imagenet,
    /// To -1..=1
    Half,
}

impl From<NormalizationName> for Normalization {
    fn from(name: NormalizationName) -> Self {
        match name {
            NormalizationName::Imagenet9 => Normalization::IMAGENET_9,
            NormalizationName::Imagenet => Normalization::IMAGENET,
            NormalizationName::Half => Normalization::HALF,
        }
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let views = views(&args.views)?;
    let device = args.machine.device()?.open()?;
    let dataset = Dataset::open(&args.data)?;
    let mut trained = load(&args, &device)?;
    let classes = match trained.classes.is_empty() {
        // Weights from elsewhere: as many outputs as classes are taken to be the classes.
        true if trained.model.classes() == dataset.taxonomy().classes.len() => {
            ClassMap::identity(trained.model.classes())
        }
        true => {
            trained.trained_on = "imagenet".to_owned();
            ClassMap::imagenet(dataset.taxonomy(), args.mapping, trained.model.classes())?
        }
        false => trained.class_map(&dataset, args.mapping)?,
    };
    let splits = args.split.iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>, _>>()?;
    let predictor = Predictor {
        model: &trained.model,
        name: args.name.unwrap_or_else(|| trained.name.clone()),
        trained_on: trained.trained_on.clone(),
        normalization: args.normalization.map_or(trained.normalization, Into::into),
        classes: &classes,
        batch_size: usize::from(args.batch_size),
        size: args.size.map(usize::from),
    };
    let dataset_name = args.dataset_name.unwrap_or_else(|| super::folder_name(&args.data));
    let pictures: usize = splits.iter().map(|split| split.len()).sum();
    let mut progress = Progress::new((pictures * views.len()) as u64, "predicting", args.machine.quiet);
    let mut table = Predictor::table(&dataset);
    for split in &splits {
        for view in &views {
            progress.say(&format!("predicting {} {view}", split.name()));
            let mut count = |pictures: usize| progress.add(pictures as u64);
            let rows = predictor.predict(&dataset, &dataset_name, split, *view, &mut count)?;
            let right = rows.iter().filter(|row| row.correct()).count();
            let share = 100.0 * right as f64 / rows.len().max(1) as f64;
            progress.note(&format!("{} {view}: {share:.1} % of {} right", split.name(), rows.len()));
            table.rows.extend(rows);
        }
    }
    progress.finish();
    table.write_atomic(&args.out)?;
    super::print_line(&args.out.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// A run's model, or somebody else's weights for `--arch`.
fn load(args: &Args, device: &Device) -> anyhow::Result<Trained> {
    let path = Path::new(&args.weights);
    let Some(arch) = args.arch.as_deref() else {
        return Ok(Trained::load(path, None, device)?);
    };
    let path = super::weights::resolve(arch, &args.weights)?;
    if path.is_dir() || Trained::is_ours(&path) {
        return Ok(Trained::load(&path, Some(arch), device)?);
    }
    let (model, notes) = weights::load(arch, &path, Head::FromFile, false, device)?;
    for note in notes {
        eprintln!("{}: {note}", path.display());
    }
    let published = pretrained_of(arch).find(|p| path.ends_with(p.file)).or(pretrained_of(arch).next());
    let normalization = published.map_or(Normalization::IMAGENET, |published| {
        let own = published.preprocessing.normalization;
        Normalization { mean: own.mean, std: own.std }
    });
    let name = format!("{arch}-{}", path.file_stem().unwrap_or_default().to_string_lossy());
    let trained_on = String::new();
    Ok(Trained { model, name, trained_on, classes: Vec::new(), normalization })
}

/// The views of a list, each once, in the order given.
fn views(names: &[String]) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for name in names {
        let more = match name.as_str() {
            "all" => View::PAPER.to_vec(),
            name => vec![name.parse()?],
        };
        for view in more {
            if !views.contains(&view) {
                views.push(view);
            }
        }
    }
    if views.is_empty() {
        bail!("--views: no view given (expected all, or names separated by commas)");
    }
    Ok(views)
}
