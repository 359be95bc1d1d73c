//! `mask-quality`: how good masks are, and how far sources of masks agree.

use super::{Outcome, Statistics};
use crate::masks::{
    Agreement, ClassAgreement, Confidence, Confidences, Joined, Pair, agreement, classes, confidence,
    confidences,
};
use crate::output::csv_files::encode;
use crate::output::number::percent_interval;
use crate::output::{Grid, json};
use crate::probes::written::MaskOrigin;
use crate::stats::{Bootstrap, Interval};
use anyhow::{Result, ensure};
use clap::Args;
use in9_base::files::{OutputFolder, Owner};
use in9_base::shell::Shell;
use in9_data::{Dataset, SoundSplit};
use serde::Serialize;
use std::path::{Path, PathBuf};

const OWNER: Owner = Owner {
    made_by: "in9-analysis mask-quality",
    names: &["quality.json", "masks.csv", "quality.csv", "confidence.csv", "settings.toml"],
};

/// How good masks are, and how far sources of masks agree, by class
///
/// Compares the masks of data sets that were built from the same photographs with different sources of masks: each with the
/// reference (masks drawn by hand, `build --masks exact`), if one is given, and each with each other. Photographs are joined
/// by their ids; those that a data set left out are left out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    in9-analysis mask-quality grabcut network --reference by-hand --out quality\n  \
    in9-analysis mask-quality grabcut saliency boxes")]
pub struct MaskQuality {
    /// Data sets of the same photographs.
    #[arg(required = true, value_name = "DATASET")]
    datasets: Vec<PathBuf>,
    /// Data set of these photographs with masks that are right.
    #[arg(long, value_name = "DATASET")]
    reference: Option<PathBuf>,
    /// Split whose photographs are used; by default the test split.
    #[arg(long)]
    split: Option<String>,
    /// Cut every photograph once more by GrabCut, at the stored size, and tell how firmly the cut holds its outline.
    #[arg(long)]
    confidence: bool,
    /// Folder for quality.json, quality.csv, masks.csv and confidence.csv.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    statistics: Statistics,
}

/// Two sources of masks beside each other.
#[derive(Debug, Serialize)]
struct Compared {
    first: String,
    second: String,
    /// Whether the second is the reference.
    reference: bool,
    all: Agreement,
    classes: Vec<ClassAgreement>,
}

/// quality.json.
#[derive(Debug, Serialize)]
struct Written<'a> {
    split: &'a str,
    images: usize,
    sources: &'a [MaskOrigin],
    compared: &'a [Compared],
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<&'a Confidences>,
}

impl MaskQuality {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let paths: Vec<PathBuf> = self.datasets.iter().chain(&self.reference).cloned().collect();
        ensure!(
            paths.len() > 1,
            "{}: nothing to compare its masks with (expected another data set or --reference, found none)",
            paths[0].display()
        );
        let inputs: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let folder = self.out.as_deref().map(|out| OutputFolder::begin(out, &OWNER, &inputs)).transpose()?;
        let datasets = paths.iter().map(|path| Dataset::open(path)).collect::<in9_data::Result<Vec<_>>>()?;
        let named = &datasets[0].taxonomy().classes;
        let first = datasets[0].split_or_usual(self.split.as_deref())?;
        let splits = open(&paths, &datasets, first.name())?;
        let joined = Joined::of(&splits)?;
        let sources: Vec<MaskOrigin> = datasets.iter().map(MaskOrigin::of).collect();
        let names = distinct(&sources);
        let mut compared = Vec::new();
        let mut rows = Vec::new();
        for second in (1..splits.len()).rev() {
            for first in 0..second {
                let pairs = pairs(&splits, &joined, first, second);
                for (row, pair) in joined.rows().iter().zip(&pairs) {
                    let id = splits[0].1.sample(row[0]).id.clone();
                    let numbers = [pair.iou, pair.outline, pair.missed, pair.excess].map(|v| v.to_string());
                    let texts = [
                        id,
                        named[usize::from(pair.class)].name.clone(),
                        names[first].clone(),
                        names[second].clone(),
                    ];
                    rows.push(texts.into_iter().chain(numbers).collect());
                }
                if let Some(all) = agreement(&pairs, &bootstrap) {
                    let reference = self.reference.is_some() && second + 1 == splits.len();
                    let (first, second) = (names[first].clone(), names[second].clone());
                    compared.push(Compared {
                        first,
                        second,
                        reference,
                        all,
                        classes: classes(&pairs, &bootstrap),
                    });
                }
            }
        }
        let class = |class: u16| named[usize::from(class)].name.as_str();
        let table = table(&compared, &class);
        let cuts = if self.confidence { confidence(&splits[0].1, &joined) } else { Vec::new() };
        let reference = self.reference.is_some().then(|| pairs(&splits, &joined, 0, splits.len() - 1));
        let sure = confidences(&cuts, reference.as_deref(), &bootstrap);
        if let Some(folder) = folder {
            let (split, images) = (first.name(), joined.rows().len());
            let written =
                Written { split, images, sources: &sources, compared: &compared, confidence: sure.as_ref() };
            let header = ["image", "class", "first", "second", "iou", "outline", "missed", "excess"];
            folder.write("quality.json", json::pretty(&written)?)?;
            folder.write("masks.csv", encode(&header, rows)?)?;
            folder.write("quality.csv", rates(&compared, &class)?)?;
            if self.confidence {
                let id = |row: &Vec<usize>| splits[0].1.sample(row[0]).id.clone();
                folder.write("confidence.csv", margins(&cuts, joined.rows().iter().map(id), &class)?)?;
            }
            let digests =
                sources.iter().zip(&names).map(|(one, name)| format!("{name:?} = {:?}\n", one.digest));
            let digests: String = digests.collect();
            let settings = super::score::settings(&bootstrap);
            folder.write("settings.toml", format!("split = {split:?}\n{settings}\n[datasets]\n{digests}"))?;
            folder.finish()?;
        }
        let left = first.len() - joined.rows().len();
        shell.print(format_args!(
            "{} photographs with masks of all sources, {left} without",
            joined.rows().len()
        ))?;
        shell.print(table.markdown().trim_end())?;
        if let Some(sure) = &sure {
            let tells = sure.tells.map_or_else(String::new, |tells| {
                format!(
                    ", whose rank correlation with the IoU of {} beside the reference is {}",
                    names[0],
                    plain(&tells)
                )
            });
            shell.print(format_args!(
                "\nGrabCut holds its outlines by {} nats a pixel ({} photographs){tells}",
                plain(&sure.margin),
                sure.images
            ))?;
        }
        Ok(Outcome::Done)
    }
}

/// The split of this name of each dataset, verified.
pub(super) fn open(
    paths: &[PathBuf],
    datasets: &[Dataset],
    split: &str,
) -> Result<Vec<(PathBuf, SoundSplit)>> {
    let split =
        |(path, dataset): (&PathBuf, &Dataset)| Ok((path.clone(), dataset.split(split)?.check_layers()?));
    paths.iter().zip(datasets).map(split).collect()
}

fn pairs(splits: &[(PathBuf, SoundSplit)], joined: &Joined, first: usize, second: usize) -> Vec<Pair> {
    let pair = |row: &Vec<usize>| {
        let (a, b) = (splits[first].1.layers(row[first]), splits[second].1.layers(row[second]));
        Pair::of(splits[0].1.sample(row[0]).class, &a.mask, &b.mask)
    };
    joined.rows().iter().map(pair).collect()
}

/// What each dataset is called here: its name, with a number behind it where another has the same.
pub(super) fn distinct(sources: &[MaskOrigin]) -> Vec<String> {
    let name = |(at, one): (usize, &MaskOrigin)| {
        let others = sources[..at].iter().filter(|other| other.dataset == one.dataset).count();
        if others == 0 { one.dataset.clone() } else { format!("{} ({})", one.dataset, others + 1) }
    };
    sources.iter().enumerate().map(name).collect()
}

/// confidence.csv: a row a photograph.
fn margins<'a>(
    cuts: &[Confidence],
    ids: impl Iterator<Item = String>,
    class: &dyn Fn(u16) -> &'a str,
) -> crate::Result<Vec<u8>> {
    let rows = cuts
        .iter()
        .zip(ids)
        .map(|(one, id)| vec![id, class(one.class).to_owned(), one.margin.to_string(), one.iou.to_string()]);
    encode(&["image", "class", "margin", "iou"], rows)
}

/// quality.csv: the table's numbers, each limit in a column of its own.
fn rates<'a>(compared: &[Compared], class: &dyn Fn(u16) -> &'a str) -> crate::Result<Vec<u8>> {
    let measures = ["iou", "outline", "missed", "excess"];
    let limits =
        measures.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_low"), format!("{name}_high")]);
    let header: Vec<String> = ["first", "second", "reference", "class", "images"]
        .map(str::to_owned)
        .into_iter()
        .chain(limits)
        .chain(["median_iou".to_owned()])
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = compared.iter().flat_map(|one| {
        let of_classes = one.classes.iter().map(|c| (class(c.class), &c.agreement));
        [("all", &one.all)].into_iter().chain(of_classes).map(move |(class, found)| {
            let numbers = [found.iou, found.outline, found.missed, found.excess];
            let numbers = numbers.iter().flat_map(|i| [i.value, i.low, i.high].map(|v| v.to_string()));
            let texts = [&one.first, &one.second].map(Clone::clone);
            let counts = [one.reference.to_string(), class.to_owned(), found.images.to_string()];
            texts.into_iter().chain(counts).chain(numbers).chain([found.median_iou.to_string()]).collect()
        })
    });
    encode(&header, rows)
}

fn table<'a>(compared: &[Compared], class: &dyn Fn(u16) -> &'a str) -> Grid {
    let title = "Masks beside each other: IoU, missed and excess in percent, outlines in pixels of the stored picture";
    let header =
        ["masks", "beside", "class", "images", "IoU", "median IoU", "outlines apart", "missed", "excess"];
    let mut grid = Grid::new(title, &header);
    for one in compared {
        let of_classes = one.classes.iter().map(|c| (class(c.class), &c.agreement));
        for (class, found) in [("all", &one.all)].into_iter().chain(of_classes) {
            let beside =
                if one.reference { format!("{} (reference)", one.second) } else { one.second.clone() };
            grid.push(vec![
                one.first.clone(),
                beside,
                class.to_owned(),
                found.images.to_string(),
                percent_interval(&found.iou),
                crate::output::number::percent(found.median_iou),
                plain(&found.outline),
                percent_interval(&found.missed),
                percent_interval(&found.excess),
            ]);
        }
    }
    grid
}

/// An interval with two decimals.
fn plain(i: &Interval) -> String {
    match (i.value.is_nan(), i.low.is_nan()) {
        (true, _) => "–".to_owned(),
        (false, true) => format!("{:.2}", i.value),
        (false, false) => format!("{:.2} [{:.2}, {:.2}]", i.value, i.low, i.high),
    }
}
