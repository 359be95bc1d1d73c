//! What the data sets hold, and what was rejected by which rule.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| Ok(section::section(context)), ..Topic::EMPTY };
