//! The gap against the variance of the masks' errors, followed back to none.

use crate::context::{Context, names};
use crate::page::{Block, Section};
use crate::plot::{Lines, Series, Width};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent_interval, points_interval};
use in9_analysis::probes::written::MaskError;
use std::path::PathBuf;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let all = &context.probes.mask_error;
    let main = context.main_dataset();
    let here: Vec<&MaskError> = all.iter().map(|(_, s)| s).filter(|s| s.source.dataset == main).collect();
    if all.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    blocks.extend(figure(&here));
    blocks.push(Block::Table(table(all)));
    Some(Section {
        id: "mask-error",
        title: "Errors of the masks".into(),
        lead: "A mask that takes background for object, or object for background, changes mixed pictures and with them \
               the gap. Here the outline of each mask is displaced once more at random, by a little and by more, and \
               the gap is followed back to masks without error (simulation and extrapolation). This assumes that the \
               masks' own errors are of the same kind, of the size that the table gives, independent of the \
               photograph, and that the gap is a parabola in their variance."
            .into(),
        blocks,
    })
}

fn figure(probes: &[&MaskError]) -> Option<Block> {
    let called = names(probes.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let series = probes.iter().zip(called).map(|(s, name)| {
        let measured = [(1.0, s.result.gap)].into_iter();
        let more = s.result.levels.iter().map(|(level, gap)| (1.0 + level, *gap));
        let points = [(0.0, s.result.without_error)].into_iter().chain(measured).chain(more);
        Series { name, points: points.map(|(x, gap)| (x, gap.scaled(100.0))).collect(), marked: true }
    });
    let chart = Lines {
        label: "BG-gap against the variance of the masks' errors".into(),
        x_axis: "variance of the masks' errors, in multiples of their own".into(),
        y_axis: "BG-gap (points)".into(),
        series: series.collect(),
        range: None,
        logarithmic: false,
        own_ticks: true,
        width: Width::Full,
    };
    Block::figure(
        chart.svg(),
        "BG-gap against the variance of the masks' errors. At 1 the masks as they are; to the right with errors added; \
         at 0 the extrapolation to masks without error. Whiskers: 95 % bootstrap over photographs with all their masks.",
    )
}

fn table(probes: &[(PathBuf, MaskError)]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "images",
        "outlines off by (pixels)",
        "gap",
        "gap without error",
        "difference",
        "of the gap's variance from masks %",
    ];
    let mut grid = Grid::new("BG-gap with these masks and without their errors, in points", &header);
    for (_, s) in probes {
        let from = s.measured_on.map_or_else(|| "given".to_owned(), |n| format!("measured on {n}"));
        grid.push(vec![
            s.source.model.clone(),
            s.source.trained_on.clone(),
            format!("{} {}", s.source.dataset, s.source.split),
            s.result.images.to_string(),
            format!("{:.2} ({from})", s.boundary_error),
            points_interval(&s.result.gap),
            points_interval(&s.result.without_error),
            points_interval(&s.result.correction),
            percent_interval(&s.result.share_of_variance),
        ]);
    }
    grid
}
