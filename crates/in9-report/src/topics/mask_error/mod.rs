//! Errors of the masks: what they do to the BG-gap, and what it would be without them.

mod section;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    results: |context, _| results("mask_error", &context.probes.mask_error),
    ..Topic::EMPTY
};
