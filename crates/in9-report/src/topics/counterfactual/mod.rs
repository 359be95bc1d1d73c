//! Counterfactual attribution: reliance as a graded quantity.

mod claims;
mod section;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS],
    judge: claims::claims,
    section: |context, _| section::section(context),
    results: |context, _| results("counterfactual", &context.probes.counterfactual),
    ..Topic::EMPTY
};
