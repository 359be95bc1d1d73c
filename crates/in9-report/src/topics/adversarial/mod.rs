//! Adversarial backgrounds: Figures 3, 4 and 22 to 29.

mod claims;
mod figures;
mod rates;
mod section;
mod tables;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS],
    judge: claims::claims,
    section: |context, _| section::section(context),
    results: |context, _| results("adversarial", &context.probes.adversarial),
    ..Topic::EMPTY
};
