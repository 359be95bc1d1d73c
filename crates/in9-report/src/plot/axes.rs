//! Axes, grids and legends shared by the charts.

use super::scale::{Scale, tick_label};
use super::svg::{Anchor, Svg};

/// Width of every chart in pixels.
pub(crate) const WIDTH: f64 = 760.0;
/// Space left of the plotting area.
pub(crate) const LEFT: f64 = 58.0;
/// Space right of the plotting area.
pub(crate) const RIGHT: f64 = 14.0;

/// Inline style that fills with the colour of series `i`.
pub(crate) fn fill(i: usize) -> String {
    format!("fill:var(--s{})", i % 9)
}

/// Inline style that strokes with the colour of series `i`.
pub(crate) fn stroke(i: usize, width: f64) -> String {
    format!("stroke:var(--s{});stroke-width:{width}", i % 9)
}

/// Draws horizontal grid lines with labels and the axis title.
pub(crate) fn vertical_axis(svg: &mut Svg, y: &Scale, ticks: &[f64], title: &str) {
    for &tick in ticks {
        let at = y.at(tick);
        svg.line(if tick == 0.0 { "axis" } else { "grid" }, LEFT, at, WIDTH - RIGHT, at);
        svg.text("tick", LEFT - 8.0, at + 4.0, Anchor::End, &tick_label(tick));
    }
    let middle = (y.range.0 + y.range.1) / 2.0;
    svg.turned_text("axis-title", 14.0, middle, Anchor::Middle, -90.0, title);
}

/// Draws tick labels under a numeric horizontal axis, and its title.
pub(crate) fn horizontal_axis(svg: &mut Svg, x: &Scale, ticks: &[(f64, String)], bottom: f64, title: &str) {
    svg.line("axis", x.range.0, bottom, x.range.1, bottom);
    for (tick, label) in ticks {
        let at = x.at(*tick);
        svg.line("axis", at, bottom, at, bottom + 4.0);
        svg.text("tick", at, bottom + 18.0, Anchor::Middle, label);
    }
    svg.text("axis-title", (x.range.0 + x.range.1) / 2.0, bottom + 38.0, Anchor::Middle, title);
}

/// Marks that a legend explains besides the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Diamonds of published values.
    pub(crate) published: bool,
    /// Rings of balanced measures.
    pub(crate) balanced: bool,
}

/// Draws a legend along the top and returns the height it took.
pub(crate) fn legend(svg: &mut Svg, names: &[String], marks: Marks) -> f64 {
    let (mut x, mut y) = (LEFT, 14.0);
    let wanted = [(marks.balanced, "balanced"), (marks.published, "published")];
    let extra = wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| name);
    let entries = names.iter().map(String::as_str).chain(extra);
    for (i, name) in entries.enumerate() {
        // 6.6 px is the mean advance of the page's typeface at the legend's size.
        let width = 18.0 + name.chars().count() as f64 * 6.6 + 18.0;
        if x > LEFT && x + width > WIDTH - RIGHT {
            x = LEFT;
            y += 20.0;
        }
        if i < names.len() {
            svg.rect(&fill(i), x, y - 9.0, 11.0, 11.0, "");
        } else if name == "published" {
            svg.diamond(x + 5.0, y - 4.0, 5.0, "");
        } else {
            svg.ring(x + 5.0, y - 4.0, "");
        }
        svg.text("legend", x + 17.0, y, Anchor::Start, name);
        x += width;
    }
    y + 14.0
}

/// Whether labels of these lengths must be turned to fit columns of `width` pixels.
pub(crate) fn must_turn<'a>(labels: impl IntoIterator<Item = &'a str>, width: f64) -> bool {
    labels.into_iter().any(|l| l.chars().count() as f64 * 6.8 > width)
}
