//! The claims and their verdicts.

use super::unjudged::{Unjudged, unjudged};
use crate::claims::{Claim, Figure, tally};
use crate::context::Context;
use crate::error::Result;
use crate::page::{Block, Section};
use askama::Template;

#[derive(Template)]
#[template(path = "topics/verdicts/claims.html")]
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
pub(crate) fn section(context: &Context, claims: &[Claim]) -> Result<Option<Section>> {
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
    let t = tally(claims);
    let on = claims.iter().map(|c| c.split.as_str()).find(|s| !s.is_empty()).unwrap_or("the test set");
    let own = match t.own {
        0 => String::new(),
        own => format!(
            " Another {own} claims are not the paper's: they follow from it, or from how the toy world is made."
        ),
    };
    let left = match left {
        0 => String::new(),
        left => format!(" {left} more, listed last, cannot be judged from these inputs."),
    };
    Ok(Some(Section {
        id: "claims",
        title: "The paper's claims, checked here".into(),
        lead: format!(
            "Of the paper's claims, on {on}: {t}.{own}{left} Each claim has a rule for its figures. It is supported \
             if the whole interval of every figure obeys the rule, contradicted if the whole interval of one figure \
             breaks it and none obeys it, mixed if one breaks it and another obeys it, and inconclusive otherwise. \
             Other splits repeat the test. The paper gives no thresholds: those in the rules are this report's. \
             Intervals cover the choice of test images, not the variation between training runs: {}. The label \
             “original → mixed-rand” means: trained on original, tested on mixed-rand.",
            seeds(context)
        ),
        blocks: vec![Block::Html(html)],
    }))
}

/// What the verdicts say about the variation between training runs.
fn seeds(context: &Context) -> String {
    match context.seed_groups().iter().map(|g| g.models.len()).max() {
        None => "each network was trained once".into(),
        Some(most) => format!(
            "a claim about a network uses the first of its seeds (up to {most} were trained; see BG-gap)"
        ),
    }
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
    let name = claim.verdict.name();
    entry.verdicts.push(Badge { class: name, text: name, split: claim.split.clone() });
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
        // A single measurement has no limits.
        "points" if i.low.is_nan() => format!("{:+.1} points", i.value),
        "%" if i.low.is_nan() => format!("{:.1} %", i.value),
        _ if i.low.is_nan() => format!("{:.2}", i.value),
        "points" => format!("{:+.1} [{:+.1}, {:+.1}] points", i.value, i.low, i.high),
        "%" => format!("{:.1} % [{:.1}, {:.1}]", i.value, i.low, i.high),
        _ => format!("{:.2} [{:.2}, {:.2}]", i.value, i.low, i.high),
    };
    text.replace('-', "−")
}
