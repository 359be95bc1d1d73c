//! Reliance in feature space: what features owe to objects and to backgrounds, and whether the two add up.

mod section;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    results: |context, _| results("additivity", &context.probes.additivity),
    ..Topic::EMPTY
};
