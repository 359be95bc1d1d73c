//! The gap with the masks of each source, and with sources at random.

use super::{called, pictures};
use crate::context::{Context, names};
use crate::error::Result;
use crate::page::{Block, Section};
use crate::plot::Dots;
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent, percent_interval, points_interval};
use in9_analysis::probes::written::MaskSources;
use std::path::PathBuf;

/// The section, if the probe was run.
///
/// # Errors
/// If a picture cannot be read or shown.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let all = &context.probes.mask_sources;
    let Some((folder, first)) = all.first() else { return Ok(None) };
    let mut blocks: Vec<Block> = pictures::pictures(folder, first)?.into_iter().collect();
    let networks = names(all.iter().map(|(_, s)| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let charts = all.iter().zip(&networks).filter_map(|((_, probe), name)| {
        let caption = format!(
            "BG-gap of {name} on {} {} photographs with the masks of each source. Whiskers: 95 % intervals over \
             photographs; of the last, over photographs and sources both.",
            probe.result.images, probe.source.dataset
        );
        Block::figure(chart(probe, name), caption)
    });
    blocks.push(Block::Columns(charts.collect()));
    blocks.extend([Block::Table(gaps(all)), Block::Table(shares(all))]);
    Ok(Some(Section {
        id: "mask-sources",
        title: "Sources of masks".into(),
        lead: "Who draws the masks decides what is pasted, and with it the gap. Here each photograph is put on the same \
               backgrounds with its mask from each of several sources. The last gap holds photographs and sources both \
               for random: it is what a gap would be with another source of this kind, and its limits are wide where \
               the sources are few. This assumes that the sources at hand are drawn from those that one might have \
               used."
            .into(),
        blocks,
    }))
}

/// The gap with each source, then with sources at random.
fn chart(probe: &MaskSources, network: &str) -> Option<String> {
    let gaps = called(probe).into_iter().zip(&probe.result.gaps);
    let rows = gaps.chain([("sources at random".to_owned(), &probe.result.gap)]);
    let chart = Dots {
        label: format!("BG-gap of {network} with the masks of each source"),
        axis: "BG-gap (points)".into(),
        rows: rows.map(|(name, gap)| (name, gap.scaled(100.0))).collect(),
    };
    chart.svg()
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
                origin.drawn_by(),
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
