//! The same training repeated with other seeds: spread between trainings, not between images.

use crate::frame::Key;
use crate::metrics::summary::ModelSummary;
use crate::stats::{Interval, student};
use in9_data::View;
use serde::Serialize;

/// Models that differ only in their seed, summed up.
#[derive(Debug, Clone, Serialize)]
pub struct SeedGroup {
    /// Data set of the test.
    pub dataset: String,
    /// Split of the test.
    pub split: String,
    /// What the models were trained on.
    pub trained_on: String,
    /// Architecture.
    pub arch: String,
    /// Names of the models.
    pub models: Vec<String>,
    /// Mean accuracy over the models with Student's t interval, by view.
    pub accuracy: Vec<(View, Interval)>,
    /// Mean BG-gap over the models with Student's t interval.
    pub gap: Option<Interval>,
    /// Mean balanced BG-gap.
    pub balanced_gap: Option<Interval>,
}

/// Groups models by everything but their name; groups of a single model are left out.
///
/// Where the table names each model's training, only repeats of one training stand together; where it does not, who knows
/// how long or in what batches a model was trained passes that to [`seed_groups_of`].
pub fn seed_groups(models: &[ModelSummary], level: f64) -> Vec<SeedGroup> {
    seed_groups_of(models, level, |a, b| {
        let (x, y) = (&a.training, &b.training);
        x.is_unknown() || y.is_unknown() || (&x.dataset, &x.digest) == (&y.dataset, &y.digest)
    })
}

/// As [`seed_groups`], but two models stand in one group only if `alike` says that they were trained alike.
pub fn seed_groups_of(
    models: &[ModelSummary],
    level: f64,
    alike: impl Fn(&Key, &Key) -> bool,
) -> Vec<SeedGroup> {
    let mut groups: Vec<Vec<&ModelSummary>> = Vec::new();
    for model in models {
        let same = |other: &ModelSummary| {
            let (a, b) = (&model.key, &other.key);
            (&a.dataset, &a.split, &a.trained_on, &a.arch) == (&b.dataset, &b.split, &b.trained_on, &b.arch)
                && alike(a, b)
        };
        match groups.iter_mut().find(|g| same(g[0])) {
            Some(group) => group.push(model),
            None => groups.push(vec![model]),
        }
    }
    // Published networks of one architecture are different trainings, whatever their seeds.
    groups.retain(|g| g.len() > 1 && !["", "imagenet"].contains(&g[0].key.trained_on.as_str()));
    groups.into_iter().map(|g| summed_up(&g, level)).collect()
}

fn summed_up(group: &[&ModelSummary], level: f64) -> SeedGroup {
    let over = |pick: &dyn Fn(&ModelSummary) -> Option<f64>| -> Option<Interval> {
        let values: Option<Vec<f64>> = group.iter().map(|m| pick(m)).collect();
        values.map(|v| student(&v, level))
    };
    let accuracy = View::ALL
        .into_iter()
        .filter_map(|view| Some((view, over(&|m| Some(m.accuracy(view)?.accuracy.value))?)))
        .collect();
    let key = &group[0].key;
    SeedGroup {
        dataset: key.dataset.clone(),
        split: key.split.clone(),
        trained_on: key.trained_on.clone(),
        arch: key.arch.clone(),
        models: group.iter().map(|m| m.key.model.clone()).collect(),
        accuracy,
        gap: over(&|m| Some(m.gap?.gap.value)),
        balanced_gap: over(&|m| Some(m.gap?.balanced.value)),
    }
}
