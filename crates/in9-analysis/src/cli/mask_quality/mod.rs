//! `mask-quality`: how good masks are, and how far sources of masks agree.

mod tables;

use self::tables::{Compared, margins, plain, rates, table};
use super::mask_datasets::{distinct, open};
use super::{Outcome, Statistics};
use crate::masks::{Confidences, Joined, Pair, agreement, classes, confidence, confidences};
use crate::output::csv_files::encode;
use crate::output::json;
use crate::probes::written::MaskOrigin;
use crate::stats::Bootstrap;
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

fn pairs(splits: &[(PathBuf, SoundSplit)], joined: &Joined, first: usize, second: usize) -> Vec<Pair> {
    let pair = |row: &Vec<usize>| {
        let (a, b) = (splits[first].1.layers(row[first]), splits[second].1.layers(row[second]));
        Pair::of(splits[0].1.sample(row[0]).class, &a.mask, &b.mask)
    };
    joined.rows().iter().map(pair).collect()
}
