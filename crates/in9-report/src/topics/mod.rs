//! The topics of the page, one folder each, in the order in which they are read.
//!
//! A topic's folder holds everything about its subject: the claims that it can judge, its section with figures and
//! tables, its CSV files, its part of `results.json`, its templates. To add one, make a folder whose `mod.rs` gives a
//! [`Topic`], and name it in [`TOPICS`].

mod accuracy;
mod additivity;
mod adversarial;
mod background_training;
mod categories;
mod classes;
mod counterfactual;
mod datasets;
mod examples;
mod gap;
mod groups;
mod levels;
mod limits;
mod mask_error;
mod mask_sources;
mod matrix;
mod methods;
mod other_tests;
mod pasting;
mod progress;
mod protocol;
mod published;
mod rho_sweep;
mod saliency;
mod surface;
mod training_logs;
mod training_sets;
mod verdicts;

use crate::claims::{Claim, Statement, settle};
use crate::context::{Context, TestSet};
use crate::error::Result;
use crate::page::Section;
use serde_json::Value;

/// Every topic, in the order of the page's sections.
pub(crate) const TOPICS: [Topic; 28] = [
    gap::TOPIC,
    pasting::TOPIC,
    matrix::TOPIC,
    other_tests::TOPIC,
    groups::TOPIC,
    examples::TOPIC,
    verdicts::TOPIC,
    levels::TOPIC,
    categories::TOPIC,
    background_training::TOPIC,
    counterfactual::TOPIC,
    additivity::TOPIC,
    adversarial::TOPIC,
    saliency::TOPIC,
    mask_error::TOPIC,
    mask_sources::TOPIC,
    surface::TOPIC,
    rho_sweep::TOPIC,
    progress::TOPIC,
    training_sets::TOPIC,
    classes::TOPIC,
    accuracy::TOPIC,
    datasets::TOPIC,
    training_logs::TOPIC,
    published::TOPIC,
    protocol::TOPIC,
    methods::TOPIC,
    limits::TOPIC,
];

/// Named entries of `results.json`.
pub(crate) type Entries = Vec<(String, Value)>;

/// A CSV file beside the page: its name, and what makes its contents.
pub(crate) type Table = (&'static str, fn(&Context, &[Claim]) -> Result<Vec<u8>>);

/// What the report says on one subject. A topic gives what it has; the rest is [`Topic::EMPTY`]'s.
pub(crate) struct Topic {
    /// Claims of the paper, in the order in which they are judged; those that the inputs cannot speak about are listed
    /// as not judged.
    pub(crate) statements: &'static [&'static [Statement]],
    /// Judges what one test set of the main data set can speak about.
    pub(crate) judge_test_set: fn(&Context, &TestSet<'_>) -> Result<Vec<Claim>>,
    /// Judges what is not about one test set.
    pub(crate) judge: fn(&Context) -> Result<Vec<Claim>>,
    /// The part of the page, from the inputs and every topic's claims; `None` where the inputs have nothing for it.
    pub(crate) section: fn(&Context, &[Claim]) -> Result<Option<Section>>,
    /// CSV files beside the page: fractions in full precision.
    pub(crate) tables: &'static [Table],
    /// Entries of `more` in `results.json`.
    pub(crate) results: fn(&Context, &[Claim]) -> Result<Entries>,
}

impl Topic {
    /// A topic that says nothing.
    pub(crate) const EMPTY: Self = Self {
        statements: &[],
        judge_test_set: |_, _| Ok(Vec::new()),
        judge: |_| Ok(Vec::new()),
        section: |_, _| Ok(None),
        tables: &[],
        results: |_, _| Ok(Vec::new()),
    };
}

/// Every claim that the inputs can speak about: topic by topic those about test sets, each on the test split first,
/// then the others; judged together.
///
/// # Errors
/// If an input that was readable no longer is.
pub(crate) fn judge(context: &Context) -> Result<Vec<Claim>> {
    let sets = context.test_sets();
    let mut claims = Vec::new();
    for topic in &TOPICS {
        let start = claims.len();
        for set in &sets {
            claims.extend((topic.judge_test_set)(context, set)?);
        }
        together(&mut claims[start..]);
    }
    for topic in &TOPICS {
        claims.extend((topic.judge)(context)?);
    }
    settle(&mut claims, context.bootstrap.level);
    Ok(claims)
}

/// Puts the same claim on several test sets side by side, in the order in which claims first stand.
fn together(claims: &mut [Claim]) {
    let mut order: Vec<&'static str> = Vec::new();
    for claim in &*claims {
        if !order.contains(&claim.id) {
            order.push(claim.id);
        }
    }
    claims.sort_by_key(|c| order.iter().position(|id| *id == c.id));
}

/// Every section that the inputs can fill.
///
/// # Errors
/// If a template fails or an input that was readable no longer is.
pub(crate) fn sections(context: &Context, claims: &[Claim]) -> Result<Vec<Section>> {
    let sections = TOPICS.iter().map(|topic| (topic.section)(context, claims));
    Ok(sections.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}
