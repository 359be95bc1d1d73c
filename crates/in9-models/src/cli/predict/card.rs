//! The card beside a prediction table: what was measured with what.

use std::path::Path;

use in9_data::View;
use in9_data::predictions::{Card, CardNetwork, CardPictures, CardPrompts, CardSplit, CardTest};

use super::Source;
use super::pieces::Settings;
use crate::classifier::NetworkRecord;

/// Whose a card is.
const MADE_BY: &str = "in9-models predict";

/// Checks that nothing else stands where the card of the table at `out` will be.
pub(super) fn check_place(out: &Path) -> anyhow::Result<()> {
    Ok(Card::check_place(out, MADE_BY)?)
}

/// Writes the card of the table at `table`, which has just been written.
pub(super) fn write(table: &Path, settings: &Settings, sources: &[Source<'_>]) -> anyhow::Result<()> {
    let card = Card {
        card: Card::KIND.to_owned(),
        made_by: format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        table: Card::digest_of(table)?,
        device: settings.device.clone(),
        network: network(&settings.network),
        test: CardTest {
            dataset: settings.dataset.clone(),
            digest: settings.data.clone(),
            pictures: if settings.published { CardPictures::Published } else { CardPictures::Recomposed },
            pairings: settings.pairings,
            split: sources.iter().map(|source| split(source, settings.size)).collect(),
        },
    };
    Ok(card.write(table, MADE_BY)?)
}

fn split(source: &Source<'_>, size: Option<u16>) -> CardSplit {
    let stored = source.split.size() as u32;
    CardSplit {
        name: source.split.name().to_owned(),
        stored,
        side: size.map_or(stored, u32::from),
        views: source.views.iter().map(View::to_string).collect(),
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
    }
}
