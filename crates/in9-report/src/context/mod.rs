//! Everything that the topics read: the list's inputs, loaded.

mod datasets;
mod probes;
mod repeats;
mod runs;

pub(crate) use datasets::{Loaded, TestSplit};
pub(crate) use probes::{Probes, names, results};
pub(crate) use repeats::{Repeated, without_seed};
pub(crate) use runs::{Log, Run};

use crate::error::Result;
use crate::spec::Spec;
use in9_analysis::groups::{self, Grouped, Grouping};
use in9_analysis::metrics::{ModelSummary, summarise};
use in9_analysis::metrics::{SeedGroup, seed_groups_of};
use in9_analysis::output::tables;
use in9_analysis::paper::Paper;
use in9_analysis::stats::Bootstrap;
use in9_analysis::{Cards, Frame, Key, ModelFrame};
use in9_data::predictions::Card;
use std::path::Path;

/// The loaded inputs of a report.
#[derive(Debug)]
pub(crate) struct Context {
    /// The list of inputs.
    pub(crate) spec: Spec,
    /// Published numbers.
    pub(crate) paper: Paper,
    /// All predictions.
    pub(crate) frame: Frame,
    /// Measures of each model, aligned with `frame.models`.
    pub(crate) summaries: Vec<ModelSummary>,
    /// What the tables were measured with, where cards beside them say it.
    pub(crate) cards: Vec<Card>,
    /// Settings of the intervals.
    pub(crate) bootstrap: Bootstrap,
    /// Data sets that could be opened.
    pub(crate) datasets: Vec<Loaded>,
    /// Training runs that say what they are.
    pub(crate) runs: Vec<Run>,
    /// What their logs say.
    pub(crate) logs: Vec<Log>,
    /// Outputs of the probe commands.
    pub(crate) probes: Probes,
    /// Accuracy by group, of the data sets whose groups are known.
    pub(crate) groups: Vec<Grouped>,
    /// Inputs that could not be used, one line each.
    pub(crate) skipped: Vec<String>,
}

/// The models tested on one split of the main data set.
#[derive(Debug, Clone)]
pub(crate) struct TestSet<'a> {
    /// What the report reads.
    pub(crate) context: &'a Context,
    /// Data set.
    pub(crate) dataset: &'a str,
    /// Split.
    pub(crate) split: &'a str,
    /// Predictions and measures of each model.
    pub(crate) models: Vec<(&'a ModelFrame, &'a ModelSummary)>,
}

impl Context {
    /// Reads every input of a list.
    ///
    /// # Errors
    /// If a prediction table cannot be used.
    pub(crate) fn load(spec: Spec, paper: Paper) -> Result<Self> {
        let tables: Vec<&Path> = spec.predictions.iter().map(|p| p.path.as_path()).collect();
        let frame = Frame::read(&tables)?;
        let bootstrap = Bootstrap { seed: spec.seed, ..Bootstrap::default() };
        let summaries = summarise(&frame, &bootstrap)?;
        let mut skipped = Vec::new();
        let mut cards = Vec::new();
        for table in &tables {
            match Cards::of(&[table]) {
                Ok(found) => {
                    cards.extend(found.cards);
                    skipped.extend(found.notes);
                }
                Err(e) => skipped.push(e.to_string()),
            }
        }
        let mut datasets = Vec::new();
        for entry in &spec.dataset {
            match Loaded::open(entry) {
                Ok(loaded) => datasets.push(loaded),
                Err(e) => skipped.push(format!("data set {}: {e}", entry.name)),
            }
        }
        let (mut runs, mut logs) = (Vec::new(), Vec::new());
        for entry in &spec.run {
            let run = Run::read(entry).unwrap_or_else(|e| {
                skipped.push(format!("run {}: {e}", entry.name));
                None
            });
            let dataset = run.as_ref().map_or("", |run| &run.dataset).to_owned();
            runs.extend(run);
            match Log::read(entry) {
                Ok(log) => logs.extend(log.map(|log| Log { dataset, ..log })),
                Err(e) => skipped.push(format!("log of run {}: {e}", entry.name)),
            }
        }
        if let Some(path) = &spec.imagenet {
            // A broken file is refused here, so that sections can rely on it.
            in9_analysis::metrics::progress::ours(&summaries, path)?;
        }
        let probes = Probes::load(&spec.probe, &mut skipped);
        let mut groups = Vec::new();
        for (name, path) in spec.dataset.iter().filter_map(|d| Some((&d.name, d.groups.as_ref()?))) {
            match by_group(&frame, name, path, bootstrap.level) {
                Ok(found) => groups.extend(found),
                Err(e) => skipped.push(format!("groups of data set {name}: {e}")),
            }
        }
        Ok(Self {
            spec,
            paper,
            frame,
            summaries,
            cards,
            bootstrap,
            datasets,
            runs,
            logs,
            probes,
            groups,
            skipped,
        })
    }

    /// A split of the main data set, if it could be opened.
    ///
    /// # Errors
    /// If its shards or pairings are damaged.
    pub(crate) fn test_split(&self, split: &str) -> Result<Option<TestSplit>> {
        let main = self.main_dataset();
        match self.datasets.iter().find(|d| d.entry.name == main) {
            Some(loaded) => loaded.test_split(split),
            None => Ok(None),
        }
    }

    /// Name of the data set that the report is about.
    pub(crate) fn main_dataset(&self) -> &str {
        let tested = |name: &str| self.frame.models.iter().any(|m| m.key.dataset == name);
        let listed = self.spec.dataset.iter().find(|d| d.main && tested(&d.name));
        let listed = listed.or_else(|| self.spec.dataset.iter().find(|d| tested(&d.name)));
        match listed {
            Some(d) => &d.name,
            None => self.frame.models.first().map_or("", |m| m.key.dataset.as_str()),
        }
    }

    /// Test sets of the main data set, `test` first.
    pub(crate) fn test_sets(&self) -> Vec<TestSet<'_>> {
        self.test_sets_of(self.main_dataset())
    }

    /// Test sets of a data set, `test` first.
    pub(crate) fn test_sets_of<'a>(&'a self, dataset: &'a str) -> Vec<TestSet<'a>> {
        let mut splits: Vec<&str> = self
            .frame
            .models
            .iter()
            .filter(|m| m.key.dataset == dataset)
            .map(|m| m.key.split.as_str())
            .collect();
        splits.sort_by_key(|s| (*s != "test", *s));
        splits.dedup();
        splits
            .into_iter()
            .map(|split| TestSet {
                context: self,
                dataset,
                split,
                models: self
                    .frame
                    .models
                    .iter()
                    .zip(&self.summaries)
                    .filter(|(m, _)| m.key.dataset == dataset && m.key.split == split)
                    .collect(),
            })
            .collect()
    }

    /// Models that differ only in their seed, summed up; those whose runs are known to have been trained
    /// differently are kept apart.
    pub(crate) fn seed_groups(&self) -> Vec<SeedGroup> {
        seed_groups_of(&self.summaries, self.bootstrap.level, |a: &Key, b: &Key| self.are_repeats(a, b))
    }

    /// Whether the classes are the paper's nine, so that its numbers can stand beside these.
    pub(crate) fn has_the_papers_classes(&self) -> bool {
        let theirs = &self.paper.adversarial.class;
        theirs.len() == self.classes() && theirs.iter().all(|c| self.frame.classes.contains(&c.name))
    }

    /// Number of classes.
    pub(crate) fn classes(&self) -> usize {
        self.frame.classes.len()
    }

    /// Data sets with a known ρ whose boxes tell nothing of the class, by ascending ρ.
    pub(crate) fn rho_sweep(&self) -> Vec<(f64, &str)> {
        let mut sweep: Vec<(f64, &str)> = self
            .spec
            .dataset
            .iter()
            .filter(|d| !d.leaks())
            .filter_map(|d| Some((d.rho?, d.name.as_str())))
            .collect();
        sweep.sort_by(|a, b| a.0.total_cmp(&b.0));
        sweep
    }
}

/// What the models that were tested on a data set are worth to each of its groups.
fn by_group(
    frame: &Frame,
    dataset: &str,
    path: &Path,
    level: f64,
) -> std::result::Result<Vec<Grouped>, in9_analysis::Error> {
    let grouping = Grouping::read(path)?;
    let mut all = Vec::new();
    for model in frame.models.iter().filter(|model| model.key.dataset == dataset) {
        for view in model.views.keys() {
            all.extend(groups::grouped(model, *view, &frame.classes, &grouping, level)?);
        }
    }
    Ok(all)
}

impl<'a> TestSet<'a> {
    /// The first of the [`TestSet::repeats`] trained on `view`.
    pub(crate) fn trained_on(&self, view: &str) -> Option<(&'a ModelFrame, &'a ModelSummary)> {
        self.repeats(view).first().copied()
    }

    /// Networks trained on all of ImageNet.
    pub(crate) fn pretrained(&self) -> impl Iterator<Item = (&'a ModelFrame, &'a ModelSummary)> + '_ {
        self.models.iter().filter(|(m, _)| m.key.trained_on == "imagenet").copied()
    }

    /// The networks that charts of a few show: those trained on photographs as they are and on mixed-rand, which the
    /// paper compares, and those that were trained elsewhere (published ones, and those of strangers). If there are
    /// none of these, the first ones.
    pub(crate) fn shown(&self, most: usize) -> Vec<(&'a ModelFrame, &'a ModelSummary)> {
        let ours = ["original", "mixed-rand"].into_iter().filter_map(|view| self.trained_on(view));
        let mut shown: Vec<_> = ours.chain(self.elsewhere()).collect();
        if shown.is_empty() {
            shown.clone_from(&self.models);
        }
        shown.truncate(most);
        shown
    }

    /// Networks that were trained on no view of a dataset, as far as anybody says: published ones, and strangers'.
    pub(crate) fn elsewhere(&self) -> impl Iterator<Item = (&'a ModelFrame, &'a ModelSummary)> + '_ {
        self.models.iter().filter(|(m, _)| !m.key.is_trained_on_view()).copied()
    }

    /// The name of one of the set's models for charts, which no other of them has.
    pub(crate) fn name(&self, model: &ModelSummary) -> String {
        let summaries = self.summaries();
        let names = tables::names(&summaries);
        let at = summaries.iter().position(|s| s.key == model.key);
        at.and_then(|at| names.get(at)).cloned().unwrap_or_else(|| model.key.model.clone())
    }

    /// The same in a sentence or a legend: `trained on original`, or a model's own name.
    pub(crate) fn phrase(&self, model: &ModelSummary) -> String {
        let name = self.name(model);
        if model.key.is_trained_on_view() { format!("trained on {name}") } else { name }
    }

    /// Measures of all models.
    pub(crate) fn summaries(&self) -> Vec<&'a ModelSummary> {
        self.models.iter().map(|(_, s)| *s).collect()
    }

    /// Largest number of foregrounds any model was tested on.
    pub(crate) fn foregrounds(&self) -> usize {
        self.models.iter().map(|(_, s)| s.foregrounds).max().unwrap_or(0)
    }
}
