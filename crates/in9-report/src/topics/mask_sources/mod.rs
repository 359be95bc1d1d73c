//! Sources of masks: the BG-gap with each, and how much of its variance is which source drew them.

mod pictures;
mod section;

use super::Topic;
use crate::context::results;
use in9_analysis::probes::written::{MaskOrigin, MaskSources};

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| section::section(context),
    results: |context, _| results("mask_sources", &context.probes.mask_sources),
    ..Topic::EMPTY
};

/// What each source is called: who drew the masks, or what was done to the first one's; and the dataset, too, where that alone
/// does not tell them apart.
fn called(probe: &MaskSources) -> Vec<String> {
    let short = |origin: &MaskOrigin| origin.change.clone().unwrap_or_else(|| origin.masks.clone());
    let name = |origin: &MaskOrigin| {
        let name = short(origin);
        let alone = probe.sources.iter().filter(|other| short(other) == name).count() == 1;
        if alone { name } else { format!("{name} ({})", origin.dataset) }
    };
    probe.sources.iter().map(name).collect()
}
