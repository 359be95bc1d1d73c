//! The claims and their verdicts.

use crate::error::Result;
use crate::report::block::{Block, Section};
use crate::report::claims::{Claim, Figure, Unjudged, Verdict, tally, unjudged};
use askama::Template;

#[derive(Template)]
#[template(path = "claims.html")]
struct Page<'a> {
    claims: Vec<Entry<'a>>,
}

/// A claim with its verdicts on each split.
struct Entry<'a> {
    statement: &'a str,
    rule: &'a str,
    /// What it would take to judge the claim; empty if it is judged.
    needs: &'a str,
    published: &'a str,
    source: &'a str,
    verdicts: Vec<Badge>,
    splits: Vec<String>,
    /// One row a figure: its label, then its value on each split.
    figures: Vec<(String, Vec<String>)>,
}

struct Badge {
    class: &'static str,
    text: &'static str,
    split: String,
}

/// The section, unless nothing could be judged.
pub(crate) fn section(claims: &[Claim]) -> Result<Option<Section>> {
    if claims.is_empty() {
        return Ok(None);
    }
    let mut entries: Vec<(&str, Entry<'_>)> = Vec::new();
    for claim in claims {
        let position = entries.iter().position(|(id, _)| *id == claim.id);
        let at = position.unwrap_or_else(|| {
            entries.push((claim.id, entry(claim)));
            entries.len() - 1
        });
        add(&mut entries[at].1, claim);
    }
    let missing = unjudged(claims).into_iter().map(missing);
    let left = missing.len();
    let html = Page { claims: entries.into_iter().map(|(_, e)| e).chain(missing).collect() }.render()?;
    let (seen, not_seen, undecided) = tally(claims);
    Ok(Some(Section {
        id: "claims",
        title: "What the paper says, and what is seen here".into(),
        lead: format!(
            "{seen} seen, {not_seen} not seen, {undecided} undecided; {left} more stand at the end that these inputs \
             cannot speak about. A claim is seen when the whole \
             interval of each of its figures obeys the rule, not seen when one interval breaks it, \
             and undecided otherwise. An arrow reads: trained on → tested on."
        ),
        blocks: vec![Block::Html(html)],
    }))
}

/// A claim of the paper about which the inputs say nothing: it is shown too, so that none is passed over.
fn missing<'a>(unjudged: Unjudged) -> Entry<'a> {
    Entry {
        statement: unjudged.statement,
        rule: "",
        needs: unjudged.needs,
        published: unjudged.published,
        source: unjudged.source,
        verdicts: vec![Badge { class: "not-judged", text: "not judged", split: String::new() }],
        splits: Vec::new(),
        figures: Vec::new(),
    }
}

fn entry(claim: &Claim) -> Entry<'_> {
    Entry {
        statement: claim.statement,
        rule: &claim.rule,
        needs: "",
        published: claim.published,
        source: claim.source,
        verdicts: Vec::new(),
        splits: Vec::new(),
        figures: Vec::new(),
    }
}

fn add(entry: &mut Entry<'_>, claim: &Claim) {
    let (class, text) = match claim.verdict {
        Verdict::Seen => ("seen", "seen"),
        Verdict::Undecided => ("undecided", "undecided"),
        Verdict::NotSeen => ("not-seen", "not seen"),
    };
    entry.verdicts.push(Badge { class, text, split: claim.split.clone() });
    let known = entry.splits.len();
    entry.splits.push(claim.split.clone());
    for figure in &claim.figures {
        let position = entry.figures.iter().position(|(label, _)| *label == figure.label);
        let at = position.unwrap_or_else(|| {
            entry.figures.push((figure.label.clone(), vec!["–".into(); known]));
            entry.figures.len() - 1
        });
        entry.figures[at].1.push(printed(figure));
    }
    for (_, values) in &mut entry.figures {
        values.resize(known + 1, "–".into());
    }
}

fn printed(figure: &Figure) -> String {
    let i = figure.value;
    let text = match figure.unit {
        "points" => format!("{:+.1} [{:+.1}, {:+.1}] points", i.value, i.low, i.high),
        "%" => format!("{:.1} % [{:.1}, {:.1}]", i.value, i.low, i.high),
        _ => format!("{:.2} [{:.2}, {:.2}]", i.value, i.low, i.high),
    };
    text.replace('-', "−")
}
