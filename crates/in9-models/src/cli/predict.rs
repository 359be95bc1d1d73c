//! `in9-models predict`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use in9_data::{Dataset, View};
use in9_models::mapping::ClassMap;
use in9_models::predict::Predictor;
use in9_models::trained::Trained;

use super::progress::Progress;

/// Predict every picture of a dataset's views with a trained network
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  in9-models predict --weights out/run --data out/dataset --views all --out predictions.csv
  in9-models predict --weights out/run --data out/dataset --split test,val --views original,mixed-rand --out p.csv")]
pub(crate) struct Args {
    /// A run's folder, or a model.safetensors that `train` wrote
    #[arg(long, value_name = "RUN|FILE")]
    weights: PathBuf,
    /// Architecture, for weights that do not name theirs
    #[arg(long)]
    arch: Option<String>,
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

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let views = views(&args.views)?;
    let device = args.machine.device()?.open()?;
    let dataset = Dataset::open(&args.data)?;
    let trained = Trained::load(&args.weights, args.arch.as_deref(), &device)?;
    trained.check_classes(&dataset)?;
    let splits = args.split.iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>, _>>()?;
    let classes = ClassMap::identity(trained.classes.len());
    let predictor = Predictor {
        model: &trained.model,
        name: args.name.unwrap_or_else(|| trained.name.clone()),
        trained_on: trained.trained_on.clone(),
        normalization: trained.normalization,
        classes: &classes,
        batch_size: usize::from(args.batch_size),
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
