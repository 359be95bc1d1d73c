//! The claims and their verdicts.

use super::unjudged::unjudged;
use crate::claims::{Claim, Figure, Verdict, tally};
use crate::context::Context;
use crate::error::Result;
use crate::page::{Block, Section};
use askama::Template;

#[derive(Template)]
#[template(path = "topics/verdicts/claims.html")]
struct Page<'a> {
    groups: Vec<Group<'a>>,
    /// Claims that cannot be judged, by what it would take.
    missing: Vec<Missing>,
}

/// The claims of one verdict.
struct Group<'a> {
    name: &'static str,
    count: usize,
    claims: Vec<Entry<'a>>,
}

/// Claims that need the same.
struct Missing {
    needs: &'static str,
    statements: Vec<&'static str>,
}

/// A claim with its verdicts on each split.
struct Entry<'a> {
    statement: &'a str,
    rule: &'a str,
    /// The verdict on the first split that speaks about it.
    verdict: Verdict,
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
    let mut groups = Vec::new();
    for verdict in [Verdict::Contradicted, Verdict::Mixed, Verdict::Inconclusive, Verdict::Supported] {
        let of = |(_, e): &(&str, Entry<'_>)| e.verdict == verdict;
        let (here, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(of);
        entries = others;
        let claims: Vec<Entry<'_>> = here.into_iter().map(|(_, e)| e).collect();
        if !claims.is_empty() {
            groups.push(Group { name: verdict.name(), count: claims.len(), claims });
        }
    }
    let html = Page { groups, missing: missing(claims) }.render()?;
    let t = tally(claims);
    let on = claims.iter().map(|c| c.split.as_str()).find(|s| !s.is_empty()).unwrap_or("the test set");
    let own = match t.own {
        0 => String::new(),
        own => format!(
            " Another {own} claims are not the paper's: they follow from it, or from how the toy world is made."
        ),
    };
    Ok(Some(Section {
        id: "claims",
        title: "The paper's claims, checked here".into(),
        lead: format!(
            "Of the paper's claims, on {on}: {t}.{own} Open a line to see its claims with their figures."
        ),
        blocks: vec![
            Block::Html(html),
            Block::Details(
                "How claims are judged".into(),
                vec![Block::Prose(format!(
                    "Each claim has a rule for its figures. It is supported if the whole interval of every figure obeys \
                     the rule, contradicted if the whole interval of one figure breaks it and none obeys it, mixed if one \
                     breaks it and another obeys it, and inconclusive otherwise. A claim stands where its verdict on the \
                     first split puts it; other splits repeat the test. The paper gives no thresholds: those in the rules \
                     are this report's. Intervals cover the choice of test images, not the variation between training \
                     runs: {}. The label “original → mixed-rand” means: trained on original, tested on mixed-rand.",
                    seeds(context)
                ))],
            ),
        ],
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

/// Claims of the paper about which the inputs say nothing, so that none is passed over.
fn missing(claims: &[Claim]) -> Vec<Missing> {
    let mut missing: Vec<Missing> = Vec::new();
    for claim in unjudged(claims) {
        match missing.iter_mut().find(|m| m.needs == claim.needs) {
            Some(m) => m.statements.push(claim.statement),
            None => missing.push(Missing { needs: claim.needs, statements: vec![claim.statement] }),
        }
    }
    missing
}

fn entry(claim: &Claim) -> Entry<'_> {
    Entry {
        statement: claim.statement,
        rule: &claim.rule,
        verdict: claim.verdict,
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
