//! The same networks on other test sets than the main one: the column IN-9L of Tables 2 and 5, and the official
//! release's own pictures.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| Ok(section::section(context)), ..Topic::EMPTY };
