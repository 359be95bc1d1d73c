//! Sources of masks: the BG-gap with each, and how much of its variance is which source drew them.

mod pictures;
mod section;

use super::Topic;
use crate::context::results;
use in9_analysis::probes::written::MaskSources;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| section::section(context),
    results: |context, _| results("mask_sources", &context.probes.mask_sources),
    ..Topic::EMPTY
};

/// What each source is called: who drew the masks, and the dataset, too, where that alone does not tell them apart.
fn called(probe: &MaskSources) -> Vec<String> {
    let drawn: Vec<String> = probe.sources.iter().map(|origin| origin.drawn_by()).collect();
    let name = |(origin, by): (&in9_analysis::probes::written::MaskOrigin, &String)| {
        let alone = drawn.iter().filter(|other| *other == by).count() == 1;
        if alone { by.clone() } else { format!("{by} ({})", origin.dataset) }
    };
    probe.sources.iter().zip(&drawn).map(name).collect()
}
