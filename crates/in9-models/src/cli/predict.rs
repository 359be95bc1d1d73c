//! `in9-models predict`: a network over views of a dataset, as a prediction table.

mod kept;
mod pieces;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use in9_base::Piece;
use in9_base::files::{self, OutputFolder};
use in9_base::shell::{self, Shell};
use in9_data::predictions::{CardPictures, CardTest, check_form, write_rows};
use in9_data::{Dataset, PublishedPictures, Split, View};

use super::card;
use super::network::NetworkArgs;
use super::pictures::{PicturesArgs, right};
use crate::ask::{Ask as _, Asked};
use crate::classifier::Classifier;
use crate::predict::{Answered, Predictor};
use kept::{Kept, Part};

/// Predict every picture of a dataset's views with a trained network
///
/// What was killed goes on where it was, by the same command: its answers stand beside the output until that is whole.
/// Beside the table stands its card, TABLE.card.toml, which says what was measured with what.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  in9-models predict --weights out/run --data out/dataset --views all --out predictions.csv
  in9-models predict --weights out/run --data out/dataset --split test,val --views original,mixed-rand --out p.csv
  in9-models predict --weights resnet50.gluon --mapping a --data out/in9 --out p.csv
  in9-models predict --zero-shot clip-vit-base-patch32 --prompts ensemble --data out/in9 --out p.csv
  in9-models predict --scorer 'python scorer.py' --data out/in9 --out p.csv
  in9-models predict --onnx model.onnx --normalization imagenet --size 224 --data out/in9 --out p.csv
  for i in 1 2; do in9-models predict --weights out/run --data out/in9 --shard $i/2 --out piece-$i; done
  in9-models predict --weights out/run --data out/in9 --merge piece-1 piece-2 --out p.csv")]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    pictures: PicturesArgs,
    /// Folder bg_challenge of the official release, from which the dataset was imported: predict its own pictures of each
    /// view instead of recomposed ones
    #[arg(long, value_name = "FOLDER")]
    published: Option<PathBuf>,
    /// Pairings that the mixed views are tested with: the dataset's frozen one, and further ones that its seed gives;
    /// a pair of photographs that comes again is written once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairings: u32,
    /// The table to write, CSV, or Parquet if its name ends in .parquet (feature `parquet`); with --shard, the folder of
    /// the piece
    #[arg(long, value_name = "TABLE|DIR")]
    out: PathBuf,
    #[command(flatten)]
    device: super::DeviceArgs,
    /// Predict only piece i of n of every split, for --merge: i/n with i from 1, or auto or auto/n where Slurm,
    /// HyperQueue or SkyPilot says which piece it is
    #[arg(long, value_name = "I/N", value_parser = shell::piece)]
    shard: Option<Piece>,
    /// Merge these pieces' folders, with the other arguments as they had them, instead of predicting
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with = "shard")]
    merge: Vec<PathBuf>,
}

/// Whose a card is.
const MADE_BY: &str = "in9-models predict";

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<()> {
    let views = args.pictures.views()?;
    if args.shard.is_none() {
        check_form(&args.out)?;
        card::check_place(&args.out, MADE_BY)?;
    }
    let (device, kind) = args.device.open(shell)?;
    let dataset = Dataset::open(&args.pictures.data)?;
    let splits = args.pictures.splits(&dataset)?;
    let sources: Vec<Source<'_>> =
        splits.iter().map(|split| Source::open(split, args, &views, shell)).collect::<anyhow::Result<_>>()?;
    let mut classifier = args.network.open(dataset.taxonomy(), device, shell)?;
    let settings = pieces::Settings {
        network: classifier.record(),
        dataset: args.pictures.name(&dataset),
        data: dataset.digest(),
        splits: splits.iter().map(|split| split.name().to_owned()).collect(),
        views: views.iter().map(ToString::to_string).collect(),
        published: args.published.is_some(),
        pairings: args.pairings,
        size: args.pictures.size,
        device: kind,
        shard: args.shard.unwrap_or(Piece::WHOLE),
    };
    if !args.merge.is_empty() {
        let device = pieces::merge(&args.merge, &settings, &sources, &args.out)?;
        write_card(&args.out, &pieces::Settings { device, ..settings }, &sources)?;
        return shell.print(args.out.display());
    }
    let inputs: Vec<&Path> = args.network.path().into_iter().chain([args.pictures.data.as_path()]).collect();
    let folder = args.shard.map(|_| OutputFolder::begin(&args.out, &pieces::OWNER, &inputs)).transpose()?;
    // What killed runs left beside the table goes, but for answers.
    files::remove_leftovers(files::parent(&args.out))?;
    let mut kept = Kept::open(&args.out, &settings, &sources)?;
    let answered = predict(args, &dataset, &sources, &mut classifier, &settings, &mut kept, shell)?;
    let classes = Predictor::table(&dataset).classes;
    let (network, name) = (&settings.network, &settings.dataset);
    let rows = answered.into_iter().flat_map(|(source, view, answers)| {
        answers.into_iter().map(move |answer| Ok(answer.row(network, name, source.split, view)))
    });
    let known = !network.training.is_unknown();
    match folder {
        Some(folder) => {
            write_rows(&folder.path().join(pieces::TABLE), &classes, known, rows)?;
            pieces::write_settings(&folder, &settings)?;
            folder.finish()?;
        }
        None => {
            write_rows(&args.out, &classes, known, rows)?;
            write_card(&args.out, &settings, &sources)?;
        }
    }
    kept.remove()?;
    shell.print(args.out.display())
}

/// Writes the card of the table at `table`, which has just been written.
fn write_card(table: &Path, settings: &pieces::Settings, sources: &[Source<'_>]) -> anyhow::Result<()> {
    let split = |source: &Source<'_>| card::split(source.split, settings.size, &source.views);
    let test = CardTest {
        dataset: settings.dataset.clone(),
        digest: settings.data.clone(),
        pictures: if settings.published { CardPictures::Published } else { CardPictures::Recomposed },
        pairings: settings.pairings,
        split: sources.iter().map(split).collect(),
    };
    card::write(table, MADE_BY, &settings.device, [&settings.network], test)
}

/// The answers on this piece of every split and view, those of an earlier run included.
fn predict<'s, 'a>(
    args: &Args,
    dataset: &Dataset,
    sources: &'s [Source<'a>],
    classifier: &mut Asked,
    settings: &pieces::Settings,
    kept: &mut Kept,
    shell: &Shell,
) -> anyhow::Result<Vec<(&'s Source<'a>, View, Vec<Answered>)>> {
    let drawn = |source: &Source<'_>, view: View| match source.published {
        None if view.needs_background() => args.pairings,
        _ => 1,
    };
    let pictures = |source: &Source<'_>| {
        let times: u64 = source.views.iter().map(|view| u64::from(drawn(source, *view))).sum();
        settings.shard.range(source.split.len()).len() as u64 * times
    };
    let all = sources.iter().map(pictures).sum();
    let progress = shell.progress("predicting", "images", all);
    progress.restart(kept.count(), all);
    let mut answered = Vec::new();
    for (number, source) in (0..).zip(sources) {
        let Source { split, published, views } = source;
        // What a GPU composes is as large as it is stored.
        let as_stored = args.pictures.side().is_none_or(|side| side == split.size());
        if let Some(own) = classifier.own_mut().filter(|_| as_stored && published.is_none()) {
            own.keep_layers(split)?;
        }
        let predictor = Predictor {
            classifier: &*classifier,
            batch_size: args.pictures.batch_size(),
            size: args.pictures.side(),
            piece: settings.shard,
        };
        for view in views {
            progress.rename(&format!("predicting {} {view}", split.name()));
            let of_draw = |draw: u32| -> anyhow::Result<Vec<Answered>> {
                let part = Part { source: number, view: *view as u32, draw };
                let mut answers = kept.take(part);
                let all = settings.shard.range(split.len());
                let left = all.start + answers.len()..all.end;
                let mut each = |batch: Vec<Answered>| {
                    kept.add(part, &batch)?;
                    progress.add(batch.len() as u64);
                    answers.extend(batch);
                    Ok(())
                };
                match published {
                    _ if left.is_empty() => {}
                    None => predictor.answer(dataset, split, *view, draw, left, &mut each)?,
                    Some(own) => predictor.answer_published(own, split, *view, left, &mut each)?,
                }
                Ok(answers)
            };
            let draws = (0..drawn(source, *view)).map(of_draw).collect::<anyhow::Result<Vec<_>>>()?;
            let answers = together(draws);
            progress.note(&right(split, *view, &answers));
            answered.push((source, *view, answers));
        }
    }
    if let Some(most) = classifier.own().and_then(Classifier::most_pictures) {
        progress.note(&format!(
            "the GPU's memory holds {most} pictures a batch; --batch-size {most} asks for that"
        ));
    }
    progress.finish();
    Ok(answered)
}

/// The answers of several draws of a view, photograph by photograph in the order of the draws, each pair of photographs
/// once.
fn together(mut draws: Vec<Vec<Answered>>) -> Vec<Answered> {
    if draws.len() == 1 {
        return draws.remove(0);
    }
    let mut draws: Vec<_> = draws.into_iter().map(Vec::into_iter).collect();
    let mut answers = Vec::new();
    loop {
        let mut backgrounds = HashSet::new();
        let of_one: Vec<Answered> = draws.iter_mut().filter_map(Iterator::next).collect();
        if of_one.is_empty() {
            return answers;
        }
        answers.extend(of_one.into_iter().filter(|answer| backgrounds.insert(answer.background)));
    }
}

/// Where the pictures of a split come from, and the views that there are.
struct Source<'a> {
    split: &'a Split,
    published: Option<PublishedPictures>,
    views: Vec<View>,
}

impl<'a> Source<'a> {
    fn open(split: &'a Split, args: &Args, wanted: &[View], shell: &Shell) -> anyhow::Result<Self> {
        let published =
            args.published.as_deref().map(|root| PublishedPictures::open(root, split)).transpose()?;
        let there = |view: &View| match &published {
            Some(published) => published.views().contains(view),
            None => split.check_view(*view).is_ok(),
        };
        let (views, left_out) = args.pictures.wanted(wanted, there);
        if !left_out.is_empty() {
            let names = left_out.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
            let why = match &published {
                Some(_) => "the release does not publish them",
                None => "the dataset holds photographs only",
            };
            shell.say(format_args!("{}: without {names}: {why}", split.name()));
        }
        Ok(Self { split, published, views })
    }
}
