//! The probes of a command line, learnt on the features of its training split.

use anyhow::bail;
use in9_base::shell::Progress;
use in9_data::groups::{Grouping, Groups};
use in9_data::{Dataset, Split, rng};

use super::Args;
use crate::classifier::NetworkRecord;
use crate::encoder::Encoder;
use crate::probe::{
    Chosen, ChosenByGroup, Features, Fit, GroupCount, Grouped, Linear, Nearest, Probe, ProbeRecord,
    STRENGTHS, Settings, Strength, TrainingData,
};

/// A probe with its name in tables.
pub(super) struct Learnt {
    pub(super) probe: Probe,
    pub(super) record: NetworkRecord,
}

/// What probes learn from.
struct Known<'a> {
    dataset: &'a Dataset,
    train: &'a Split,
    features: Features,
    labels: Vec<u16>,
    groups: Option<Groups>,
}

/// The probes, learnt on the training split's features.
pub(super) fn learn(
    args: &Args,
    dataset: &Dataset,
    train: &Split,
    encoder: &Encoder,
    settings: &[Settings],
    grouping: Option<&Grouping>,
    progress: &Progress,
) -> anyhow::Result<Vec<Learnt>> {
    progress.rename(&format!("features of {} {}", train.name(), args.view));
    let size = args.pictures.side();
    let (mut values, mut labels, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    let batch = args.pictures.batch_size();
    encoder.features_of(dataset, train, args.view, batch, size, &mut |batch| {
        batch.features.rows().for_each(|row| values.extend_from_slice(row));
        labels.extend(batch.indices.iter().map(|place| train.sample(*place as usize).class));
        pictures.extend(batch.indices.iter().copied().zip(batch.backgrounds.iter().copied()));
        progress.add(batch.indices.len() as u64);
        Ok(())
    })?;
    if labels.is_empty() {
        bail!("{}: split {} holds no photograph to learn from", args.pictures.data.display(), train.name());
    }
    let features = Features::new(values, encoder.width())?;
    let of = |grouping| Groups::of(grouping, dataset.taxonomy(), train, pictures);
    let known = Known { dataset, train, features, labels, groups: grouping.map(of).transpose()? };
    let mut learnt = Vec::new();
    for settings in settings {
        progress.rename(&format!("learning {}", settings.name()));
        let (probe, fit) = known.learn(settings, progress)?;
        let data = TrainingData {
            dataset: dataset.name(),
            digest: dataset.digest(),
            split: train.name().to_owned(),
            view: args.view.to_string(),
            samples: train.len(),
            size: size.unwrap_or(train.size()),
        };
        let record = ProbeRecord { features: encoder.layer().to_owned(), width: encoder.width(), fit, data };
        let name = args.network.name.as_deref();
        learnt.push(Learnt { record: encoder.record(name, settings, record), probe });
    }
    Ok(learnt)
}

impl Known<'_> {
    fn learn(&self, settings: &Settings, progress: &Progress) -> anyhow::Result<(Probe, Fit)> {
        let Self { features, labels, .. } = self;
        let classes = self.dataset.taxonomy().len();
        Ok(match settings {
            Settings::Linear(strength) => {
                let (l2, chosen) = match strength {
                    Strength::Given(l2) => (*l2, None),
                    Strength::Chosen { seed } => {
                        let chosen = Chosen::by_holding_out(features, labels, classes, self.train, *seed)?;
                        progress.note(&said(&chosen));
                        (chosen.l2(), Some(chosen))
                    }
                };
                let linear = Linear::fit(features, labels, classes, l2, None)?;
                note_end(settings, &linear, progress);
                (Probe::Linear(linear), Fit::Linear { l2, chosen })
            }
            Settings::Nearest { k, temperature } => {
                let nearest = Nearest::new(features, labels, classes, *k, *temperature)?;
                (Probe::Nearest(nearest), Fit::Knn { k: *k, temperature: *temperature })
            }
            Settings::Reweighted { l2, seed, retrainings } => {
                let Some(groups) = &self.groups else { bail!("--groups: missing") };
                let keys: Vec<u64> = self.train.samples().map(|sample| rng::text_key(&sample.id)).collect();
                let known = Grouped { features, labels, groups: &groups.of, keys: &keys, classes };
                let counts = self.counts(groups);
                if let Some(smallest) = counts.iter().min_by_key(|count| count.samples) {
                    let GroupCount { class, group, samples } = smallest;
                    progress.note(&format!(
                        "dfr: {} groups, the smallest {class} · {group} of {samples}",
                        counts.len()
                    ));
                }
                let (l2, chosen) = match l2 {
                    Some(l2) => (*l2, None),
                    None => {
                        let chosen = ChosenByGroup::by_worst_group(&known, *seed)?;
                        progress.note(&said_of_groups(&chosen));
                        (chosen.l2(), Some(chosen))
                    }
                };
                let linear = known.fit(l2, *seed, *retrainings)?;
                note_end(settings, &linear, progress);
                let (seed, retrainings) = (*seed, *retrainings);
                let groups_digest = groups.digest(self.train.samples().map(|sample| sample.id.as_str()));
                let fit = Fit::Dfr { l2, chosen, seed, retrainings, groups_digest, groups: counts };
                (Probe::Linear(linear), fit)
            }
        })
    }

    fn counts(&self, groups: &Groups) -> Vec<GroupCount> {
        let classes = &self.dataset.taxonomy().classes;
        let count = |(group, samples): (&in9_data::groups::Group, usize)| GroupCount {
            class: classes[usize::from(group.class)].name.clone(),
            group: group.name.clone(),
            samples,
        };
        groups.groups.iter().zip(groups.counts()).map(count).collect()
    }
}

/// Says so if the search ended before it was done.
fn note_end(settings: &Settings, linear: &Linear, progress: &Progress) {
    if !linear.is_settled() {
        let (name, steps, left) = (settings.name(), linear.steps, linear.gradient);
        progress.note(&format!("{name}: ended after {steps} steps at a gradient of {left:.1e}"));
    }
}

/// Which strength was chosen, in a line.
fn said(chosen: &Chosen) -> String {
    let (l2, held_out) = (chosen.l2(), chosen.held_out);
    let accuracy = percent(l2, &chosen.tried, &chosen.accuracy);
    format!("linear: l2 {l2:e} by {held_out} photographs held out, {accuracy} of them right{}", end(l2))
}

/// The same of a strength that was chosen by the worst group.
fn said_of_groups(chosen: &ChosenByGroup) -> String {
    let (l2, judged) = (chosen.l2(), chosen.judged);
    let worst = percent(l2, &chosen.tried, &chosen.worst_group);
    format!("dfr: l2 {l2:e} by {judged} photographs, {worst} of their worst group right{}", end(l2))
}

/// What was measured with the strength `l2`.
fn percent(l2: f64, tried: &[f64], measured: &[f64]) -> String {
    let found = tried.iter().zip(measured).find(|(tried, _)| **tried == l2);
    format!("{:.1} %", 100.0 * found.map_or(0.0, |(_, measured)| *measured))
}

/// What is to be said of a strength at an end of those that were tried.
fn end(l2: f64) -> &'static str {
    match STRENGTHS[0] == l2 || STRENGTHS[STRENGTHS.len() - 1] == l2 {
        true => ", an end of what was tried",
        false => "",
    }
}
