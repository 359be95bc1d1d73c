//! `counterfactual`: how much foreground and background each bring to the score.

use super::pieces::{self, Pieces};
use super::target::{Opened, Target};
use crate::output::csv_files::encode;
use crate::output::json;
use crate::output::number::{percent_interval, points_interval};
use crate::probes::counterfactual::{Effects, effects, mean};
use crate::probes::written::Counterfactual as Written;
use crate::stats::Bootstrap;
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::{Journal, Owner};
use in9_base::shell::{Outcome, Shell};

const OWNER: Owner = Owner {
    made_by: "in9-analysis counterfactual",
    names: &["summary.json", "effects.csv", "settings.toml"],
};

/// Counterfactual attribution: effect of background and foreground on the score, image by image
///
/// Each photograph's foreground and background are swapped for those of partners of other classes. What was killed goes
/// on where it was, by the same command.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  in9-analysis counterfactual --weights runs/original --data toy --out counterfactual/original"
)]
pub struct Counterfactual {
    #[command(flatten)]
    target: Target,
    /// Partners of each photograph.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    partners: u32,
    #[command(flatten)]
    pieces: Pieces,
}

impl Counterfactual {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let owner = if self.pieces.shard.is_some() { &pieces::effects::OWNER } else { &OWNER };
        let folder = self.target.begin(owner, &self.pieces.merge)?;
        let opened = self.target.open(shell)?;
        let images = self.target.on.chosen(&opened.split, "counterfactual-images");
        let more = format!("partners = {}\n", self.partners);
        let written = self.pieces.settings(opened.settings(&more), "")?;
        let (found, journal) = match self.pieces.merge.is_empty() {
            true => {
                let (found, journal) = self.measured(&opened, &written, self.pieces.share(images), shell)?;
                (found, Some(journal))
            }
            false => (pieces::effects::merged(&self.pieces, &images)?, None),
        };
        folder.write("settings.toml", written)?;
        if let Some(piece) = self.pieces.shard {
            folder.write(pieces::effects::ROWS, pieces::effects::table(&found)?)?;
            folder.finish()?;
            journal.map_or(Ok(()), Journal::remove)?;
            shell.print(format_args!("piece {piece}: {} images", found.len()))?;
            return Ok(Outcome::Done);
        }
        let bootstrap = Bootstrap { seed: self.target.on.seed, ..Bootstrap::default() };
        let Some(all) = mean(&found, &bootstrap) else {
            bail!("split {} holds no photograph", opened.source.split);
        };
        let classes = (0..opened.classes.len() as u16).filter_map(|class| {
            let own: Vec<Effects> = found.iter().copied().filter(|e| e.class == class).collect();
            Some((class, mean(&own, &bootstrap)?))
        });
        let summary = Written {
            source: opened.source.clone(),
            partners: self.partners as usize,
            mean: all,
            classes: classes.collect(),
        };
        let rows = found.iter().map(|e| {
            vec![
                opened.split.sample(e.image as usize).id.clone(),
                opened.classes[usize::from(e.class)].clone(),
                e.background.to_string(),
                e.foreground.to_string(),
                e.interaction.to_string(),
                e.reliance().map_or_else(String::new, |r| r.to_string()),
            ]
        });
        folder.write("summary.json", json::pretty(&summary)?)?;
        let header = ["image", "class", "background_effect", "foreground_effect", "interaction", "reliance"];
        folder.write("effects.csv", encode(&header, rows)?)?;
        folder.finish()?;
        journal.map_or(Ok(()), Journal::remove)?;
        shell.print(format_args!(
            "{} on {} {}: {} images, {} partners each\nbackground effect  {} points\nforeground effect  {} points\ninteraction        {} points\nreliance           {} %",
            summary.source.model,
            summary.source.dataset,
            summary.source.split,
            summary.mean.images,
            summary.partners,
            points_interval(&summary.mean.background),
            points_interval(&summary.mean.foreground),
            points_interval(&summary.mean.interaction),
            percent_interval(&summary.mean.reliance),
        ))?;
        Ok(Outcome::Done)
    }

    /// Measures, or goes on with measurements that were ended; they are in the journal until the results stand.
    fn measured(
        &self,
        opened: &Opened,
        written: &str,
        mut images: Vec<u32>,
        shell: &Shell,
    ) -> Result<(Vec<Effects>, Journal)> {
        let progress = shell.progress("counterfactual", "images", images.len() as u64);
        let mut found: Vec<Effects> = Vec::new();
        let mut journal = pieces::journal(&self.target.on.out, written, |record| {
            // One after the other, in the order of the images.
            let read = pieces::effects::read(record).filter(|e| images.get(found.len()) == Some(&e.image));
            let fits = read.is_some();
            found.extend(read);
            fits
        })?;
        progress.restart(found.len() as u64, images.len() as u64);
        images.drain(..found.len());
        effects(
            &*opened.seen,
            &opened.network,
            &images,
            self.partners as usize,
            self.target.on.seed,
            self.target.on.batch(),
            &mut |effects| {
                journal.append(&pieces::effects::record(&effects))?;
                progress.add(1);
                found.push(effects);
                Ok(())
            },
        )?;
        progress.finish();
        Ok((found, journal))
    }
}
