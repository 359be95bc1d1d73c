//! The claims and their verdicts.

use super::unjudged::unjudged;
use crate::claims::{Claim, Figure, Verdict, tally};
use crate::context::Context;
use crate::error::Result;
use crate::page::{Block, Section};
use askama::Template;
use in9_analysis::output::number::p_value;

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
    /// Where the rule's margin is from.
    margin: &'a str,
    /// The verdict on the first split that speaks about it.
    verdict: Verdict,
    published: &'a str,
    source: &'a str,
    verdicts: Vec<Badge>,
    splits: Vec<String>,
    /// One row a figure: its label, then its value on each split.
    figures: Vec<(String, Vec<String>)>,
    /// What the test could have shown, its p-values, on how many trainings it rests, and where results.json has it; one
    /// line a split.
    notes: Vec<Note>,
}

struct Note {
    text: String,
    /// JSON pointer of the claim in results.json.
    row: String,
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
    for (row, claim) in claims.iter().enumerate() {
        let position = entries.iter().position(|(id, _)| *id == claim.id);
        let at = position.unwrap_or_else(|| {
            entries.push((claim.id, entry(claim)));
            entries.len() - 1
        });
        add(&mut entries[at].1, claim, row);
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
                    "A figure speaks for its claim when it rules out that the claim is false, and against it when it rules \
                     out that the claim is true with an effect worth its name: usually half of what the paper found. A \
                     claim is supported if every figure speaks for it, contradicted if every figure speaks against it, \
                     mixed if one speaks for it and another against it, and inconclusive otherwise; small, if the effect \
                     is there but smaller than worth the name. The p-values of all claims of the page are adjusted \
                     together by Holm's method, so that with a probability of at least 95 % no verdict is wrong; the \
                     false discovery rate (Benjamini and Yekutieli) stands beside. What a test could have shown is the \
                     smallest effect that it shows with a probability of 80 % under that adjustment. A claim stands where \
                     its verdict on the first split puts it; other splits repeat the test. {}. The label “original → mixed-rand” means: trained on original, tested on mixed-rand.",
                    seeds(context)
                ))],
            ),
        ],
    }))
}

/// What the verdicts say about the variation between training runs.
fn seeds(context: &Context) -> String {
    match context.seed_groups().iter().map(|g| g.models.len()).max() {
        None => "Each network was trained once, so verdicts are about these networks and not about training"
            .into(),
        Some(most) => format!(
            "Figures are means over all seeds of a network (up to {most} were trained), and their intervals cover the \
             variation between trainings; those that rest on one training say so"
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
        margin: claim.margin,
        verdict: claim.verdict,
        published: claim.published,
        source: claim.source,
        verdicts: Vec::new(),
        splits: Vec::new(),
        figures: Vec::new(),
        notes: Vec::new(),
    }
}

fn add(entry: &mut Entry<'_>, claim: &Claim, row: usize) {
    let name = claim.verdict.name();
    let text = if claim.small { "supported, small" } else { name };
    entry.verdicts.push(Badge { class: name, text, split: claim.split.clone() });
    entry.notes.push(Note { text: note(claim), row: format!("/more/claims/{row}") });
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

/// On what a verdict rests: trainings, p-values, power.
fn note(claim: &Claim) -> String {
    let trainings = match claim.trainings {
        1 => "one training".to_owned(),
        n => format!("{n} trainings"),
    };
    let mut text = match claim.split.as_str() {
        "" => trainings,
        split => format!("{split}: {trainings}"),
    };
    text += &format!(
        "; p {}, by Holm {}, by false discovery rate {}",
        p_value(claim.p),
        p_value(claim.p_holm),
        p_value(claim.p_discovery)
    );
    // One photograph has no power that could be told.
    let powers = claim.figures.iter().filter_map(|f| Some((f.power.filter(|power| power.is_finite())?, f)));
    let weakest = powers.min_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((power, figure)) = weakest {
        let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
        let effect = match (figure.worth, figure.shows) {
            (Some(worth), Some(shows)) => {
                format!(
                    "effects of {shows:.1}{unit}; one of {worth:.1}, worth the name, with {:.0} %",
                    100.0 * power
                )
            }
            (None, Some(_)) => format!("a truth of zero to be near zero with {:.0} %", 100.0 * power),
            _ => return text,
        };
        text += &format!("; could have shown {effect}");
    }
    text
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
