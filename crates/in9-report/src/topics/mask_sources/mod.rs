//! Sources of masks: the BG-gap with each, and how much of its variance is which source drew them.

mod section;

use super::Topic;
use crate::context::results;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    results: |context, _| results("mask_sources", &context.probes.mask_sources),
    ..Topic::EMPTY
};
