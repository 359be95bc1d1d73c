//! Bias surfaces: accuracy and gap over how objects are pasted.

mod figures;
mod pictures;
mod section;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| section::section(context),
    results: |context, _| results("surface", &context.probes.surface),
    ..Topic::EMPTY
};
