//! Every accuracy with its interval, and the box-size leak.

mod section;

use super::Topic;
use in9_analysis::output::csv_files;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    tables: &[("accuracy.csv", |context, _| Ok(csv_files::accuracy(&context.summaries)?))],
    ..Topic::EMPTY
};
