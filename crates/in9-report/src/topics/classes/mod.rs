//! Class by class.

mod section;

use super::Topic;
use in9_analysis::output::csv_files;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    tables: &[
        ("classes.csv", |context, _| Ok(csv_files::classes(&context.frame, &context.summaries)?)),
        ("confusion.csv", |context, _| Ok(csv_files::confusion(&context.frame, &context.summaries)?)),
    ],
    ..Topic::EMPTY
};
