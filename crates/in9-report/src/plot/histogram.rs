//! Counts over ranges of a value (the paper's Figure 4).

use super::axes::{LEFT, RIGHT, Width, fill, horizontal_axis, vertical_axis};
use super::scale::{Scale, nice_range, tick_label};
use super::svg::Svg;

/// A histogram.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Title of the horizontal axis.
    pub(crate) x_axis: String,
    /// Title of the vertical axis.
    pub(crate) y_axis: String,
    /// The values.
    pub(crate) values: Vec<f64>,
    /// Number of equally wide bins.
    pub(crate) bins: usize,
    /// Across the page or beside another chart.
    pub(crate) width: Width,
}

impl Histogram {
    /// Count of values in each bin over the chart's range; the last bin holds its upper edge.
    pub(crate) fn counts(&self) -> (Vec<usize>, (f64, f64)) {
        let (low, high) = nice_range(self.values.iter().copied().chain([0.0]));
        let bins = self.bins.max(1);
        let mut counts = vec![0; bins];
        for v in self.values.iter().filter(|v| v.is_finite()) {
            let at = ((v - low) / (high - low) * bins as f64) as usize;
            counts[at.min(bins - 1)] += 1;
        }
        (counts, (low, high))
    }

    /// The chart as SVG; `None` if there is no value to count.
    pub(crate) fn svg(&self) -> Option<String> {
        if !self.values.iter().any(|v| v.is_finite()) {
            return None;
        }
        let across = self.width.pixels();
        let (counts, range) = self.counts();
        let (top, plot) = (12.0, 220.0);
        let mut svg = Svg::new(across, top + plot + 48.0, &self.label);
        let x = Scale::new(range, (LEFT, across - RIGHT));
        let tallest = counts.iter().copied().max().unwrap_or(0) as f64;
        let y = Scale::new(nice_range([0.0, tallest]), (top + plot, top));
        vertical_axis(&mut svg, &y, &y.ticks(5), &self.y_axis);
        let ticks: Vec<_> = x.ticks(self.width.ticks()).into_iter().map(|v| (v, tick_label(v))).collect();
        horizontal_axis(&mut svg, &x, &ticks, top + plot, &self.x_axis);
        let width = (range.1 - range.0) / counts.len() as f64;
        for (i, &count) in counts.iter().enumerate() {
            let (from, to) = (range.0 + width * i as f64, range.0 + width * (i + 1) as f64);
            let (a, b, up) = (x.at(from), x.at(to), y.at(count as f64));
            let tip = format!("{from:.1} to {to:.1}: {count}");
            svg.rect(&fill(0), a + 0.5, up, b - a - 1.0, top + plot - up, &tip);
        }
        Some(svg.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_the_edge_belongs_to_the_last_bin() {
        let h = Histogram {
            label: "h".into(),
            x_axis: "x".into(),
            y_axis: "y".into(),
            values: vec![0.0, 1.0, 5.0, 10.0],
            bins: 5,
            width: Width::Half,
        };
        let (counts, range) = h.counts();
        assert_eq!(range, (0.0, 10.0));
        assert_eq!(counts, vec![2, 0, 1, 0, 1]);
    }
}
