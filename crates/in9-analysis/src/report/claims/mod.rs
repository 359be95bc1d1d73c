//! The paper's qualitative claims, each marked as seen, not seen or undecided.
//!
//! A claim is a few numbers with intervals and a rule. A number is *seen* when its whole interval
//! obeys the rule, *not seen* when its whole interval breaks it, and *undecided* otherwise. A claim
//! of several numbers is seen only if all are, not seen if one is not and none is, and *mixed* if
//! one is and another is not.

mod categories;
mod curves;
mod dial;
mod matrix;
mod probes;
mod progress;
mod rule;
mod training;

pub use rule::{Rule, Verdict};

use crate::error::{Error, Result};
use crate::output::csv_files::encode;
use crate::report::context::{Context, TestSet};
use crate::stats::Interval;
use serde::Serialize;

/// A number that speaks for or against a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub label: String,
    /// Its value, in percent, points or as it stands.
    pub value: Interval,
    /// Unit for printing: `%`, `points` or nothing.
    pub unit: &'static str,
    /// What it says.
    pub verdict: Verdict,
}

/// A claim with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// Stable name.
    pub id: &'static str,
    /// Split of the main data set, or empty if the claim is about something else.
    pub split: String,
    /// The claim in one sentence.
    pub statement: &'static str,
    /// How its figures are judged.
    pub rule: String,
    /// Place in the paper.
    pub source: &'static str,
    /// What the paper found.
    pub published: &'static str,
    /// The evidence.
    pub figures: Vec<Figure>,
    /// The verdict over all figures.
    pub verdict: Verdict,
}

/// What a claim says, before it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) id: &'static str,
    pub(crate) statement: &'static str,
    pub(crate) source: &'static str,
    pub(crate) published: &'static str,
    pub(crate) rule: Rule,
    pub(crate) unit: &'static str,
    /// Inputs without which there is nothing to judge.
    pub(crate) needs: &'static str,
}

/// A claim that the inputs say nothing about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unjudged {
    /// Stable name.
    pub id: &'static str,
    /// The claim in one sentence.
    pub statement: &'static str,
    /// Place in the paper.
    pub source: &'static str,
    /// What the paper found.
    pub published: &'static str,
    /// Inputs that would speak about it.
    pub needs: &'static str,
}

impl Statement {
    /// Judges figures in the statement's unit; `None` if there are none to judge.
    pub(crate) fn judge(self, split: &str, figures: Vec<(String, Interval)>) -> Option<Claim> {
        let figures: Vec<Figure> = figures
            .into_iter()
            .filter(|(_, value)| value.value.is_finite())
            .map(|(label, value)| {
                let verdict = self.rule.judge(&value);
                Figure { label, value, unit: self.unit, verdict }
            })
            .collect();
        let verdict = Verdict::over(&figures.iter().map(|f| f.verdict).collect::<Vec<_>>())?;
        Some(Claim {
            id: self.id,
            split: split.into(),
            statement: self.statement,
            rule: self.rule.describe(self.unit),
            source: self.source,
            published: self.published,
            figures,
            verdict,
        })
    }
}

/// Every claim that the inputs can speak about.
///
/// # Errors
/// As [`crate::metrics::categories()`].
pub fn evaluate(context: &Context) -> Result<Vec<Claim>> {
    let sets = context.test_sets();
    let mut claims = Vec::new();
    for set in &sets {
        claims.extend(per_test_set(context, set)?);
    }
    // Claims of the same kind stand together, test split first.
    let mut order: Vec<&'static str> = Vec::new();
    for claim in &claims {
        if !order.contains(&claim.id) {
            order.push(claim.id);
        }
    }
    claims.sort_by_key(|c| order.iter().position(|id| *id == c.id));
    claims.extend(dial::claims(context));
    claims.extend(probes::claims(context)?);
    Ok(claims)
}

fn per_test_set(context: &Context, set: &TestSet<'_>) -> Result<Vec<Claim>> {
    let mut claims = matrix::claims(context, set);
    claims.extend(categories::claims(context, set));
    claims.extend(curves::claims(context, set));
    claims.extend(training::claims(context, set));
    claims.extend(progress::claims(context, set));
    Ok(claims)
}

/// The paper's claims that are not among `claims`.
pub fn unjudged(claims: &[Claim]) -> Vec<Unjudged> {
    let papers = [
        &matrix::STATEMENTS[..],
        &categories::STATEMENTS,
        &curves::STATEMENTS,
        &training::STATEMENTS,
        &progress::STATEMENTS,
        &probes::STATEMENTS,
    ];
    let missing = papers.concat().into_iter().filter(|s| !claims.iter().any(|c| c.id == s.id));
    missing
        .map(|s| Unjudged {
            id: s.id,
            statement: s.statement,
            source: s.source,
            published: s.published,
            needs: s.needs,
        })
        .collect()
}

/// What stands in the place of the paper's finding where the paper has none: such claims are this report's own.
pub(crate) const NOT_MEASURED: &str = "not measured in the paper";

/// The paper's claims by verdict, each counted once: on the first test set that speaks about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Claims that were judged.
    pub judged: usize,
    /// Seen.
    pub seen: usize,
    /// Not seen.
    pub not_seen: usize,
    /// Seen by one measure and not by another.
    pub mixed: usize,
    /// Undecided.
    pub undecided: usize,
    /// Further claims that are this report's own, whatever their verdict.
    pub own: usize,
}

/// Counts claims.
pub fn tally(claims: &[Claim]) -> Tally {
    let mut tally = Tally::default();
    for (i, claim) in claims.iter().enumerate() {
        if claims[..i].iter().any(|c| c.id == claim.id) {
            continue;
        }
        if claim.published == NOT_MEASURED {
            tally.own += 1;
            continue;
        }
        tally.judged += 1;
        match claim.verdict {
            Verdict::Seen => tally.seen += 1,
            Verdict::NotSeen => tally.not_seen += 1,
            Verdict::Mixed => tally.mixed += 1,
            Verdict::Undecided => tally.undecided += 1,
        }
    }
    tally
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { judged, seen, not_seen, mixed, undecided, .. } = self;
        write!(f, "{seen} of {judged} seen, {not_seen} not seen, {mixed} mixed, {undecided} undecided")
    }
}

/// The claims for `results.json`, and those that the inputs say nothing about.
///
/// # Errors
/// If a claim cannot be represented as JSON.
pub fn json(claims: &[Claim]) -> Result<serde_json::Map<String, serde_json::Value>> {
    let value = serde_json::to_value(claims).map_err(|e| Error::Usage(e.to_string()))?;
    let missing = serde_json::to_value(unjudged(claims)).map_err(|e| Error::Usage(e.to_string()))?;
    Ok([("claims".to_owned(), value), ("not_judged".to_owned(), missing)].into_iter().collect())
}

/// The claims as CSV, one row a figure.
///
/// # Errors
/// If the table cannot be encoded.
pub fn csv(claims: &[Claim]) -> Result<Vec<u8>> {
    let header = [
        "claim",
        "split",
        "verdict",
        "figure",
        "value",
        "low",
        "high",
        "unit",
        "figure_verdict",
        "rule",
        "source",
    ];
    let rows = claims.iter().flat_map(|c| {
        c.figures.iter().map(move |f| {
            let number = |v: f64| if v.is_nan() { String::new() } else { v.to_string() };
            vec![
                c.id.to_owned(),
                c.split.clone(),
                c.verdict.name().to_owned(),
                f.label.clone(),
                number(f.value.value),
                number(f.value.low),
                number(f.value.high),
                f.unit.to_owned(),
                f.verdict.name().to_owned(),
                c.rule.clone(),
                c.source.to_owned(),
            ]
        })
    });
    encode(&header, rows)
}
