//! Charts of a surface: its levels, and all of its cells.

use crate::plot::{Bar, Bars, Group, Heatmap, Width};
use in9_analysis::probes::surface::{Axis, Point};
use in9_analysis::probes::written::Surface;
use in9_analysis::stats::Interval;

/// What is drawn of a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// Name with its unit.
    pub(super) axis: &'static str,
    /// The number, a fraction.
    pub(super) of: fn(&Point) -> Interval,
    /// Range of the vertical axis of bars; chosen from the values if absent.
    range: Option<(f64, f64)>,
}

/// Accuracy on random backgrounds, and the gap.
pub(super) const MEASURES: [Measure; 2] = [
    Measure { axis: "accuracy on random backgrounds (%)", of: |point| point.rand, range: Some((0.0, 100.0)) },
    Measure { axis: "BG-gap (points)", of: |point| point.gap, range: None },
];

/// A level's name on a chart of all axes.
pub(super) fn name(axis: Axis, level: &str) -> String {
    format!("{} {level}", axis.name())
}

/// Every level of every axis with more than one, averaged over the others; one colour a network.
pub(super) fn levels(measure: Measure, probes: &[&Surface], names: &[String]) -> Option<String> {
    let mut groups: Vec<Group> = Vec::new();
    for (series, probe) in probes.iter().enumerate() {
        for level in probe.all.levels.iter().filter(|level| probe.grid.levels(level.axis).len() > 1) {
            let label = name(level.axis, &level.level);
            let interval = (measure.of)(&level.point).scaled(100.0);
            let bar = Bar { series, interval, published: None, balanced: None };
            match groups.iter_mut().find(|group| group.label == label) {
                Some(group) => group.bars.push(bar),
                None => groups.push(Group { label, bars: vec![bar] }),
            }
        }
    }
    Bars {
        label: format!("{} by level", measure.axis),
        axis: measure.axis.into(),
        series: names.to_vec(),
        groups,
        level: None,
        range: measure.range,
        width: Width::Full,
    }
    .svg()
}

/// Every cell: position and size down, edge and likeness across.
pub(super) fn cells(measure: Measure, probe: &Surface, name: &str) -> Option<String> {
    let pairs = |first: Axis, second: Axis| -> Vec<(String, String)> {
        let inner = probe.grid.levels(second);
        let outer = probe.grid.levels(first);
        outer.iter().flat_map(|a| inner.iter().map(move |b| (a.clone(), b.clone()))).collect()
    };
    let (rows, columns) = (pairs(Axis::Position, Axis::Size), pairs(Axis::Edge, Axis::Similarity));
    let value = |(position, size): &(String, String), (edge, similarity): &(String, String)| {
        let wanted = [
            (Axis::Position, position),
            (Axis::Size, size),
            (Axis::Edge, edge),
            (Axis::Similarity, similarity),
        ];
        let here = |cell: &in9_analysis::probes::surface::Cell| {
            wanted.iter().all(|(axis, level)| cell.level(*axis) == **level)
        };
        let (_, point) = probe.all.cells.iter().find(|(cell, _)| here(cell))?;
        Some(100.0 * (measure.of)(point).value)
    };
    let values: Vec<Vec<Option<f64>>> =
        rows.iter().map(|row| columns.iter().map(|column| value(row, column)).collect()).collect();
    let all = || values.iter().flatten().flatten().copied();
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    Heatmap {
        label: format!("{} in every cell, {name}", measure.axis),
        row_axis: "position, size".into(),
        column_axis: "edge, likeness".into(),
        rows: rows.into_iter().map(|(position, size)| format!("{position}, {size}")).collect(),
        columns: columns.into_iter().map(|(edge, similarity)| format!("{edge}, {similarity}")).collect(),
        // A surface without any relief is one colour.
        range: if high > low { (low, high) } else { (low - 1.0, high + 1.0) },
        values,
        decimals: 1,
    }
    .svg()
}
