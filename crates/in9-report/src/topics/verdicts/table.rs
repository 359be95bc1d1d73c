//! The claims for machines: CSV and JSON.

use super::unjudged::unjudged;
use crate::claims::Claim;
use crate::error::Result;
use in9_analysis::output::csv_files::encode;
use serde_json::Value;

/// The claims for `results.json`, and those that the inputs say nothing about.
///
/// # Errors
/// If a claim cannot be represented as JSON.
pub(super) fn results(claims: &[Claim]) -> Result<Vec<(String, Value)>> {
    Ok(vec![
        ("claims".to_owned(), serde_json::to_value(claims)?),
        ("not_judged".to_owned(), serde_json::to_value(unjudged(claims))?),
    ])
}

/// The claims as CSV, one row a figure.
///
/// # Errors
/// If the table cannot be encoded.
pub(super) fn csv(claims: &[Claim]) -> Result<Vec<u8>> {
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
        "trainings",
        "p",
        "p_holm",
        "p_false_discovery",
        "p_for",
        "p_against",
        "worth",
        "shows",
        "power",
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
                f.trainings.to_string(),
                c.p.to_string(),
                c.p_holm.to_string(),
                c.p_discovery.to_string(),
                f.tests.p_for.to_string(),
                f.tests.p_against.to_string(),
                f.worth.map(number).unwrap_or_default(),
                f.shows.map(number).unwrap_or_default(),
                f.power.map(number).unwrap_or_default(),
            ]
        })
    });
    Ok(encode(&header, rows)?)
}
