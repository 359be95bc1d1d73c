//! The gap with the masks of each source, and with sources at random.

use crate::context::Context;
use crate::page::{Block, Section};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent, percent_interval, points_interval};
use in9_analysis::probes::written::MaskSources;
use std::path::PathBuf;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let all = &context.probes.mask_sources;
    if all.is_empty() {
        return None;
    }
    Some(Section {
        id: "mask-sources",
        title: "Sources of masks".into(),
        lead: "Who draws the masks decides what is pasted, and with it the gap. Here each photograph is put on the same \
               backgrounds with its mask from each of several sources. The last gap holds photographs and sources both \
               for random: it is what a gap would be with another source of this kind, and its limits are wide where \
               the sources are few. This assumes that the sources at hand are drawn from those that one might have \
               used."
            .into(),
        blocks: vec![Block::Table(gaps(all)), Block::Table(shares(all))],
    })
}

fn gaps(probes: &[(PathBuf, MaskSources)]) -> Grid {
    let header = ["model", "trained on", "masks of", "drawn by", "images", "gap", "from the first"];
    let mut grid = Grid::new("BG-gap with the masks of each source, in points", &header);
    for (_, s) in probes {
        let apart = [String::new()].into_iter().chain(s.result.apart.iter().map(points_interval));
        for ((origin, gap), apart) in s.sources.iter().zip(&s.result.gaps).zip(apart) {
            grid.push(vec![
                s.source.model.clone(),
                s.source.trained_on.clone(),
                origin.dataset.clone(),
                origin.masks.clone(),
                s.result.images.to_string(),
                points_interval(gap),
                apart,
            ]);
        }
    }
    grid
}

fn shares(probes: &[(PathBuf, MaskSources)]) -> Grid {
    let header = [
        "model",
        "trained on",
        "sources",
        "gap, these sources",
        "gap, sources at random",
        "of the gap's variance from the source %",
        "from source and photograph together %",
        "photographs changed by the source %",
    ];
    let mut grid = Grid::new(
        "BG-gap over all sources, in points, and what the variance of a gap with one comes from",
        &header,
    );
    for (_, s) in probes {
        grid.push(vec![
            s.source.model.clone(),
            s.source.trained_on.clone(),
            s.sources.len().to_string(),
            points_interval(&s.result.fixed),
            points_interval(&s.result.gap),
            percent_interval(&s.result.share_of_source),
            percent(s.result.share_of_both),
            percent(s.result.changed),
        ]);
    }
    grid
}
