//! A board in numbers: one row a network, fractions in full precision.

use super::board::{Board, Measure};
use crate::error::Result;
use crate::output::csv_files::encode;
use crate::stats::Interval;
use in9_data::View;

/// The board as CSV. `protocol` numbers the groups from 1 in the board's order; what a network was not tested on, and the
/// rank of one that is not ranked, are empty.
///
/// # Errors
/// If it cannot be encoded, which only running out of memory can cause.
pub fn csv(board: &Board) -> Result<Vec<u8>> {
    let tested = |view: &View| board.groups.iter().any(|group| Board::views(group).contains(view));
    let views: Vec<View> = View::ALL.into_iter().filter(tested).collect();
    let fixed = [
        "protocol",
        "known",
        "rank",
        "rank_low",
        "rank_high",
        "dataset",
        "split",
        "model",
        "arch",
        "trained_on",
        "weights",
        "mapping",
        "prompts",
        "probe",
        "side",
        "table",
        "by",
        "value",
        "low",
        "high",
        "behind",
        "behind_low",
        "behind_high",
        "gap",
        "gap_low",
        "gap_high",
    ];
    let of_view = |view: &View| ["", "_low", "_high"].map(|end| format!("{}{end}", view.name()));
    let more: Vec<String> = views.iter().flat_map(of_view).collect();
    let header: Vec<&str> = fixed.into_iter().chain(more.iter().map(String::as_str)).collect();
    let by = match board.rules.by {
        Measure::Accuracy(view) => view.name(),
        Measure::Gap => "gap",
    };
    let mut rows = Vec::new();
    for (number, group) in (1..).zip(&board.groups) {
        for one in &group.networks {
            let (key, card) = (&one.summary.key, one.card.as_ref());
            let network = card.and_then(|card| card.network(&key.model));
            let side = card.and_then(|card| card.split(&key.split)).map(|split| split.side.to_string());
            let told = network.and_then(|network| network.prompts.as_ref()).map(|told| told.name.clone());
            let probe = network.and_then(|network| network.probe.as_ref()).map(ToString::to_string);
            let places = one.rank.map(|rank| [rank.rank, rank.low, rank.high].map(|place| place.to_string()));
            let known = if card.is_some() {
                "yes"
            } else if one.trusted {
                "trusted"
            } else {
                "no"
            };
            let mut row: Vec<String> = vec![format!("{number}"), known.to_owned()];
            row.extend(places.unwrap_or_default());
            row.extend([&key.dataset, &key.split, &key.model, &key.arch, &key.trained_on].map(Clone::clone));
            row.push(network.map(|network| network.weights.clone()).unwrap_or_default());
            row.push(network.map(|network| network.mapping.clone()).unwrap_or_default());
            row.extend([
                told.unwrap_or_default(),
                probe.unwrap_or_default(),
                side.unwrap_or_default(),
                one.table.clone(),
                by.to_owned(),
            ]);
            row.extend(limits(one.value));
            row.extend(limits(one.rank.map(|rank| rank.behind)));
            row.extend(limits(one.summary.gap.map(|gap| gap.gap)));
            for view in &views {
                row.extend(limits(one.summary.accuracy(*view).map(|a| a.accuracy)));
            }
            rows.push(row);
        }
    }
    encode(&header, rows)
}

fn limits(interval: Option<Interval>) -> [String; 3] {
    let Some(i) = interval else { return Default::default() };
    [i.value, i.low, i.high].map(|v| if v.is_nan() { String::new() } else { v.to_string() })
}
