//! The measures as CSV files: fractions in full precision, one row a number.

use crate::error::{Error, Result};
use crate::frame::{Frame, Key};
use crate::metrics::{Category, ModelSummary, PASTED};
use crate::stats::Interval;
use in9_data::View;
use std::borrow::Cow;

const KEY: [&str; 5] = ["dataset", "split", "model", "arch", "trained_on"];

fn key(k: &Key) -> Vec<String> {
    [&k.dataset, &k.split, &k.model, &k.arch, &k.trained_on].map(Clone::clone).to_vec()
}

fn limits(i: &Interval) -> [String; 3] {
    [i.value, i.low, i.high].map(|v| if v.is_nan() { String::new() } else { v.to_string() })
}

/// All CSV files as (name, contents).
///
/// # Errors
/// If a table cannot be encoded, which only running out of memory can cause.
pub fn files(frame: &Frame, summaries: &[ModelSummary]) -> Result<Vec<(&'static str, Vec<u8>)>> {
    Ok(vec![
        ("accuracy.csv", accuracy(summaries)?),
        ("classes.csv", classes(frame, summaries)?),
        ("confusion.csv", confusion(frame, summaries)?),
        ("gaps.csv", gaps(summaries)?),
        ("ladder.csv", ladder(summaries)?),
        ("categories.csv", categories(frame, summaries)?),
    ])
}

/// Encodes rows under a header as CSV for people and programs.
///
/// A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return
/// and is no number) gets an apostrophe before it, as OWASP advises against CSV injection; numbers and all other texts
/// are written as they are.
///
/// ```
/// use in9_analysis::output::csv_files::encode;
/// let bytes = encode(&["model", "gap"], [vec!["=1+1".into(), "-0.5".into()]])?;
/// assert_eq!(bytes, b"model,gap\n'=1+1,-0.5\n");
/// # Ok::<(), in9_analysis::Error>(())
/// ```
///
/// # Errors
/// [`Error::Encode`] if a row has another length than the header.
pub fn encode(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>> {
    let broken = Error::encode("CSV");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(&broken)?;
    for row in rows {
        writer.write_record(row.iter().map(|text| harmless(text).into_owned())).map_err(&broken)?;
    }
    writer.into_inner().map_err(Error::encode("CSV"))
}

/// A cell that no spreadsheet carries out.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Accuracy and balanced accuracy of each model and view.
///
/// # Errors
/// As [`encode`].
pub fn accuracy(summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let more =
        ["view", "correct", "total", "accuracy", "low", "high", "balanced", "balanced_low", "balanced_high"];
    let rows = summaries.iter().flat_map(|m| {
        m.views.iter().map(move |(view, a)| {
            let mut row = key(&m.key);
            row.extend([view.to_string(), a.correct.to_string(), a.total.to_string()]);
            row.extend(limits(&a.accuracy));
            row.extend(limits(&a.balanced));
            row
        })
    });
    encode(&[&KEY[..], &more].concat(), rows)
}

/// Recall of each class.
///
/// # Errors
/// As [`encode`].
pub fn classes(frame: &Frame, summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let more = ["view", "class", "correct", "total", "recall", "low", "high"];
    let mut rows = Vec::new();
    for m in summaries {
        for (view, a) in &m.views {
            for (name, r) in frame.classes.iter().zip(&a.recalls) {
                let mut row = key(&m.key);
                row.extend([view.to_string(), name.clone(), r.correct.to_string(), r.total.to_string()]);
                row.extend(limits(&r.recall));
                rows.push(row);
            }
        }
    }
    encode(&[&KEY[..], &more].concat(), rows)
}

/// How often each class was taken for each other; only what occurred.
///
/// # Errors
/// As [`encode`].
pub fn confusion(frame: &Frame, summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let mut rows = Vec::new();
    for m in summaries {
        for (view, a) in &m.views {
            for (truth, predicted, n) in a.confusion.occurred() {
                let mut row = key(&m.key);
                // An empty name is an answer outside the taxonomy, as in prediction tables.
                let name = |class: usize| frame.classes.get(class).cloned().unwrap_or_default();
                let predicted = predicted.map(name).unwrap_or_default();
                row.extend([view.to_string(), name(truth), predicted, n.to_string()]);
                rows.push(row);
            }
        }
    }
    encode(&[&KEY[..], &["view", "class", "predicted", "count"]].concat(), rows)
}

/// BG-gap of each model that has one.
///
/// # Errors
/// As [`encode`].
pub fn gaps(summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let more = ["foregrounds", "gap", "low", "high", "balanced_gap", "balanced_low", "balanced_high"];
    let rows = summaries.iter().filter_map(|m| {
        let gap = m.gap?;
        let mut row = key(&m.key);
        row.push(gap.foregrounds.to_string());
        row.extend(limits(&gap.gap));
        row.extend(limits(&gap.balanced));
        Some(row)
    });
    encode(&[&KEY[..], &more].concat(), rows)
}

/// The drop from photographs to mixed-rand step by step, of each model that has a ladder; then its parts by name.
///
/// # Errors
/// As [`encode`].
pub fn ladder(summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let more = ["photographs", "from", "to", "part", "cost", "low", "high"];
    let mut rows = Vec::new();
    for m in summaries {
        let Some(ladder) = &m.ladder else { continue };
        let mut push = |from: View, to: View, part: &str, cost: &Interval| {
            let mut row = key(&m.key);
            row.extend([ladder.photographs.to_string(), from.to_string(), to.to_string(), part.to_owned()]);
            row.extend(limits(cost));
            rows.push(row);
        };
        ladder.steps.iter().for_each(|step| push(step.from, step.to, "", &step.cost));
        push(View::Original, PASTED, "pasting", &ladder.pasting);
        push(PASTED, View::MixedRand, "background", &ladder.background);
        push(View::Original, View::MixedRand, "total", &ladder.total);
    }
    encode(&[&KEY[..], &more].concat(), rows)
}

/// Counts of the fine-grained categories, over all images and class by class.
///
/// # Errors
/// As [`encode`].
pub fn categories(frame: &Frame, summaries: &[ModelSummary]) -> Result<Vec<u8>> {
    let mut rows = Vec::new();
    for m in summaries {
        let Some(c) = &m.categories else { continue };
        let mut push = |class: &str, category: &str, n: u64, total: u64| {
            let mut row = key(&m.key);
            row.extend([class.to_owned(), category.to_owned(), n.to_string(), total.to_string()]);
            rows.push(row);
        };
        for (category, n) in Category::ALL.iter().zip(c.counts) {
            push("", category.name(), n, c.total);
        }
        push("", "BG Fools (same wrong class)", c.fools_same_class, c.total);
        let strict = c.per_class.iter().zip(&c.fools_same_class_per_class);
        for (class, (counts, strict)) in frame.classes.iter().zip(strict) {
            let total = counts.iter().sum();
            for (category, n) in Category::ALL.iter().zip(counts) {
                push(class, category.name(), *n, total);
            }
            push(class, "BG Fools (same wrong class)", *strict, total);
        }
    }
    encode(&[&KEY[..], &["class", "category", "count", "total"]].concat(), rows)
}
