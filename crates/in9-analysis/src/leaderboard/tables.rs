//! Boards and cards as tables for people.

use super::board::{Board, Group, Measure, Standing};
use super::protocol::short;
use crate::output::Grid;
use crate::output::number::{percent, percent_interval, points_interval};
use in9_data::View;
use in9_data::predictions::{Card, CardNetwork, CardSplit};

/// What stands where there is nothing.
const NONE: &str = "–";

/// The networks of a group: rank, what they are ranked by, how far behind the first, and their accuracies and gaps. Accuracies
/// that nothing is ranked by stand without their intervals, which [`csv`](super::csv()) has.
pub fn ranking(title: &str, board: &Board, group: &Group) -> Grid {
    let (by, views) = (board.rules.by, Board::views(group));
    let ranked = group.is_ranked();
    let header = ["rank", "network", "trained on"].into_iter().map(str::to_owned);
    let mut header: Vec<String> = header.skip(usize::from(!ranked)).collect();
    if ranked {
        header.extend([by.name(), "behind the first (points)".to_owned()]);
    }
    // What is ranked by stands once.
    let others: Vec<View> =
        views.into_iter().filter(|view| !ranked || by != Measure::Accuracy(*view)).collect();
    header.extend(others.iter().map(View::to_string));
    let gaps = (!ranked || by != Measure::Gap) && group.networks.iter().any(|one| one.summary.gap.is_some());
    header.extend(gaps.then(|| "BG-gap (points)".to_owned()));
    let mut grid = Grid { title: title.to_owned(), header, rows: Vec::new() };
    for one in &group.networks {
        let mut row = Vec::new();
        row.extend(one.rank.map(|rank| place(rank.rank, rank.low, rank.high)));
        let mark = if one.trusted { " (no card, trusted)" } else { "" };
        row.push(format!("{}{mark}", one.summary.key.model));
        row.push(or_none(&one.summary.key.trained_on));
        if let (Some(rank), Some(value)) = (one.rank, one.value) {
            row.push(match by {
                Measure::Accuracy(_) => percent_interval(&value),
                Measure::Gap => points_interval(&value),
            });
            let first = rank.behind.value == 0.0 && rank.behind.low == rank.behind.high;
            row.push(if first { NONE.to_owned() } else { percent_interval(&rank.behind) });
        }
        let accuracy = |view: &View| one.summary.accuracy(*view).map(|a| percent(a.accuracy.value));
        row.extend(others.iter().map(|view| accuracy(view).unwrap_or_else(|| NONE.to_owned())));
        if gaps {
            row.push(one.summary.gap.map_or_else(|| NONE.to_owned(), |gap| points_interval(&gap.gap)));
        }
        grid.push(row);
    }
    grid
}

/// A place with its interval, `2 [1, 4]`; alone if no other is possible.
fn place(rank: usize, low: usize, high: usize) -> String {
    if low == high { rank.to_string() } else { format!("{rank} [{low}, {high}]") }
}

/// What every field of the protocols of a board is, one column a protocol.
pub fn protocols(title: &str, named: &[(String, &Group)]) -> Grid {
    let mut names: Vec<&'static str> = Vec::new();
    for field in named.iter().flat_map(|(_, group)| group.protocol.fields()) {
        if !names.contains(&field.name) {
            names.push(field.name);
        }
    }
    let header =
        std::iter::once("field".to_owned()).chain(named.iter().map(|(name, _)| name.clone())).collect();
    let mut grid = Grid { title: title.to_owned(), header, rows: Vec::new() };
    for name in names {
        let of = |group: &Group| {
            let field = group.protocol.fields().find(|field| field.name == name);
            field.map_or("unknown".to_owned(), |field| match name {
                "dataset digest" => short(&field.value).to_owned(),
                _ => field.value.clone(),
            })
        };
        let cells = named.iter().map(|(_, group)| of(group));
        grid.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
    grid
}

/// What networks are, by their cards: digest of the weights, transform, mapping or prompts, what was learnt on their features
/// if anything was, device. One row a network that was measured in the same way; the same row never twice.
pub fn networks(title: &str, cards: &[&Card]) -> Grid {
    let mut header =
        vec!["network", "weights", "from", "mean", "deviation", "mapping", "prompts", "computed on"];
    let learnt = cards.iter().flat_map(|card| &card.networks).any(|network| network.probe.is_some());
    header.extend(learnt.then_some("learnt on its features"));
    let mut grid = Grid::new(title, &header);
    for (card, network) in cards.iter().flat_map(|card| card.networks.iter().map(move |one| (card, one))) {
        let CardNetwork { model, weights, origin, mean, std, mapping, prompts, probe, .. } = network;
        let told = prompts.as_ref().map(|told| format!("{} ({})", told.name, short(&told.digest)));
        let mut row = vec![
            model.clone(),
            or_none(short(weights)),
            or_none(origin),
            three(mean),
            three(std),
            mapping.clone(),
            told.unwrap_or_else(|| NONE.to_owned()),
            or_none(&card.device),
        ];
        row.extend(learnt.then(|| probe.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string)));
        if !grid.rows.contains(&row) {
            grid.push(row);
        }
    }
    grid
}

/// What networks were tested on, by their cards: one row a set of pictures, with the number of networks.
pub fn tests(title: &str, cards: &[&Card]) -> Grid {
    let header = ["dataset", "digest", "split", "pictures", "side (px)", "views", "pairings", "networks"];
    let mut rows: Vec<(Vec<String>, usize)> = Vec::new();
    for card in cards {
        for CardSplit { name, stored, side, views } in &card.test.split {
            let side =
                if stored == side { side.to_string() } else { format!("{stored} → {side}, bicubic") };
            let row = vec![
                card.test.dataset.clone(),
                short(&card.test.digest).to_owned(),
                name.clone(),
                card.test.pictures.to_string(),
                side,
                named(views),
                card.test.pairings.to_string(),
            ];
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, count)) => *count += card.networks.len(),
                None => rows.push((row, card.networks.len())),
            }
        }
    }
    let mut grid = Grid::new(title, &header);
    for (row, count) in rows {
        grid.push(row.into_iter().chain([count.to_string()]).collect());
    }
    grid
}

/// Views by the name of their list, where they are one.
fn named(views: &[String]) -> String {
    let is = |list: &[View]| list.iter().map(|view| view.name()).eq(views.iter().map(String::as_str));
    match views {
        _ if is(&View::ALL) => format!("all {}", views.len()),
        _ if is(&View::PAPER) => format!("the paper’s {}", views.len()),
        _ => views.join(", "),
    }
}

fn three(values: &[f32; 3]) -> String {
    let [first, rest @ ..] = values;
    match rest.iter().all(|value| value == first) {
        true => first.to_string(),
        false => values.map(|value| value.to_string()).join(" "),
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { NONE.to_owned() } else { text.to_owned() }
}

/// What the board says of each group in one sentence, `None` of the first.
pub fn apart(group: &Group) -> Option<String> {
    let all: Vec<String> = group.differs.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The measure of a standing in percent or points, for charts.
pub fn scaled(one: &Standing) -> Option<crate::stats::Interval> {
    one.value.map(|value| value.scaled(100.0))
}

/// A standing's value in a few words.
pub fn shown(by: Measure, one: &Standing) -> String {
    match (by, one.value) {
        (Measure::Accuracy(_), Some(value)) => format!("{} %", percent(value.value)),
        (Measure::Gap, Some(value)) => crate::output::number::points(value.value),
        (_, None) => NONE.to_owned(),
    }
}
