//! The card beside a prediction table, as `predict` and `probe` write it: what was measured with what.

use std::path::Path;

use in9_data::predictions::{Card, CardNetwork, CardProbe, CardPrompts, CardSplit, CardTest};
use in9_data::{Split, View};

use crate::classifier::NetworkRecord;
use crate::probe::ProbeRecord;

/// Checks that nothing else stands where the card of the table at `out`, which `made_by` will write, will be.
pub(super) fn check_place(out: &Path, made_by: &str) -> anyhow::Result<()> {
    Ok(Card::check_place(out, made_by)?)
}

/// Writes the card of the table at `table`, which `made_by` has just written of the answers of `networks`.
pub(super) fn write<'a>(
    table: &Path,
    made_by: &str,
    device: &str,
    networks: impl IntoIterator<Item = &'a NetworkRecord>,
    test: CardTest,
) -> anyhow::Result<()> {
    let card = Card {
        card: Card::KIND.to_owned(),
        made_by: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        table: Card::digest_of(table)?,
        device: device.to_owned(),
        networks: networks.into_iter().map(network).collect(),
        test,
    };
    Ok(card.write(table, made_by)?)
}

/// What the card says of `split` in these views, of pictures that were resized to `size`, if they were.
pub(super) fn split(split: &Split, size: Option<u16>, views: &[View]) -> CardSplit {
    let stored = split.size() as u32;
    CardSplit {
        name: split.name().to_owned(),
        stored,
        side: size.map_or(stored, u32::from),
        views: views.iter().map(View::to_string).collect(),
    }
}

fn network(record: &NetworkRecord) -> CardNetwork {
    let record = record.clone();
    CardNetwork {
        model: record.model,
        arch: record.arch,
        trained_on: record.trained_on,
        weights: record.weights,
        origin: record.origin,
        mean: record.mean,
        std: record.std,
        normalization: record.normalization,
        mapping: record.mapping,
        prompts: record.zero_shot.map(|told| CardPrompts {
            name: told.prompts,
            digest: told.prompts_digest,
            templates: told.templates,
            vocabulary: told.vocabulary,
        }),
        probe: record.probe.map(probe),
    }
}

fn probe(ProbeRecord { features, fit, data, .. }: ProbeRecord) -> CardProbe {
    CardProbe {
        method: fit.name().to_owned(),
        settings: fit.to_string(),
        features,
        dataset: data.dataset,
        digest: data.digest,
        split: data.split,
        view: data.view,
        side: data.size as u32,
    }
}
