//! What was measured with what, as the cards beside the prediction tables say it.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| Ok(section::section(context)), ..Topic::EMPTY };
