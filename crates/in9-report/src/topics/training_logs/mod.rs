//! Training curves from the runs' `log.csv`.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| Ok(section::section(context)), ..Topic::EMPTY };
