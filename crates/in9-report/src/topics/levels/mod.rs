//! How much of each figure's variance comes from photographs, pairings, shared backgrounds and trainings.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| Ok(section::section(context)), ..Topic::EMPTY };
