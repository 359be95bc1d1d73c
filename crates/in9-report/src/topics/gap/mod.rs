//! The BG-gap of each network.

mod claims;
mod cost;
mod section;

use super::Topic;
use in9_analysis::output::csv_files;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS],
    judge_test_set: |context, set| Ok(claims::claims(context, set)),
    section: |context, _| section::section(context),
    tables: &[("gaps.csv", |context, _| Ok(csv_files::gaps(&context.summaries)?))],
    ..Topic::EMPTY
};
