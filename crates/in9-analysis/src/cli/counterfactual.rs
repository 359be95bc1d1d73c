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
use in9_base::files::Owner;
use in9_base::shell::{Outcome, Shell};

const OWNER: Owner = Owner {
    made_by: "in9-analysis counterfactual",
    names: &["summary.json", "effects.csv", "settings.toml"],
};

/// Counterfactual attribution: effect of background and foreground on the score, image by image
///
/// Each photograph's foreground and background are swapped for those of partners of other classes.
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
        let images = self.target.chosen(&opened.split, "counterfactual-images");
        let more = format!("partners = {}\n", self.partners);
        folder.write("settings.toml", self.pieces.settings(opened.settings(&more), "")?)?;
        let found = match self.pieces.merge.is_empty() {
            true => self.measured(&opened, &self.pieces.share(images), shell)?,
            false => pieces::effects::merged(&self.pieces, &images)?,
        };
        if let Some(piece) = self.pieces.shard {
            folder.write(pieces::effects::ROWS, pieces::effects::table(&found)?)?;
            folder.finish()?;
            shell.print(format_args!("piece {piece}: {} images", found.len()))?;
            return Ok(Outcome::Done);
        }
        let bootstrap = Bootstrap { seed: self.target.seed, ..Bootstrap::default() };
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

    fn measured(&self, opened: &Opened, images: &[u32], shell: &Shell) -> Result<Vec<Effects>> {
        let progress = shell.progress("counterfactual", "images", images.len() as u64);
        let found = effects(
            &*opened.seen,
            &opened.network,
            images,
            self.partners as usize,
            self.target.seed,
            self.target.batch(),
            &mut |done, all| progress.tell("counterfactual", done as u64, all as u64),
        )?;
        progress.finish();
        Ok(found)
    }
}
