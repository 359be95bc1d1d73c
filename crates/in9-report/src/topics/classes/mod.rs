//! Class by class.

mod section;

use super::Topic;
use in9_analysis::output::csv_files;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    tables: |context, _| {
        let (frame, summaries) = (&context.frame, &context.summaries);
        Ok(vec![
            ("classes.csv", csv_files::classes(frame, summaries)?),
            ("confusion.csv", csv_files::confusion(frame, summaries)?),
        ])
    },
    ..Topic::EMPTY
};
