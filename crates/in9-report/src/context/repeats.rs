//! Which networks are repeats of one training, and which run a network came from.

use super::{Context, Run, TestSet};
use in9_analysis::levels::Trainings;
use in9_analysis::metrics::{ModelSummary, main_arch};
use in9_analysis::{Key, ModelFrame};

impl Context {
    /// The run that a network came from: by its training where the table says it, else by its name, if there is one of
    /// that name only on the data set that it was tested on. A run of the same name is not enough.
    pub(crate) fn run_of(&self, key: &Key) -> Option<&Run> {
        if !key.training.is_unknown() {
            return self.runs.iter().find(|run| run.training == key.training);
        }
        let mut named = self.runs.iter().filter(|run| run.model == key.model && run.dataset == key.dataset);
        named.next().filter(|_| named.next().is_none())
    }

    /// Whether two networks tested on the same photographs differ in the seed of their training only, as far as anybody
    /// says; networks from elsewhere are never repeats of each other.
    pub(crate) fn are_repeats(&self, a: &Key, b: &Key) -> bool {
        let (x, y) = (&a.training, &b.training);
        let same = |k: &Key| (k.dataset.clone(), k.split.clone(), k.trained_on.clone(), k.arch.clone());
        if same(a) != same(b) || !a.is_trained_on_view() {
            return false;
        }
        if !x.is_unknown() && !y.is_unknown() {
            return (&x.dataset, &x.digest) == (&y.dataset, &y.digest);
        }
        match (self.run_of(a), self.run_of(b)) {
            (Some(a), Some(b)) => {
                a.difference(b).is_none() && (a.fraction, a.classes) == (b.fraction, b.classes)
            }
            // A table without trainings: names tell no more than that they differ in a seed.
            _ => without_seed(&a.model) == without_seed(&b.model),
        }
    }
}

impl Context {
    /// Where results.json has the networks of some trainings, as JSON pointers.
    pub(crate) fn rows(&self, trainings: &[&Trainings<'_>]) -> Vec<String> {
        let places = |frame: &&ModelFrame| self.frame.models.iter().position(|m| std::ptr::eq(m, *frame));
        let mut rows: Vec<usize> = trainings.iter().flat_map(|t| t.0.iter().filter_map(places)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().map(|row| format!("/models/{row}")).collect()
    }
}

/// A name without what names a seed at its end: `net-original` of `net-original-s3`.
pub(crate) fn without_seed(name: &str) -> &str {
    let start = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match start.strip_suffix("-s") {
        Some(stem) if start.len() < name.len() => stem,
        _ => name,
    }
}

/// Trainings of one network that differ in their seed only, which charts and cards show as one; or a single network.
pub(crate) struct Repeated<'a> {
    /// A name that no other of the test set has.
    pub(crate) name: String,
    /// At least one.
    pub(crate) networks: Vec<&'a ModelSummary>,
}

impl<'a> Repeated<'a> {
    pub(crate) fn first(&self) -> &'a ModelSummary {
        self.networks[0]
    }

    pub(crate) fn is_several(&self) -> bool {
        self.networks.len() > 1
    }

    /// The mean over the networks that have this figure.
    pub(crate) fn mean(&self, figure: impl Fn(&ModelSummary) -> Option<f64>) -> Option<f64> {
        let known: Vec<f64> = self.networks.iter().filter_map(|m| figure(m)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

impl<'a> TestSet<'a> {
    /// These networks, those that are repeats of one training together, each in its first one's place.
    pub(crate) fn grouped(&self, models: &[&'a ModelSummary]) -> Vec<Repeated<'a>> {
        let mut all: Vec<Repeated<'a>> = Vec::new();
        for &model in models {
            let repeats: Vec<&ModelSummary> =
                self.repeats(&model.key.trained_on).into_iter().map(|(_, summary)| summary).collect();
            let is = |other: &&ModelSummary| other.key == model.key;
            if repeats.len() < 2 || !repeats.iter().any(is) {
                all.push(Repeated { name: self.name(model), networks: vec![model] });
            } else if !all.iter().any(|one| one.networks.iter().any(is)) {
                all.push(Repeated { name: model.key.trained_on.clone(), networks: repeats });
            }
        }
        all
    }

    /// Whether any network was trained several times.
    pub(crate) fn has_repeats(&self) -> bool {
        self.grouped(&self.summaries()).iter().any(Repeated::is_several)
    }

    /// The networks trained on `view` of this data set, of the architecture that was trained on the most views: what is
    /// set side by side must not differ in its architecture too. Where it was trained in several ways, those of the way
    /// with the most repeats, and of these the first by name.
    pub(crate) fn repeats(&self, view: &str) -> Vec<(&'a ModelFrame, &'a ModelSummary)> {
        let arch = main_arch(&self.summaries());
        let here = |key: &Key| key.training.dataset.is_empty() || key.training.dataset == key.dataset;
        let trained = self.models.iter().copied();
        let trained = trained.filter(|(m, _)| m.key.trained_on == view && m.key.arch == arch && here(&m.key));
        let mut ways: Vec<Vec<(&'a ModelFrame, &'a ModelSummary)>> = Vec::new();
        for network in trained {
            let same = |way: &&mut Vec<(&ModelFrame, &ModelSummary)>| {
                self.context.are_repeats(&way[0].0.key, &network.0.key)
            };
            match ways.iter_mut().find(same) {
                Some(way) => way.push(network),
                None => ways.push(vec![network]),
            }
        }
        // The last of equals is taken, so the order is turned round.
        let mut most = ways.into_iter().rev().max_by_key(Vec::len).unwrap_or_default();
        most.sort_by_key(|(m, _)| (m.key.training.seed, m.key.model.clone()));
        most
    }

    /// The network that a run made, as it was tested here.
    pub(crate) fn of_run(&self, run: &Run) -> Option<(&'a ModelFrame, &'a ModelSummary)> {
        let made = |key: &Key| self.context.run_of(key).is_some_and(|found| std::ptr::eq(found, run));
        self.models.iter().copied().find(|(m, _)| made(&m.key))
    }

    /// The same for figures over trainings; `None` if there are none.
    pub(crate) fn trainings(&self, view: &str) -> Option<Trainings<'a>> {
        let frames: Vec<&ModelFrame> = self.repeats(view).into_iter().map(|(m, _)| m).collect();
        (!frames.is_empty()).then_some(Trainings(frames))
    }
}

#[cfg(test)]
mod tests {
    use super::without_seed;

    #[test]
    fn a_seed_at_the_end_of_a_name_is_no_part_of_it() {
        assert_eq!(without_seed("resnet-tiny-original-s12"), "resnet-tiny-original");
        for name in ["vit-s16", "net-s", "mixed-rand", "s3"] {
            assert_eq!(without_seed(name) == name, name != "vit-s16", "{name}");
        }
    }
}
