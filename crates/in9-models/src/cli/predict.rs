//! `in9-models predict`: a network over views of a dataset, as a prediction table.

use std::path::PathBuf;

use anyhow::bail;
use in9_base::shell::Shell;
use in9_data::{Dataset, PublishedPictures, Split, View};

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
    /// Views to predict, separated by commas; `all` are nine, `paper` the paper's eight; of these two, those that cannot
    /// be had are left out, such as all but `original` of a dataset of photographs only
    #[arg(long, value_delimiter = ',', default_value = "all")]
    views: Vec<String>,
    /// Folder bg_challenge of the official release, from which the dataset was imported: predict its own pictures of each
    /// view instead of recomposed ones
    #[arg(long, value_name = "FOLDER")]
    published: Option<PathBuf>,
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
    let name = args.dataset_name.clone().unwrap_or_else(|| dataset.name());
    let of_split = splits.iter().map(|split| Source::open(split, &args, &views, shell));
    let sources = of_split.collect::<anyhow::Result<Vec<_>>>()?;
    let all: usize =
        splits.iter().zip(&sources).map(|(split, source)| split.len() * source.views.len()).sum();
    let progress = shell.progress("predicting", "images", all as u64);
    let mut table = Predictor::table(&dataset);
    for (split, source) in splits.iter().zip(&sources) {
        for view in &source.views {
            progress.rename(&format!("predicting {} {view}", split.name()));
            let mut count = |pictures: usize| progress.add(pictures as u64);
            let rows = match &source.published {
                None => predictor.predict(&dataset, &name, split, *view, &mut count)?,
                Some(own) => predictor.predict_published(own, &name, split, *view, &mut count)?,
            };
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

/// Where the pictures of a split come from, and the views that there are.
struct Source {
    published: Option<PublishedPictures>,
    views: Vec<View>,
}

impl Source {
    fn open(split: &Split, args: &Args, wanted: &[View], shell: &Shell) -> anyhow::Result<Self> {
        let published =
            args.published.as_deref().map(|root| PublishedPictures::open(root, split)).transpose()?;
        let named = |view: &View| args.views.iter().any(|name| name == view.name());
        let there = |view: &View| match &published {
            Some(published) => published.views().contains(view),
            None => split.check_view(*view).is_ok(),
        };
        // What is named is wanted, and its absence told when it is read.
        let (views, left_out): (Vec<View>, Vec<View>) =
            wanted.iter().copied().partition(|view| named(view) || there(view));
        if !left_out.is_empty() {
            let names = left_out.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
            let why = match &published {
                Some(_) => "the release does not publish them",
                None => "the dataset holds photographs only",
            };
            shell.say(format_args!("{}: without {names}: {why}", split.name()));
        }
        Ok(Self { published, views })
    }
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
