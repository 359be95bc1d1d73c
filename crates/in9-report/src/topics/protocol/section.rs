//! What was measured with what, as the cards beside the prediction tables say it.

use crate::context::Context;
use crate::page::{Block, Section};
use in9_analysis::leaderboard::tables;
use in9_analysis::output::Grid;
use in9_data::predictions::Card;

/// Rows of a table that is shown at once; longer ones are opened when asked for.
const SHOWN: usize = 12;

/// The section, if any table has a card.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let cards: Vec<&Card> = context.cards.iter().collect();
    if cards.is_empty() {
        return None;
    }
    let folded = |summary: &str, grid: Grid| match grid.rows.len() {
        ..=SHOWN => Block::Table(grid),
        _ => Block::Details(summary.to_owned(), vec![Block::Table(grid)]),
    };
    let mut blocks = vec![
        folded(
            "Every network by its weights",
            tables::networks("Networks by their weights and transforms", &cards),
        ),
        folded(
            "Every test by its pictures",
            tables::tests("Test pictures by their dataset’s digest", &cards),
        ),
    ];
    let without = context.spec.predictions.len() - cards.len();
    if without > 0 {
        let tables = if without == 1 { "1 prediction table has" } else { "prediction tables have" };
        let count = if without == 1 { String::new() } else { format!("{without} ") };
        blocks.push(Block::Prose(format!(
            "{count}{tables} no card, so that nobody says what was measured there with what."
        )));
    }
    Some(Section {
        id: "protocol",
        title: "What was measured with what".into(),
        lead: "From the cards beside the prediction tables. Two networks can be ranked against each other if everything \
               about their test pictures is the same, and the way from their outputs to classes is too; digests are \
               shown by their first twelve digits and stand whole in results.json."
            .into(),
        blocks,
    })
}
