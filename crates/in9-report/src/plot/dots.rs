//! Points with their intervals, one under the other, each under its name.

use super::axes::{RIGHT, Width, fill, horizontal_axis, short};
use super::scale::{Scale, is_drawable, nice_range, tick_label, tip};
use super::svg::{Anchor, Svg};
use in9_analysis::stats::Interval;

/// Height of a row: its name, and its point below.
const ROW: f64 = 38.0;

/// A chart of points that are compared with each other rather than with nought, first to last from the top.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dots {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Title of the horizontal axis, with its unit.
    pub(crate) axis: String,
    /// Names and values in the unit of the axis.
    pub(crate) rows: Vec<(String, Interval)>,
}

impl Dots {
    /// The chart as SVG; `None` if there is no point to draw.
    pub(crate) fn svg(&self) -> Option<String> {
        let rows: Vec<&(String, Interval)> =
            self.rows.iter().filter(|(_, i)| i.value.is_finite() && is_drawable(i.value)).collect();
        if rows.is_empty() {
            return None;
        }
        // Half of a page is enough for any number of names, and fits the screen of a telephone.
        let across = Width::Half.pixels();
        let bottom = rows.len() as f64 * ROW + 4.0;
        let mut svg = Svg::new(across, bottom + 48.0, &self.label);
        let values = rows.iter().flat_map(|(_, i)| [i.value, i.low, i.high]);
        let x = Scale::new(nice_range(values.filter(|v| v.is_finite())), (RIGHT, across - RIGHT));
        let ticks: Vec<(f64, String)> =
            x.ticks(Width::Half.ticks()).into_iter().map(|value| (value, tick_label(value))).collect();
        for (tick, _) in &ticks {
            svg.line("grid", x.at(*tick), 0.0, x.at(*tick), bottom);
        }
        for (at, (name, i)) in rows.into_iter().enumerate() {
            let top = at as f64 * ROW;
            svg.text("halo", RIGHT, top + 14.0, Anchor::Start, &short(name));
            let y = top + 26.0;
            if i.low < i.high {
                svg.line("whisker", x.at(i.low), y, x.at(i.high), y);
                for limit in [i.low, i.high] {
                    svg.line("whisker", x.at(limit), y - 3.0, x.at(limit), y + 3.0);
                }
            }
            svg.circle(&fill(0), x.at(i.value), y, 4.5, &format!("{name}: {}", tip(i)));
        }
        horizontal_axis(&mut svg, &x, &ticks, bottom, &self.axis);
        Some(svg.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_name_a_point_and_a_whisker_if_it_has_limits() {
        let row = |name: &str, low: f64, high: f64| (name.to_owned(), Interval::new(80.0, low, high));
        let chart = Dots {
            label: "l".into(),
            axis: "a".into(),
            rows: vec![row("a <b>", 70.0, 85.0), row("alone", f64::NAN, f64::NAN)],
        };
        let svg = chart.svg().unwrap();
        assert_eq!((svg.matches("<circle").count(), svg.matches("class=\"whisker\"").count()), (2, 3));
        assert!(svg.contains("a &lt;b&gt;"), "{svg}");
        let none = Dots { rows: vec![("x".into(), Interval::exact(f64::NAN))], ..chart };
        assert_eq!(none.svg(), None);
    }
}
