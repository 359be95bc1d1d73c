//! `mask-sources`: the BG-gap with masks from several sources.

use super::mask_datasets::{distinct, open};
use super::target::Target;
use crate::masks::Joined;
use crate::output::csv_files::encode;
use crate::output::json;
use crate::output::number::{percent, percent_interval, points_interval};
use crate::probes::mask_error::Backgrounds;
use crate::probes::mask_sources::{Sources, differences, estimate, pictures};
use crate::probes::written::{MaskOrigin, MaskSources as Written};
use crate::stats::Bootstrap;
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::Owner;
use in9_base::shell::{Outcome, Shell};
use in9_data::{Dataset, MaskChange, Split, View};
use std::path::PathBuf;

const OWNER: Owner = Owner {
    made_by: "in9-analysis mask-sources",
    names: &["summary.json", "differences.csv", "settings.toml", "pictures/*.png"],
};

/// The BG-gap with masks from several sources, and how much of its variance is which source drew them
///
/// Takes data sets of the same photographs that were built with different sources of masks. Each photograph is put on the
/// backgrounds of --data with the mask of each source, so that nothing differs but the mask. The limits of the mean gap hold
/// photographs and sources both for random.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    in9-analysis mask-sources --weights runs/original --data grabcut --masks network --masks by-hand --out sources/original")]
pub struct MaskSources {
    #[command(flatten)]
    target: Target,
    /// Data set of the same photographs with masks of another source; can be given several times.
    #[arg(long, value_name = "DATASET", required_unless_present = "changed")]
    masks: Vec<PathBuf>,
    /// Further sources, which draw the masks of --data otherwise: grown:PIXELS (dilated), shrunk:PIXELS (eroded),
    /// displaced:PIXELS (the outline moved at random by this standard deviation); pixels are those of the stored pictures.
    #[arg(long, value_delimiter = ',', value_name = "CHANGE")]
    changed: Vec<MaskChange>,
    /// Photographs that are kept as pictures with each of their masks, at most one a class until each has one.
    #[arg(long, default_value_t = 4, value_name = "N")]
    pictures: usize,
}

impl MaskSources {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let folder = self.target.begin(&OWNER, &self.masks)?;
        let opened = self.target.open(shell)?;
        let paths: Vec<PathBuf> = [self.target.on.data()].into_iter().chain(&self.masks).cloned().collect();
        let datasets = paths.iter().map(|path| Dataset::open(path)).collect::<in9_data::Result<Vec<_>>>()?;
        let splits = open(&paths, &datasets, Split::name(&opened.split))?;
        let joined = Joined::of(&splits)?.only(&self.target.on.chosen(&opened.split, "mask-sources-images"));
        let [same, rand] = self.target.on.frozen(&opened.split, [View::MixedSame, View::MixedRand])?;
        let backgrounds: Vec<Backgrounds> = joined
            .rows()
            .iter()
            .map(|row| Backgrounds { same: same.0[row[0]], rand: rand.0[row[0]] })
            .collect();
        let splits: Vec<_> = splits.into_iter().map(|(_, split)| split).collect();
        let images = joined.rows().len();
        let progress = shell.progress("mask-sources", "images", images as u64);
        let tell = &mut |done, all| progress.tell("mask-sources", done as u64, all as u64);
        let (network, batch) = (&opened.network, self.target.on.batch());
        let (changes, seed) = (&self.changed[..], self.target.on.seed);
        let from = Sources { splits: &splits, joined: &joined, changes, seed };
        let found = differences(&*opened.seen, network, &from, &backgrounds, batch, tell)?;
        progress.finish();
        let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
        let Some(result) = estimate(&found, &bootstrap) else {
            bail!(
                "{images} photographs have masks of all sources (expected at least two); build the data sets alike"
            );
        };
        let mut sources: Vec<MaskOrigin> = datasets.iter().map(MaskOrigin::of).collect();
        let changed: Vec<MaskOrigin> = changes.iter().map(|change| sources[0].changed(change)).collect();
        sources.extend(changed);
        let names = distinct(&sources);
        let summary = Written { source: opened.source.clone(), sources, result };
        let header: Vec<&str> = ["image"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let rows = found.iter().map(|one| {
            let id = opened.split.sample(one.image as usize).id.clone();
            [id].into_iter().chain(one.by_source.iter().map(f64::to_string)).collect()
        });
        folder.write("summary.json", json::pretty(&summary)?)?;
        folder.write("differences.csv", encode(&header, rows)?)?;
        let digests: Vec<String> = datasets[1..].iter().map(Dataset::digest).collect();
        let changed: Vec<String> = changes.iter().map(MaskChange::to_string).collect();
        folder.write(
            "settings.toml",
            opened.settings(&format!("masks = {digests:?}\nchanged = {changed:?}\n")),
        )?;
        for (name, png) in pictures(&*opened.seen, &from, &backgrounds, self.pictures)? {
            folder.write(&name, png)?;
        }
        folder.finish()?;
        tell_result(shell, &summary, &names)?;
        Ok(Outcome::Done)
    }
}

fn tell_result(shell: &Shell, summary: &Written, names: &[String]) -> Result<()> {
    let (source, result) = (&summary.source, &summary.result);
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = format!(
        "{} on {} photographs of {} {}, which have masks of all {} sources\n",
        source.model,
        result.images,
        source.dataset,
        source.split,
        names.len()
    );
    let apart = [None].into_iter().chain(result.apart.iter().map(Some));
    for (((name, origin), gap), apart) in names.iter().zip(&summary.sources).zip(&result.gaps).zip(apart) {
        let apart = apart.map_or_else(String::new, |i| format!(", {} from the first", points_interval(i)));
        text += &format!(
            "gap with masks of {name:widest$} ({}) {} points{apart}\n",
            origin.drawn_by(),
            points_interval(gap)
        );
    }
    shell.print(format_args!(
        "{text}gap over all, these sources       {} points\n\
         gap over all, sources at random   {} points\n\
         of its variance with one source   {} % is the source, {} % source and photograph together\n\
         changed by the source             {} % of the photographs",
        points_interval(&result.fixed),
        points_interval(&result.gap),
        percent_interval(&result.share_of_source),
        percent(result.share_of_both),
        percent(result.changed),
    ))?;
    Ok(())
}
