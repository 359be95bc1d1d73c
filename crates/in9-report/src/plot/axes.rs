//! Axes, grids and legends shared by the charts.

use super::scale::{Scale, tick_label};
use super::svg::{Anchor, Svg};

/// How wide a chart is. Its texts have the same size either way, so that a chart beside another stays readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Width {
    /// Across the page.
    #[default]
    Full,
    /// Beside another one.
    Half,
}

impl Width {
    /// In pixels of the view box.
    pub(crate) fn pixels(self) -> f64 {
        match self {
            Self::Full => 760.0,
            Self::Half => 460.0,
        }
    }

    /// About how many ticks find room along the horizontal axis.
    pub(crate) fn ticks(self) -> usize {
        match self {
            Self::Full => 8,
            Self::Half => 5,
        }
    }
}

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

/// Inline style of the line of series `i`. Lines differ in their dashes too, so that one that lies on another lets it
/// show through, and so that more lines than colours can be told apart.
pub(crate) fn line_style(i: usize, width: f64) -> String {
    // Each turn of the colours has other dashes, so that colour and dash together repeat after 36 lines.
    let dashes = ["", "9 5", "2.5 4", "10 4 2.5 4"][(i + i / 9) % 4];
    let dash = if dashes.is_empty() { String::new() } else { format!(";stroke-dasharray:{dashes}") };
    format!("{}{dash}", stroke(i, width))
}

/// Draws horizontal grid lines with labels and the axis title.
pub(crate) fn vertical_axis(svg: &mut Svg, y: &Scale, ticks: &[f64], title: &str) {
    let right = svg.width() - RIGHT;
    for &tick in ticks {
        let at = y.at(tick);
        svg.line(if tick == 0.0 { "axis" } else { "grid" }, LEFT, at, right, at);
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

/// How the series of a legend are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swatch {
    /// A filled square.
    Area,
    /// A piece of the line, with its dashes.
    Line,
}

/// Height of a legend on a chart of this width.
pub(crate) fn legend_height(width: Width, names: &[String], marks: Marks) -> f64 {
    legend(&mut Svg::new(width.pixels(), 0.0, ""), names, marks, Swatch::Area)
}

/// Draws a legend along the top and returns the height it took. A single series without marks needs none: the axis
/// says what it is.
pub(crate) fn legend(svg: &mut Svg, names: &[String], marks: Marks, swatch: Swatch) -> f64 {
    if names.len() < 2 && marks == Marks::default() {
        return 14.0;
    }
    let (mut x, mut y) = (LEFT, 14.0);
    let wanted = [(marks.balanced, "balanced accuracy"), (marks.published, "the paper")];
    let extra = wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, name)| name);
    let entries = names.iter().map(String::as_str).chain(extra);
    for (i, name) in entries.enumerate() {
        // 6.9 px is the mean advance of the page's typeface at the legend's size.
        let before = if swatch == Swatch::Line { 30.0 } else { 18.0 };
        let width = before + name.chars().count() as f64 * 6.9 + 16.0;
        if x > LEFT && x + width > svg.width() - RIGHT {
            x = LEFT;
            y += 20.0;
        }
        if i < names.len() && swatch == Swatch::Line {
            svg.polyline(&line_style(i, 2.4), &[(x, y - 4.0), (x + 23.0, y - 4.0)]);
        } else if i < names.len() {
            svg.rect(&fill(i), x, y - 9.0, 11.0, 11.0, "");
        } else if name == "the paper" {
            svg.diamond(x + 5.0, y - 4.0, 5.0, "");
        } else {
            svg.ring(x + 5.0, y - 4.0, "");
        }
        svg.text("legend", x + before - 1.0, y, Anchor::Start, name);
        x += width;
    }
    y + 14.0
}

/// A label of at most 36 letters: of a longer one both ends, because names of networks often differ at their end.
pub(crate) fn short(label: &str) -> String {
    let letters: Vec<char> = label.chars().collect();
    if letters.len() <= 36 {
        return label.to_owned();
    }
    letters[..16].iter().chain(&['…']).chain(&letters[letters.len() - 19..]).collect()
}

/// Whether labels of these lengths must be turned to fit columns of `width` pixels.
pub(crate) fn must_turn<'a>(labels: impl IntoIterator<Item = &'a str>, width: f64) -> bool {
    labels.into_iter().any(|l| l.chars().count() as f64 * 6.8 > width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_keep_both_ends() {
        assert_eq!(short("original (against L2 0.5)"), "original (against L2 0.5)");
        let long = short("tf_efficientnet_lite0-efficientnet-lite0-57934424, mapping b");
        assert_eq!(long, "tf_efficientnet_…57934424, mapping b");
    }
}
