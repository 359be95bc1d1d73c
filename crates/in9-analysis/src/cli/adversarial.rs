//! `adversarial`: which backgrounds fool which foregrounds.

use super::pieces::{Pieces, pairs};
use super::target::{Opened, Target};
use crate::output::number::percent_interval;
use crate::probes::adversarial::summary::Names;
use crate::probes::adversarial::write::{OWNER, files};
use crate::probes::adversarial::{
    PairLog, Rule, Search, SearchSettings, Summary, own_answers, search, search_known, summarise,
};
use crate::stats::LEVEL;
use anyhow::Result;
use clap::Args;
use in9_base::files::Journal;
use in9_base::shell::{Outcome, Shell};
use in9_data::rng;
use in9_models::Classifier as Network;

/// Adversarial backgrounds: which foregrounds has some background that turns the answer?
///
/// The search tries the most promising background of each foreground first and stops at success;
/// --exhaustive tries every pair, which success rates and unions by class need. An interrupted
/// search continues when started again.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  in9-analysis adversarial --weights runs/original --data toy --out adversarial/original"
)]
pub struct Adversarial {
    #[command(flatten)]
    target: Target,
    /// Verdicts wanted: untargeted, untargeted-other (backgrounds of other classes only), targeted.
    #[arg(long, value_delimiter = ',', default_values = ["untargeted", "untargeted-other", "targeted"])]
    rules: Vec<Rule>,
    /// Tries every pair.
    #[arg(long)]
    exhaustive: bool,
    /// Tries only this many backgrounds, drawn by the seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    backgrounds: Option<u32>,
    /// Pairs between two updates of the order; part of the result.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    wave: u32,
    #[command(flatten)]
    pieces: Pieces,
}

impl Adversarial {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let owner = if self.pieces.shard.is_some() { &pairs::OWNER } else { &OWNER };
        let folder = self.target.begin(owner, &self.pieces.merge)?;
        let mut opened = self.target.open(shell)?;
        let settings = self.settings(&opened);
        let written = self.pieces.settings(self.written(&opened), "")?;
        let (mut found, log) = match self.pieces.merge.is_empty() {
            true => self.searched(&mut opened, &settings, shell)?,
            false => (pairs::merged(&self.pieces, &settings, opened.classes.len())?, PairLog::none()),
        };
        folder.write(pairs::PAIRS, pairs::encode(&found.pairs)?)?;
        folder.write("settings.toml", written)?;
        if let Some(piece) = self.pieces.shard {
            let scores = pairs::encode_scores(&found.background_scores, &opened.classes)?;
            folder.write(pairs::SCORES, scores)?;
            folder.finish()?;
            log.remove()?;
            shell.print(format_args!("piece {piece}: {} pairs", found.pairs.len()))?;
            return Ok(Outcome::Done);
        }
        if settings.exhaustive {
            found.own = own_answers(&*opened.seen, &opened.network, &settings)?;
        }
        let names = Names {
            model: opened.source.model.clone(),
            trained_on: opened.source.trained_on.clone(),
            dataset: opened.source.dataset.clone(),
            split: opened.source.split.clone(),
            training: opened.source.training.clone(),
        };
        let mut summary = summarise(&opened.split, &settings, &found, &names, LEVEL);
        if let Some(ordered) = ordered(&opened, &settings, &found)? {
            summary.add_ordered(&opened.split, &settings, &found, &ordered);
        }
        for (name, bytes) in files(&opened.split, &opened.classes, &settings, &found, &summary)? {
            folder.write(name, bytes)?;
        }
        folder.finish()?;
        log.remove()?;
        shell.print(printed(&summary).trim_end())?;
        Ok(Outcome::Done)
    }

    /// Searches, or goes on with a search that was ended.
    fn searched(
        &self,
        opened: &mut Opened,
        settings: &SearchSettings,
        shell: &Shell,
    ) -> Result<(Search, PairLog)> {
        // What a GPU composes is as large as it is stored.
        if let Some(network) = opened.network.own_mut().filter(|_| opened.seen.size() == opened.split.size())
        {
            network.keep_layers(&opened.split)?;
        }
        let identity = *blake3::hash(self.identity(opened, settings).as_bytes()).as_bytes();
        let mut log = PairLog::open(&Journal::beside(&self.target.on.out), identity)?;
        let found = self.search(opened, settings, &mut log, shell)?;
        if let Some(most) = opened.network.own().and_then(Network::most_pictures) {
            shell.say(format_args!(
                "the GPU's memory holds {most} pictures a batch; --batch-size {most} asks for that"
            ));
        }
        Ok((found, log))
    }

    fn settings(&self, opened: &Opened) -> SearchSettings {
        let foregrounds = self.target.on.chosen(&opened.split, "adversarial-foregrounds");
        let mut backgrounds: Vec<u32> = (0..opened.split.len() as u32).collect();
        if let Some(limit) = self.backgrounds {
            rng::shuffle(
                &mut rng::stream(self.target.on.seed, "adversarial-backgrounds", 0, 0),
                &mut backgrounds,
            );
            backgrounds.truncate(limit as usize);
            backgrounds.sort_unstable();
        }
        let mut rules = self.rules.clone();
        rules.sort_unstable();
        rules.dedup();
        SearchSettings {
            rules,
            foregrounds: self.pieces.share(foregrounds),
            backgrounds,
            wave: self.wave as usize,
            batch: self.target.on.batch(),
            exhaustive: self.exhaustive,
        }
    }

    /// What a log of pairs belongs to.
    fn identity(&self, opened: &Opened, s: &SearchSettings) -> String {
        format!(
            "{} {:?} {:?} {:?} {} {}",
            opened.identity, s.rules, s.foregrounds, s.backgrounds, s.wave, s.exhaustive
        )
    }

    fn search(
        &self,
        opened: &Opened,
        settings: &SearchSettings,
        pairs: &mut PairLog,
        shell: &Shell,
    ) -> Result<Search> {
        let unit = if settings.exhaustive { "pairs" } else { "foregrounds" };
        let all = (settings.foregrounds.len() * settings.backgrounds.len()) as u64;
        let progress = shell.progress("adversarial", unit, all);
        let found =
            search(&*opened.seen, &opened.network, settings, pairs, &mut |decided, n, tried| match settings
                .exhaustive
            {
                true => progress.tell("adversarial", tried, all),
                false => progress.tell("adversarial", decided as u64, n as u64),
            })?;
        progress.finish();
        Ok(found)
    }

    fn written(&self, opened: &Opened) -> String {
        let rules: Vec<&str> = self.rules.iter().map(|r| r.name()).collect();
        let mut text = format!("rules = {rules:?}\nexhaustive = {}\nwave = {}\n", self.exhaustive, self.wave);
        if let Some(backgrounds) = self.backgrounds {
            text += &format!("backgrounds = {backgrounds}\n");
        }
        opened.settings(&text)
    }
}

/// An ordered search for the challenge's verdicts, replayed on the answers of an exhaustive one.
fn ordered(opened: &Opened, settings: &SearchSettings, found: &Search) -> Result<Option<Search>> {
    if !settings.exhaustive || !settings.rules.contains(&Rule::Untargeted) {
        return Ok(None);
    }
    let ordered = SearchSettings { rules: vec![Rule::Untargeted], exhaustive: false, ..settings.clone() };
    Ok(Some(search_known(&opened.split, opened.classes.len(), &ordered, found)?))
}

fn printed(s: &Summary) -> String {
    let mut text = format!(
        "{} on {} {}: {} foregrounds, {} backgrounds, {} forward passes\n",
        s.model, s.dataset, s.split, s.foregrounds, s.backgrounds, s.passes
    );
    for r in &s.rules {
        text += &format!("{:<16} vulnerable {} %\n", r.rule.name(), percent_interval(&r.share));
    }
    if let Some(i) = &s.challenge_accuracy {
        text += &format!("challenge accuracy {} %\n", percent_interval(i));
    }
    if let (Some(official), Some(ordered)) = (s.official_passes, s.ordered_passes) {
        text += &format!(
            "challenge verdicts alone: {ordered} passes ordered, {official} in the official order, {:.1} times fewer\n",
            official as f64 / ordered as f64
        );
    }
    if let (Some(official), Some(least)) = (s.official_passes, s.least_passes()) {
        text += &format!(
            "no order could need fewer than {least}: {:.1} times fewer than the official one\n",
            official as f64 / least.max(1) as f64
        );
    }
    if let Some(f) = s.fallen {
        text += &format!(
            "of these, on the {} foregrounds that fall: {} passes ordered, {} in the official order, {:.1} times fewer\n",
            f.foregrounds,
            f.ordered,
            f.official,
            f.official as f64 / f.ordered as f64
        );
    }
    text
}
