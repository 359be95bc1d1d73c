//! The probes of a command line, learnt on the features of its training split.

use anyhow::bail;
use in9_base::shell::Progress;
use in9_data::{Dataset, Split};

use super::Args;
use crate::classifier::NetworkRecord;
use crate::encoder::Encoder;
use crate::probe::{
    Chosen, Features, Fit, Linear, Nearest, Probe, ProbeRecord, STRENGTHS, Settings, Strength, TrainingData,
};

/// A probe with its name in tables.
pub(super) struct Learnt {
    pub(super) probe: Probe,
    pub(super) record: NetworkRecord,
}

/// The probes, learnt on the training split's features.
pub(super) fn learn(
    args: &Args,
    dataset: &Dataset,
    train: &Split,
    encoder: &Encoder,
    settings: &[Settings],
    progress: &Progress,
) -> anyhow::Result<Vec<Learnt>> {
    progress.rename(&format!("features of {} {}", train.name(), args.view));
    let size = args.pictures.side();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    let batch = args.pictures.batch_size();
    encoder.features_of(dataset, train, args.view, batch, size, &mut |batch| {
        batch.features.rows().for_each(|row| values.extend_from_slice(row));
        labels.extend(batch.indices.iter().map(|place| train.sample(*place as usize).class));
        progress.add(batch.indices.len() as u64);
        Ok(())
    })?;
    if labels.is_empty() {
        bail!("{}: split {} holds no photograph to learn from", args.pictures.data.display(), train.name());
    }
    let features = Features::new(values, encoder.width())?;
    let classes = dataset.taxonomy().len();
    let mut learnt = Vec::new();
    for settings in settings {
        progress.rename(&format!("learning {}", settings.name()));
        let (probe, fit) = match settings {
            Settings::Linear(strength) => {
                let (l2, chosen) = match strength {
                    Strength::Given(l2) => (*l2, None),
                    Strength::Chosen { seed } => {
                        let chosen = Chosen::by_holding_out(&features, &labels, classes, train, *seed)?;
                        progress.note(&said(&chosen));
                        (chosen.l2(), Some(chosen))
                    }
                };
                let linear = Linear::fit(&features, &labels, classes, l2, None)?;
                if !linear.is_settled() {
                    let (steps, left) = (linear.steps, linear.gradient);
                    progress.note(&format!("linear: ended after {steps} steps at a gradient of {left:.1e}"));
                }
                (Probe::Linear(linear), Fit::Linear { l2, chosen })
            }
            Settings::Nearest { k, temperature } => {
                let nearest = Nearest::new(&features, &labels, classes, *k, *temperature)?;
                (Probe::Nearest(nearest), Fit::Knn { k: *k, temperature: *temperature })
            }
        };
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

/// Which strength was chosen, in a line.
fn said(chosen: &Chosen) -> String {
    let l2 = chosen.l2();
    let accuracy = chosen.tried.iter().zip(&chosen.accuracy).find(|(tried, _)| **tried == l2);
    let accuracy = 100.0 * accuracy.map_or(0.0, |(_, accuracy)| *accuracy);
    let held_out = chosen.held_out;
    let end = STRENGTHS[0] == l2 || STRENGTHS[STRENGTHS.len() - 1] == l2;
    let end = if end { ", an end of what was tried" } else { "" };
    format!("linear: l2 {l2:e} by {held_out} photographs held out, {accuracy:.1} % of them right{end}")
}
