//! Lines over a numeric axis, with intervals (sweep over ρ, Figures 10 to 12, training curves).

use super::axes::{
    LEFT, Marks, RIGHT, Swatch, Width, fill, horizontal_axis, legend, line_style, stroke, vertical_axis,
};
use super::scale::{Scale, is_drawable, nice_range, tick_label, tip};
use super::svg::Svg;
use in9_analysis::stats::Interval;

/// A named line; points by ascending x.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// Name in the legend.
    pub(crate) name: String,
    /// (x, y with its limits); NaN limits are not drawn.
    pub(crate) points: Vec<(f64, Interval)>,
    /// Whether to mark each point.
    pub(crate) marked: bool,
}

/// A line chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lines {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Title of the horizontal axis.
    pub(crate) x_axis: String,
    /// Title of the vertical axis.
    pub(crate) y_axis: String,
    /// The lines, in colour order.
    pub(crate) series: Vec<Series>,
    /// Vertical range; chosen from the values if absent.
    pub(crate) range: Option<(f64, f64)>,
    /// Spaces the horizontal axis by the logarithm of x.
    pub(crate) logarithmic: bool,
    /// Puts ticks at the points' own x instead of round values.
    pub(crate) own_ticks: bool,
    /// Across the page or beside another chart.
    pub(crate) width: Width,
}

impl Lines {
    /// The chart as SVG; `None` if there is no point to draw.
    pub(crate) fn svg(&self) -> Option<String> {
        if !self.points().any(|(x, i)| is_drawable(*x) && i.value.is_finite()) {
            return None;
        }
        let across = self.width.pixels();
        let names: Vec<String> = self.series.iter().map(|s| s.name.clone()).collect();
        let plot = 260.0;
        let top = legend(&mut Svg::new(across, 0.0, ""), &names, Marks::default(), Swatch::Line);
        let mut svg = Svg::new(across, top + plot + 48.0, &self.label);
        legend(&mut svg, &names, Marks::default(), Swatch::Line);
        let place = |x: f64| if self.logarithmic { x.max(1e-12).ln() } else { x };
        let mut xs: Vec<f64> = self.points().map(|(x, _)| *x).filter(|x| is_drawable(*x)).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        let (low, high) = match (xs.first(), xs.last()) {
            (Some(&low), Some(&high)) => (place(low), place(high)),
            _ => (0.0, 1.0),
        };
        // A little air keeps whiskers off the edges when the points are few.
        let air = if self.own_ticks { 0.05 * (high - low).max(1e-9) } else { 0.0 };
        let x = Scale::new((low - air, high + air), (LEFT, across - RIGHT));
        let ys = self.points().flat_map(|(_, i)| [i.low, i.value, i.high]);
        let domain = self.range.unwrap_or_else(|| nice_range(ys));
        let y = Scale::new(domain, (top + plot, top));
        vertical_axis(&mut svg, &y, &y.ticks(5), &self.y_axis);
        let ticks: Vec<(f64, String)> = if self.own_ticks || self.logarithmic {
            xs.iter().map(|&v| (place(v), tick_label(v))).collect()
        } else {
            x.ticks(self.width.ticks()).into_iter().map(|v| (v, tick_label(v))).collect()
        };
        horizontal_axis(&mut svg, &x, &ticks, top + plot, &self.x_axis);
        for (k, series) in self.series.iter().enumerate() {
            let points: Vec<(f64, f64)> = series
                .points
                .iter()
                .filter(|(x, i)| is_drawable(*x) && i.value.is_finite())
                .map(|(px, i)| (x.at(place(*px)), y.at(i.value)))
                .collect();
            svg.polyline(&line_style(k, if k == 0 { 3.0 } else { 2.0 }), &points);
            if series.marked {
                self.marks(&mut svg, series, k, &x, &y, place);
            }
        }
        Some(svg.finish())
    }

    fn marks(
        &self,
        svg: &mut Svg,
        series: &Series,
        k: usize,
        x: &Scale,
        y: &Scale,
        place: impl Fn(f64) -> f64,
    ) {
        // Series are nudged apart so that whiskers at the same x do not hide each other.
        let nudge = (k as f64 - (self.series.len() as f64 - 1.0) / 2.0) * 3.0;
        for (px, i) in &series.points {
            if !is_drawable(*px) || !i.value.is_finite() {
                continue;
            }
            let at = x.at(place(*px)) + nudge;
            if i.low < i.high {
                svg.polyline(&stroke(k, 1.4), &[(at, y.at(i.low)), (at, y.at(i.high))]);
            }
            let tip = format!("{} · {px}: {}", series.name, tip(i));
            svg.circle(&fill(k), at, y.at(i.value), 4.0, &tip);
        }
    }

    fn points(&self) -> impl Iterator<Item = &(f64, Interval)> {
        self.series.iter().flat_map(|s| &s.points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_beyond_any_scale_are_drawn_at_the_edge() {
        let points = [(0.0, -1e308), (1.0, 2.0), (2.0, 1e308), (1e308, 1.0), (f64::NAN, 1.0)];
        let points = points.map(|(x, y)| (x, Interval::exact(y))).to_vec();
        let series = vec![Series { name: "loss".into(), points, marked: true }];
        let chart = |own_ticks| Lines {
            label: "l".into(),
            x_axis: "epoch".into(),
            y_axis: "loss".into(),
            series: series.clone(),
            range: None,
            logarithmic: false,
            own_ticks,
            width: Width::Full,
        };
        for own_ticks in [false, true] {
            let svg = chart(own_ticks).svg().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn marks_and_whiskers_are_drawn_where_there_are_limits() {
        let series = Series {
            name: "gap".into(),
            points: vec![(0.0, Interval::exact(1.0)), (0.5, Interval::new(5.0, 4.0, 6.0))],
            marked: true,
        };
        let chart = Lines {
            label: "l".into(),
            x_axis: "ρ".into(),
            y_axis: "points".into(),
            series: vec![series],
            range: None,
            logarithmic: false,
            own_ticks: true,
            width: Width::Half,
        };
        let svg = chart.svg().unwrap();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<polyline").count(), 2);
    }
}
