//! `in9-models predict`: a network over views of a dataset, as a prediction table.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;
use in9_base::shell::Shell;
use in9_data::predictions::Row;
use in9_data::{Dataset, View};

use super::network::NetworkArgs;
use crate::classifier::Classifier;
use crate::predict::Predictor;

/// Predict every picture of a dataset's views with a trained network
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  in9-models predict --weights out/run --data out/dataset --views all --out predictions.csv
  in9-models predict --weights out/run --data out/dataset --split test,val --views original,mixed-rand --out p.csv
  in9-models predict --weights resnet50.gluon --mapping a --data out/in9 --out p.csv
  in9-models predict --scorer 'python scorer.py' --data out/in9 --out p.csv")]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Side to resize pictures to before the network sees them, in pixels [default: leave them as they are]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: Option<u16>,
    /// Dataset folder that `in9-data build` wrote
    #[arg(long, value_name = "DATASET")]
    data: PathBuf,
    /// Splits to predict, separated by commas [default: test, else the only one]
    #[arg(long, value_delimiter = ',')]
    split: Vec<String>,
    /// Views to predict, separated by commas; `all` are nine, `paper` the paper's eight
    #[arg(long, value_delimiter = ',', default_value = "all")]
    views: Vec<String>,
    /// Pairings that the mixed views are tested with: the dataset's frozen one, and further ones that its seed gives;
    /// a pair of photographs that comes again is written once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairings: u32,
    /// The table to write
    #[arg(long, value_name = "CSV")]
    out: PathBuf,
    /// Name of the dataset in the table [default: the folder's name]
    #[arg(long)]
    dataset_name: Option<String>,
    /// Pictures a batch
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
    #[command(flatten)]
    device: super::DeviceArgs,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let views = views(&args.views)?;
    let device = args.device.compute().open()?;
    let dataset = Dataset::open(&args.data)?;
    let splits = match args.split.as_slice() {
        [] => vec![dataset.split_or_usual(None)?],
        names => names.iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>, _>>()?,
    };
    let classifier = args.network.open(dataset.taxonomy(), device, shell)?;
    // What killed runs left beside the table goes.
    in9_base::files::remove_leftovers(in9_base::files::parent(&args.out))?;
    let predictor = Predictor {
        classifier: &classifier,
        batch_size: usize::from(args.batch_size),
        size: args.size.map(usize::from),
    };
    let name = args.dataset_name.unwrap_or_else(|| dataset.name());
    let pictures: usize = splits.iter().map(|split| split.len()).sum();
    let draws = |view: View| if view.needs_background() { args.pairings } else { 1 };
    let asked: u64 = views.iter().map(|view| u64::from(draws(*view))).sum();
    let progress = shell.progress("predicting", "images", pictures as u64 * asked);
    let mut table = Predictor::table(&dataset);
    for split in &splits {
        for view in &views {
            progress.rename(&format!("predicting {} {view}", split.name()));
            let mut count = |pictures: usize| progress.add(pictures as u64);
            let mut rows = predictor.predict(&dataset, &name, split, *view, &mut count)?;
            if draws(*view) > 1 {
                let pair = |row: &Row| (row.foreground.clone(), row.background.clone());
                let mut seen: HashSet<(String, String)> = rows.iter().map(pair).collect();
                for draw in 1..draws(*view) {
                    let more = predictor.predict_drawn(&dataset, &name, split, *view, draw, &mut count)?;
                    rows.extend(more.into_iter().filter(|row| seen.insert(pair(row))));
                }
            }
            let right = rows.iter().filter(|row| row.correct()).count();
            let share = 100.0 * right as f64 / rows.len().max(1) as f64;
            progress.note(&format!("{} {view}: {share:.1} % of {} right", split.name(), rows.len()));
            table.rows.extend(rows);
        }
    }
    if let Some(most) = classifier.own().and_then(Classifier::most_pictures) {
        progress.note(&format!(
            "the GPU's memory holds {most} pictures a batch; --batch-size {most} asks for that"
        ));
    }
    progress.finish();
    table.write_atomic(&args.out)?;
    shell.print(args.out.display())
}

/// The views of a list, each once, in the order given.
fn views(names: &[String]) -> anyhow::Result<Vec<View>> {
    let mut views = Vec::new();
    for name in names {
        let more = match name.as_str() {
            "all" => View::ALL.to_vec(),
            "paper" => View::PAPER.to_vec(),
            name => vec![name.parse()?],
        };
        for view in more {
            if !views.contains(&view) {
                views.push(view);
            }
        }
    }
    if views.is_empty() {
        bail!("--views: no view given (expected all, paper, or names separated by commas)");
    }
    Ok(views)
}
