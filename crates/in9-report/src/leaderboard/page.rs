//! The leaderboard's page.

use in9_analysis::leaderboard::{Board, Group, Measure, Standing, tables};
use in9_analysis::output::number::{percent, points};
use in9_data::predictions::Card as TableCard;

use crate::error::Result;
use crate::page::{self, Block, Card, Head, Section, Written};
use crate::plot::Dots;

/// Networks of a chart; of more, none can be read.
const CHARTED: usize = 30;

/// Networks that have a card at the top.
const AT_THE_TOP: usize = 4;

/// Every group with its name: known protocols are lettered, and a network without a card stands by itself.
pub(super) fn named(board: &Board) -> Vec<(String, &Group)> {
    let mut known = 0;
    let name = |group: &Group| {
        let first = group.networks.first();
        if group.known {
            known += 1;
            let key = first.map(|one| &one.summary.key);
            let set = key.map_or_else(String::new, |key| format!(" · {} · {}", key.dataset, key.split));
            format!("Protocol {}{set}", letters(known))
        } else {
            format!("Unknown protocol · {}", first.map_or("", |one| &one.summary.key.model))
        }
    };
    let names: Vec<String> = board.groups.iter().map(name).collect();
    names.into_iter().zip(&board.groups).collect()
}

/// A, B, … Z, AA, AB, …
fn letters(number: usize) -> String {
    let (mut rest, mut text) = (number, String::new());
    while rest > 0 {
        rest -= 1;
        text.insert(0, char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    text
}

/// What the table of a group shows.
pub(super) fn title(board: &Board, group: &Group) -> String {
    let (level, by) = (100.0 * board.rules.bootstrap.level, board.rules.by.name());
    let what = format!("accuracies in %, BG-gaps with {level:.0} % intervals");
    match (group.is_ranked(), group.known) {
        (true, _) => format!("Ranked by {by}, with {level:.0} % intervals; other accuracies in %"),
        (false, true) if group.networks.len() == 1 => {
            format!("One network, so that there is nothing to rank; {what}")
        }
        (false, true) => {
            format!("Not ranked, because not every network was tested on what {by} needs; {what}")
        }
        (false, false) => format!("Not ranked, because nobody says how it was measured; {what}"),
    }
}

/// The page.
pub(super) fn page(title: &str, board: &Board) -> Result<Written> {
    let named = named(board);
    let (known, unknown): (Vec<_>, Vec<_>) = named.iter().partition::<Vec<_>, _>(|(_, group)| group.known);
    let mut sections = Vec::new();
    if let Some(((name, first), others)) = known.split_first() {
        sections.push(Section {
            id: "ranked",
            title: name.clone(),
            lead: alike(first),
            blocks: blocks(board, name, first),
        });
        let apart: Vec<Block> = others.iter().flat_map(|(name, group)| other(board, name, group)).collect();
        if !apart.is_empty() {
            sections.push(Section {
                id: "apart",
                title: "Measured differently".into(),
                lead: format!(
                    "These networks were measured differently from those of {name}, so that they have no place among \
                     them. Each table says what differs."
                ),
                blocks: apart,
            });
        }
    }
    if !unknown.is_empty() {
        sections.push(Section {
            id: "unknown",
            title: "Unknown protocol".into(),
            lead: "No card beside these tables says what was measured with what. They are not ranked.".into(),
            blocks: unknown.iter().flat_map(|(name, group)| other(board, name, group)).collect(),
        });
    }
    sections.push(measured(board, &named));
    sections.push(methods(board));
    page::write(
        Head {
            title,
            subtitle: subtitle(board),
            notice: notice(board),
            cards: cards(board),
            ..Head::default()
        },
        &sections,
    )
}

fn subtitle(board: &Board) -> String {
    let known = board.groups.iter().filter(|group| group.known).count();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let unknown = board.groups.len() - known;
    let more = if unknown == 0 { String::new() } else { format!(" · {unknown} of unknown protocol") };
    format!(
        "by {} · {} · {}{more}",
        board.rules.by.name(),
        plural(board.len(), "network"),
        plural(known, "protocol")
    )
}

/// What the reader must know before the ranks are believed.
fn notice(board: &Board) -> Option<String> {
    let mut all = Vec::new();
    if !board.rules.across.is_empty() {
        let fields: Vec<&str> = board.rules.across.iter().map(|across| across.field()).collect();
        all.push(format!("Ranked across differences of {}, as was asked for.", fields.join(" and ")));
    }
    let trusted = board.groups.iter().flat_map(|group| &group.networks).filter(|one| one.trusted).count();
    if trusted > 0 {
        all.push(format!(
            "{trusted} without a card, and trusted, as was asked for: their rows are those of the others, and nobody says \
             more of them."
        ));
    }
    (!all.is_empty()).then(|| all.join(" "))
}

/// The first networks of the first protocol.
fn cards(board: &Board) -> Vec<Card> {
    let Some(group) = board.groups.first().filter(|group| group.is_ranked()) else { return Vec::new() };
    let (by, print): (_, fn(f64) -> String) = match board.rules.by {
        Measure::Accuracy(_) => (board.rules.by, percent),
        Measure::Gap => (board.rules.by, points),
    };
    let card = |one: &Standing| {
        let (rank, value) = (one.rank?, one.value?);
        let limits = if value.low.is_nan() {
            String::new()
        } else {
            format!("{} to {}", print(value.low), print(value.high))
        };
        let places = match rank.low == rank.high {
            true => format!("place {}", rank.rank),
            false => format!("place {}, anywhere from {} to {}", rank.rank, rank.low, rank.high),
        };
        Some(Card {
            name: one.summary.key.model.clone(),
            value: tables::shown(by, one),
            limits,
            label: places,
            more: Vec::new(),
        })
    };
    group.networks.iter().take(AT_THE_TOP).filter_map(card).collect()
}

/// What the networks of a group have in common.
fn alike(group: &Group) -> String {
    let fields: Vec<String> = group
        .protocol
        .fields()
        .filter(|field| matches!(field.name, "pairings" | "picture side" | "origin of pictures" | "mapping"))
        .map(|field| format!("{}: {}", field.name, field.value))
        .collect();
    match (group.networks.len(), fields.as_slice()) {
        (1, _) => "One network.".to_owned(),
        (count, []) => format!("{count} networks with the same rows; nobody says more of them."),
        (count, fields) => {
            format!("{count} networks, measured alike on the same pictures ({}).", fields.join("; "))
        }
    }
}

fn blocks(board: &Board, name: &str, group: &Group) -> Vec<Block> {
    let table = Block::Table(tables::ranking(&format!("{name}. {}", title(board, group)), board, group));
    let figure = Block::figure(
        chart(board, name, group),
        format!(
            "{} of each network with its own {:.0} % interval, in the order of the table. Whether two networks differ is told \
             by the table’s ranks: they were tested on the same photographs, and these intervals do not know it.",
            capital(&board.rules.by.name()),
            100.0 * board.rules.bootstrap.level
        ),
    );
    std::iter::once(table).chain(figure.filter(|_| group.networks.len() > 1)).collect()
}

/// A group that is not the first, with what differs.
fn other(board: &Board, name: &str, group: &Group) -> Vec<Block> {
    let why = tables::apart(group).map(|apart| Block::Prose(format!("{name}: {apart}.")));
    why.into_iter().chain(blocks(board, name, group)).collect()
}

fn chart(board: &Board, name: &str, group: &Group) -> Option<String> {
    let row = |one: &Standing| Some((one.summary.key.model.clone(), tables::scaled(one)?));
    let chart = Dots {
        label: format!("{} by network, {name}", board.rules.by.name()),
        axis: board.rules.by.name(),
        rows: group.networks.iter().take(CHARTED).filter_map(row).collect(),
    };
    chart.svg()
}

/// What was measured with what.
fn measured(board: &Board, named: &[(String, &Group)]) -> Section {
    let all = || board.groups.iter().flat_map(|group| &group.networks);
    let cards: Vec<&TableCard> = all().filter_map(|one| one.card.as_ref()).collect();
    let mut blocks = vec![Block::Table(tables::protocols("Protocols, field by field", named))];
    if !cards.is_empty() {
        blocks.push(Block::Table(tables::networks("Networks by their weights and transforms", &cards)));
        blocks.push(Block::Table(tables::tests("Test pictures by their dataset’s digest", &cards)));
    }
    Section {
        id: "measured",
        title: "What was measured with what".into(),
        lead: "Two networks have one protocol if every field of it is the same. Digests are shown by their first twelve \
               digits; results.json has them whole. How a network’s inputs are normalised, what it was told about the \
               classes, and what was learnt on its features, is its own affair."
            .into(),
        blocks,
    }
}

fn methods(board: &Board) -> Section {
    let b = &board.rules.bootstrap;
    let level = 100.0 * b.level;
    let prose = [
        format!(
            "A rank in brackets is an interval: all true ranks of a protocol lie in theirs together in {level:.0} % of cases \
             (Mogstad, Romano, Shaikh and Wilhelm 2024). A network is certainly below as many others as beat it in simultaneous \
             bands of all differences of two networks, from {} resamples of whole photographs (seed {}), which keeps the \
             pairing. With more networks the intervals grow, as they must when the best of many is looked for.",
            b.replicates, b.seed
        ),
        format!(
            "“Behind the first” is the first’s measure minus the network’s, with limits of the same bands, so that they hold \
             although the first was chosen by these data. Each network’s own limits are for it alone: accuracies by Wilson’s \
             interval, BG-gaps by a percentile bootstrap over photographs, at {level:.0} %."
        ),
        "Ranks are about these networks on these photographs. They say nothing of what another training of the same network \
         would give."
            .to_owned(),
    ];
    Section {
        id: "methods",
        title: "Methods".into(),
        lead: String::new(),
        blocks: prose.into_iter().map(Block::Prose).collect(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_lettered() {
        let of: Vec<String> = [1, 26, 27, 52, 703].into_iter().map(letters).collect();
        assert_eq!(of, ["A", "Z", "AA", "AZ", "AAA"]);
    }
}
