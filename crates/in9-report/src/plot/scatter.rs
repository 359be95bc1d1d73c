//! Points with a fitted line and its band (the paper's Figure 8).

use super::axes::{LEFT, Marks, RIGHT, Swatch, Width, fill, horizontal_axis, legend, stroke, vertical_axis};
use super::scale::{Scale, nice_range, tick_label};
use super::svg::Svg;
use in9_analysis::stats::regression::Line;

/// Points of one series with the line fitted through them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cloud {
    /// Name in the legend.
    pub(crate) name: String,
    /// (x, y, name of the point).
    pub(crate) points: Vec<(f64, f64, String)>,
    /// Fitted line in the units of the axes.
    pub(crate) line: Option<Line>,
}

/// A scatter chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scatter {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Title of the horizontal axis.
    pub(crate) x_axis: String,
    /// Title of the vertical axis.
    pub(crate) y_axis: String,
    /// The series, in colour order.
    pub(crate) clouds: Vec<Cloud>,
}

impl Scatter {
    /// The chart as SVG; `None` if there is no point to draw.
    pub(crate) fn svg(&self) -> Option<String> {
        let across = Width::Full.pixels();
        if self.clouds.iter().all(|cloud| cloud.points.is_empty()) {
            return None;
        }
        let names: Vec<String> = self.clouds.iter().map(|c| c.name.clone()).collect();
        let plot = 320.0;
        let top = legend(&mut Svg::new(across, 0.0, ""), &names, Marks::default(), Swatch::Area);
        let mut svg = Svg::new(across, top + plot + 48.0, &self.label);
        legend(&mut svg, &names, Marks::default(), Swatch::Area);
        let points = || self.clouds.iter().flat_map(|c| &c.points);
        let range = nice_range(points().map(|p| p.0));
        let x = Scale::new(range, (LEFT, across - RIGHT));
        let y = Scale::new(nice_range(points().map(|p| p.1)), (top + plot, top));
        vertical_axis(&mut svg, &y, &y.ticks(6), &self.y_axis);
        let ticks: Vec<_> = x.ticks(8).into_iter().map(|v| (v, tick_label(v))).collect();
        horizontal_axis(&mut svg, &x, &ticks, top + plot, &self.x_axis);
        for (k, cloud) in self.clouds.iter().enumerate() {
            if let Some(line) = &cloud.line {
                band(&mut svg, line, k, &x, &y, cloud);
            }
        }
        for (k, cloud) in self.clouds.iter().enumerate() {
            for (px, py, name) in &cloud.points {
                let tip = format!("{name} · {}: {py:.1} at {px:.1}", cloud.name);
                svg.circle(&fill(k), x.at(*px), y.at(*py), 4.0, &tip);
            }
        }
        Some(svg.finish())
    }
}

fn band(svg: &mut Svg, line: &Line, k: usize, x: &Scale, y: &Scale, cloud: &Cloud) {
    let low = cloud.points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let high = cloud.points.iter().map(|p| p.0).fold(f64::NEG_INFINITY, f64::max);
    let steps: Vec<f64> = (0..=24).map(|i| low + (high - low) * f64::from(i) / 24.0).collect();
    let upper = steps.iter().map(|&v| (x.at(v), y.at(line.at(v).high)));
    let lower = steps.iter().rev().map(|&v| (x.at(v), y.at(line.at(v).low)));
    let outline: Vec<_> = upper.chain(lower).collect();
    svg.polygon(&format!("{};opacity:.10", fill(k)), &outline);
    let ends = [low, high].map(|v| (x.at(v), y.at(line.at(v).value)));
    svg.polyline(&stroke(k, 1.8), &ends);
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_analysis::stats::regression::fit;

    #[test]
    fn a_fitted_series_has_a_band_and_a_line() {
        let xy = [(70.0, 10.0), (75.0, 14.0), (80.0, 15.0)];
        let cloud = Cloud {
            name: "only-bg-t".into(),
            points: xy.iter().map(|&(x, y)| (x, y, "m".into())).collect(),
            line: fit(&xy, 0.95),
        };
        let svg = Scatter { label: "s".into(), x_axis: "x".into(), y_axis: "y".into(), clouds: vec![cloud] }
            .svg()
            .unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("<polygon").count(), 1);
    }
}
