//! Grouped bars with intervals, and marks for published values.

use super::axes::{
    LEFT, Marks, RIGHT, Swatch, Width, fill, legend, legend_height, must_turn, short, vertical_axis,
};
use super::scale::{Scale, nice_range, tip};
use super::svg::{Anchor, Svg};
use in9_analysis::stats::Interval;

/// A bar; values are in the unit of the axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// Index into [`Bars::series`].
    pub(crate) series: usize,
    /// Height and whiskers.
    pub(crate) interval: Interval,
    /// The published value, drawn as a diamond.
    pub(crate) published: Option<f64>,
    /// The same measure with classes weighted equally, drawn as a ring.
    pub(crate) balanced: Option<f64>,
}

/// Bars that stand together over one label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    /// Label under the group.
    pub(crate) label: String,
    /// Its bars, left to right.
    pub(crate) bars: Vec<Bar>,
}

/// A chart of grouped bars (the paper's Figures 2, 5, 7 and 12).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bars {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Title of the vertical axis, with its unit.
    pub(crate) axis: String,
    /// Names of the series, in colour order.
    pub(crate) series: Vec<String>,
    /// Groups, left to right.
    pub(crate) groups: Vec<Group>,
    /// A dotted level across the chart with its name, such as chance.
    pub(crate) level: Option<(f64, String)>,
    /// Range of the vertical axis; chosen from the values if absent.
    pub(crate) range: Option<(f64, f64)>,
    /// Across the page or beside another chart.
    pub(crate) width: Width,
}

impl Bars {
    /// The chart as SVG; `None` if there is no bar to draw.
    pub(crate) fn svg(&self) -> Option<String> {
        if !self.bars().any(|bar| bar.interval.value.is_finite()) {
            return None;
        }
        let across = self.width.pixels();
        let shown: Vec<String> = self.groups.iter().map(|g| short(&g.label)).collect();
        let labels = || shown.iter().map(String::as_str);
        let column = (across - LEFT - RIGHT) / self.groups.len().max(1) as f64;
        let turned = must_turn(labels(), column);
        let angle = if turned { steepness(labels(), column) } else { 0.0 };
        let longest = labels().map(length).fold(0.0, f64::max);
        let foot = if turned { 26.0 + longest * angle.to_radians().sin() } else { 30.0 };
        let plot = 260.0;
        let marks = Marks {
            published: self.bars().any(|b| b.published.is_some()),
            balanced: self.bars().any(|b| b.balanced.is_some()),
        };
        let top = legend_height(self.width, &self.series, marks);
        let mut svg = Svg::new(across, top + plot + foot, &self.label);
        legend(&mut svg, &self.series, marks, Swatch::Area);
        let y = Scale::new(self.domain(), (top + plot, top));
        vertical_axis(&mut svg, &y, &y.ticks(5), &self.axis);
        for (i, group) in self.groups.iter().enumerate() {
            let left = LEFT + column * i as f64;
            self.group(&mut svg, group, &y, left, column);
            let (x, base) = (left + column / 2.0, top + plot + 18.0);
            if turned {
                svg.turned_text("tick", x + 4.0, base, Anchor::End, -angle, &shown[i]);
            } else {
                svg.text("tick", x, base, Anchor::Middle, &shown[i]);
            }
        }
        // On top, so that bars do not hide it.
        if let Some((level, name)) = &self.level {
            svg.line("level", LEFT, y.at(*level), across - RIGHT, y.at(*level));
            svg.text("halo", across - RIGHT, y.at(*level) - 4.0, Anchor::End, name);
        }
        Some(svg.finish())
    }

    fn group(&self, svg: &mut Svg, group: &Group, y: &Scale, left: f64, column: f64) {
        let count = group.bars.len().max(1) as f64;
        let width = (column * 0.78 / count).min(46.0);
        let start = left + (column - width * count) / 2.0;
        for (k, bar) in group.bars.iter().enumerate() {
            let i = bar.interval;
            if !i.value.is_finite() {
                continue;
            }
            let x = start + width * k as f64;
            let (zero, end) = (y.at(0.0), y.at(i.value));
            let name = self.series.get(bar.series).map_or("", String::as_str);
            let tip = format!("{} · {name}: {}", group.label, tip(&i));
            let inner = (width * 0.08).min(2.0);
            let (upper, lower) = (zero.min(end), zero.max(end));
            svg.rect(&fill(bar.series), x + inner, upper, width - 2.0 * inner, lower - upper, &tip);
            let centre = x + width / 2.0;
            if i.low < i.high {
                svg.line("whisker", centre, y.at(i.low), centre, y.at(i.high));
                for limit in [i.low, i.high] {
                    svg.line("whisker", centre - 3.0, y.at(limit), centre + 3.0, y.at(limit));
                }
            }
            if let Some(value) = bar.balanced {
                svg.ring(centre, y.at(value), &format!("balanced: {value:.1}"));
            }
            if let Some(value) = bar.published {
                svg.diamond(centre, y.at(value), 5.0, &format!("the paper: {value:.1}"));
            }
        }
    }

    fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.groups.iter().flat_map(|g| &g.bars)
    }

    fn domain(&self) -> (f64, f64) {
        self.range.unwrap_or_else(|| {
            let values = self.bars().flat_map(|b| {
                [
                    b.interval.low,
                    b.interval.high,
                    b.interval.value,
                    b.published.unwrap_or(0.0),
                    b.balanced.unwrap_or(0.0),
                ]
            });
            nice_range(values.chain([0.0]))
        })
    }
}

/// About how long a label is in pixels.
fn length(label: &str) -> f64 {
    6.9 * label.chars().count() as f64
}

/// Degrees by which labels are turned so that none begins left of the chart: as few as look well.
fn steepness<'a>(labels: impl Iterator<Item = &'a str>, column: f64) -> f64 {
    let needed = labels.enumerate().map(|(i, label)| {
        let end = LEFT + column * (i as f64 + 0.5);
        (end / length(label)).min(1.0).acos().to_degrees()
    });
    needed.fold(28.0, f64::max).min(80.0)
}

/// The balanced measure where it differs visibly (by half a tenth of a point) from the plain one; both are fractions.
pub(crate) fn balanced_mark(plain: f64, balanced: f64) -> Option<f64> {
    ((plain - balanced).abs() > 0.0005).then_some(balanced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_are_turned_until_the_first_fits() {
        assert_eq!(steepness(["a", "b"].into_iter(), 100.0), 28.0);
        let long = "original (against L∞ 0.0157) · resnet-tiny";
        let angle = steepness([long, "b"].into_iter(), 80.0);
        assert!(angle > 28.0 && length(long) * angle.to_radians().cos() <= LEFT + 40.0 + 1e-9, "{angle}");
        // Further right there is room.
        assert_eq!(steepness(["a", "b", "c", "d", long].into_iter(), 80.0), 28.0);
    }

    #[test]
    fn every_bar_whisker_and_mark_is_drawn() {
        let bar = |published| Bar {
            series: 0,
            interval: Interval::new(50.0, 40.0, 60.0),
            published,
            balanced: published,
        };
        let chart = Bars {
            label: "test".into(),
            axis: "%".into(),
            series: vec!["a".into()],
            groups: vec![Group { label: "g".into(), bars: vec![bar(None), bar(Some(55.0))] }],
            level: Some((11.1, "chance".into())),
            range: Some((0.0, 100.0)),
            width: Width::Full,
        };
        let svg = chart.svg().unwrap();
        assert_eq!(svg.matches("class=\"whisker\"").count(), 6);
        // One diamond and one ring in the legend, one each on the bar.
        assert_eq!(svg.matches("class=\"paper\"").count(), 2);
        assert_eq!(svg.matches("class=\"mark\"").count(), 2);
        assert_eq!(svg.matches("class=\"level\"").count(), 1);
        assert_eq!(Some(svg), chart.svg());
        assert_eq!(Bars { groups: Vec::new(), ..chart }.svg(), None);
    }
}
