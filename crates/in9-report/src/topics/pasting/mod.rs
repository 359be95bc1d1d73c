//! What pasting costs and what the background costs: the drop from photographs to mixed-rand, step by step; and what
//! outline, size and place tell by themselves.

mod ladder;
mod leak;
mod rungs;
mod section;

use super::Topic;
use in9_analysis::output::csv_files;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| section::section(context),
    tables: &[("ladder.csv", |context, _| Ok(csv_files::ladder(&context.summaries)?))],
    ..Topic::EMPTY
};
