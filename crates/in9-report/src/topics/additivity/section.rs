//! Shares and additivity by layer.

use crate::context::{Context, names};
use crate::page::{Block, Section};
use crate::plot::{Lines, Series, Width};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{decimal_interval, percent_interval};
use in9_analysis::probes::additivity::LayerAdditivity;
use in9_analysis::probes::written::Additivity;
use in9_analysis::stats::Interval;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let all: Vec<&Additivity> = context.probes.additivity.iter().map(|(_, s)| s).collect();
    if all.is_empty() {
        return None;
    }
    let called = names(all.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let charts = [
        (
            "background's share (%)",
            "The background's share of the features' displacement from those of a black picture, by layer",
            (|layer| layer.background.scaled(100.0)) as fn(&LayerAdditivity) -> Interval,
        ),
        (
            "R² of the sum",
            "How well foreground alone and background alone, added, foretell the features of both together, by layer",
            |layer| layer.r2,
        ),
    ];
    let charts = charts.into_iter().filter_map(|(axis, what, of)| {
        let caption = format!(
            "{what}: from the input (left) to the features (right), one line a network; whiskers are 95 % bootstrap intervals \
             over photographs. The table names the layers."
        );
        Block::figure(chart(&all, &called, axis, what, of), caption)
    });
    let mut blocks = vec![Block::Columns(charts.collect())];
    blocks.push(Block::Table(features(&all, &called)));
    for (probe, name) in all.iter().zip(&called).filter(|(probe, _)| probe.layers.len() > 1) {
        let title = format!("By layer: {name} on {} {}", probe.source.dataset, probe.source.split);
        blocks.push(Block::Details(title.clone(), vec![Block::Table(layers(probe, title))]));
    }
    Some(Section {
        id: "additivity",
        title: "Objects and backgrounds in the features".into(),
        lead: "What an encoder makes of a picture, before any classifier. The pixels of each picture are divided between its \
               object and its background, and what the features owe to each are their Shapley values; the background's share \
               is 0 if only objects matter, 100 % if only backgrounds do. R² and cosine say how well the features of a picture \
               are foretold by those of its object alone and of its background alone, added (pixels of the other are black): \
               R² is 1 if the two add up exactly, and below 0 if the mean features of all pictures foretell them better."
            .into(),
        blocks,
    })
}

fn chart(
    probes: &[&Additivity],
    names: &[String],
    axis: &str,
    what: &str,
    of: fn(&LayerAdditivity) -> Interval,
) -> Option<String> {
    // Layers at their share of the way, so that networks of any depth stand beside each other.
    let series = probes.iter().zip(names).map(|(probe, name)| {
        let last = probe.layers.len().saturating_sub(1).max(1) as f64;
        let points = probe.layers.iter().enumerate().map(|(at, layer)| (100.0 * at as f64 / last, of(layer)));
        Series { name: name.clone(), points: points.collect(), marked: true }
    });
    let chart = Lines {
        label: what.to_owned(),
        x_axis: "layers from input to features (%)".into(),
        y_axis: axis.into(),
        series: series.collect(),
        range: None,
        logarithmic: false,
        own_ticks: false,
        width: Width::Half,
    };
    chart.svg()
}

/// The columns of [`numbers`].
const NUMBERS: [&str; 5] =
    ["channels", "foreground's share %", "background's share %", "R² of the sum", "cosine"];

fn features(probes: &[&Additivity], called: &[String]) -> Grid {
    let header = [&["network", "tested on", "view", "images", "features"], &NUMBERS[..]].concat();
    let mut grid =
        Grid::new("What features owe to objects and backgrounds (95 % bootstrap intervals)", &header);
    for (probe, name) in probes.iter().zip(called) {
        let Some(features) = probe.layers.last() else { continue };
        let about = [
            name.clone(),
            format!("{} {}", probe.source.dataset, probe.source.split),
            probe.view.to_string(),
            probe.images.to_string(),
            probe.features.clone(),
        ];
        grid.push(about.into_iter().chain(numbers(features)).collect());
    }
    grid
}

fn layers(probe: &Additivity, title: String) -> Grid {
    let mut grid = Grid::new(title, &[&["layer"], &NUMBERS[..]].concat());
    for layer in &probe.layers {
        grid.push([layer.layer.clone()].into_iter().chain(numbers(layer)).collect());
    }
    grid
}

fn numbers(layer: &LayerAdditivity) -> [String; 5] {
    [
        layer.width.to_string(),
        percent_interval(&layer.foreground),
        percent_interval(&layer.background),
        decimal_interval(&layer.r2),
        decimal_interval(&layer.cosine),
    ]
}
