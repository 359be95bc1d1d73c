//! The elements of a chart as operators of a PDF page.

use std::fmt::Write as _;

use super::super::standalone::attribute;
use super::super::svg::num;
use super::font::Letters;
use super::style::{Sheet, Style};
use super::{POINTS, plain, text_between};

/// How far from its ends a quarter of a circle's control points lie, as a share of its radius.
const QUARTER: f64 = 0.552_284_75;

/// A page being drawn, in pixels with the origin at its upper left.
pub(super) struct Canvas {
    sheet: Sheet,
    /// The operators.
    pub(super) content: String,
    /// The letters that were used of each face.
    pub(super) letters: [Letters; 2],
    /// The opacities that were used below 1; number i is the state `Gi`.
    pub(super) opacities: Vec<f64>,
}

impl Canvas {
    /// An empty page of so many points from top to bottom, with the style sheet of the SVG file `alone`.
    pub(super) fn new(alone: &str, height: f64) -> Self {
        let sheet = Sheet::read(text_between(alone, "<style>", "</style>").unwrap_or_default());
        let content = format!("{POINTS} 0 0 -{POINTS} 0 {} cm\n", num(height));
        Self { sheet, content, letters: Letters::none(), opacities: Vec::new() }
    }

    /// Draws the element of a line of the SVG file; a line of anything else draws nothing.
    pub(super) fn draw(&mut self, line: &str) {
        let tag = line.split('>').next().unwrap_or_default();
        let number =
            |name: &str| attribute(tag, name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let path = match tag.split(' ').next().unwrap_or_default() {
            "<line" => Path::of(&[(number("x1"), number("y1")), (number("x2"), number("y2"))]),
            "<rect" => {
                Path::rectangle(number("x"), number("y"), number("width"), number("height"), number("rx"))
            }
            "<circle" => Path::disc(number("cx"), number("cy"), number("r")),
            "<polyline" => Path::of(&points(tag)),
            "<polygon" => Path::of(&points(tag)).closed(),
            "<text" => {
                let text = plain(text_between(line, ">", "</text>").unwrap_or_default());
                return self.text(tag, &text, number("x"), number("y"));
            }
            _ => return,
        };
        let mut style = self.sheet.of(tag);
        if tag.starts_with("<line") {
            style.fill = None;
        }
        let paint = match (style.fill, style.stroke) {
            (None, None) => return,
            (Some(_), None) => "f",
            (None, Some(_)) => "S",
            (Some(_), Some(_)) => "B",
        };
        self.content += "q\n";
        self.look(&style);
        self.content += &path.0;
        let _ = writeln!(self.content, "{paint}\nQ");
    }

    /// Colours, line and opacity.
    fn look(&mut self, style: &Style) {
        let colour = |of: [f64; 3]| of.map(|channel| format!("{}", (channel * 1e4).round() / 1e4)).join(" ");
        if style.opacity < 1.0 {
            let known = self.opacities.iter().position(|known| *known == style.opacity);
            let at = known.unwrap_or_else(|| {
                self.opacities.push(style.opacity);
                self.opacities.len() - 1
            });
            let _ = writeln!(self.content, "/G{at} gs");
        }
        if let Some(fill) = style.fill {
            let _ = writeln!(self.content, "{} rg", colour(fill));
        }
        if let Some(stroke) = style.stroke {
            let (width, dashes) = (num(style.width), &style.dashes);
            let _ = writeln!(self.content, "{} RG {width} w [{dashes}] 0 d", colour(stroke));
        }
    }

    fn text(&mut self, tag: &str, text: &str, x: f64, y: f64) {
        let style = self.sheet.of(tag);
        let face = usize::from(style.bold);
        let (glyphs, width) = self.letters[face].take(text);
        let shift = match attribute(tag, "text-anchor") {
            Some("middle") => -0.5 * width * style.size,
            Some("end") => -width * style.size,
            _ => 0.0,
        };
        let turn = attribute(tag, "transform").and_then(|turn| turn.strip_prefix("rotate("));
        let degrees = turn.and_then(|turn| turn.split(' ').next()).and_then(|text| text.parse::<f64>().ok());
        let (sin, cos) = degrees.unwrap_or(0.0).to_radians().sin_cos();
        let (x, y) = (x + shift * cos, y + shift * sin);
        let fixed = |value: f64| format!("{}", (value * 1e5).round() / 1e5 + 0.0);
        self.content += "q\n";
        self.look(&style);
        let _ = writeln!(
            self.content,
            "BT /F{face} {} Tf {} {} {} {} {} {} Tm <{glyphs}> Tj ET\nQ",
            num(style.size),
            fixed(cos),
            fixed(sin),
            fixed(sin),
            fixed(-cos),
            num(x),
            num(y)
        );
    }
}

/// The points of a polyline or polygon.
fn points(tag: &str) -> Vec<(f64, f64)> {
    let pairs = attribute(tag, "points").unwrap_or_default().split(' ');
    pairs
        .filter_map(|pair| pair.split_once(','))
        .filter_map(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)))
        .collect()
}

/// Operators that make an outline.
struct Path(String);

impl Path {
    /// Straight lines from point to point.
    fn of(points: &[(f64, f64)]) -> Self {
        let mut path = Self(String::new());
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = writeln!(path.0, "{} {} {}", num(*x), num(*y), if at == 0 { "m" } else { "l" });
        }
        path
    }

    fn closed(mut self) -> Self {
        self.0 += "h\n";
        self
    }

    /// A rectangle with corners rounded by `r`, as far as there is room for it.
    fn rectangle(x: f64, y: f64, width: f64, height: f64, r: f64) -> Self {
        let r = r.min(width / 2.0).min(height / 2.0);
        if r <= 0.0 {
            return Self(format!("{} {} {} {} re\n", num(x), num(y), num(width), num(height)));
        }
        Self::rounded([x, y, x + width, y + height], r)
    }

    fn disc(x: f64, y: f64, r: f64) -> Self {
        Self::rounded([x - r, y - r, x + r, y + r], r)
    }

    fn rounded([left, top, right, bottom]: [f64; 4], r: f64) -> Self {
        let k = r * (1.0 - QUARTER);
        let mut path = Self::of(&[(left + r, top), (right - r, top)]);
        let mut corner = |control: [f64; 4], end: [f64; 2], line: Option<[f64; 2]>| {
            let numbers = control.iter().chain(&end).map(|v| num(*v)).collect::<Vec<_>>().join(" ");
            let _ = writeln!(path.0, "{numbers} c");
            if let Some([x, y]) = line {
                let _ = writeln!(path.0, "{} {} l", num(x), num(y));
            }
        };
        corner([right - k, top, right, top + k], [right, top + r], Some([right, bottom - r]));
        corner([right, bottom - k, right - k, bottom], [right - r, bottom], Some([left + r, bottom]));
        corner([left + k, bottom, left, bottom - k], [left, bottom - r], Some([left, top + r]));
        corner([left, top + k, left + k, top], [left + r, top], None);
        path.closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(line: &str) -> String {
        let mut canvas = Canvas::new("<style>text{font-size:10px}.axis{stroke:#000000}</style>", 100.0);
        let before = canvas.content.len();
        canvas.draw(line);
        canvas.content[before..].to_owned()
    }

    #[test]
    fn elements_become_operators() {
        let line = drawn("<line class=\"axis\" x1=\"1\" y1=\"2\" x2=\"3\" y2=\"4\"/>");
        assert_eq!(line, "q\n0 0 0 RG 1 w [] 0 d\n1 2 m\n3 4 l\nS\nQ\n");
        let area = drawn("<polygon style=\"fill:#ff0000;opacity:.10\" points=\"0,0 1,0 1,1\"/>");
        assert_eq!(area, "q\n/G0 gs\n1 0 0 rg\n0 0 m\n1 0 l\n1 1 l\nh\nf\nQ\n");
        let sharp = drawn("<rect width=\"5\" height=\"6\" fill=\"#ffffff\"/>");
        assert_eq!(sharp, "q\n1 1 1 rg\n0 0 5 6 re\nf\nQ\n");
        let round = drawn(
            "<rect style=\"fill:#000000\" x=\"0\" y=\"0\" width=\"9\" height=\"9\" rx=\"1.5\"><title>t</title></rect>",
        );
        assert_eq!(round.matches(" c\n").count(), 4, "{round}");
        assert!(drawn("<circle class=\"mark\" cx=\"1\" cy=\"1\" r=\"1\"/>").contains(" c\n"));
        assert_eq!(drawn("<title>nothing</title>"), "");
    }

    #[test]
    fn texts_hang_on_their_points() {
        let text = |more: &str| drawn(&format!("<text class=\"tick\" x=\"50\" y=\"20\"{more}>nn</text>"));
        assert!(text("").contains("1 0 0 -1 50 20 Tm"), "{}", text(""));
        // An n of Arial's width is 0.556 wide.
        assert!(
            text(" text-anchor=\"end\"").contains("1 0 0 -1 38.88 20 Tm"),
            "{}",
            text(" text-anchor=\"end\"")
        );
        let turned = text(" text-anchor=\"middle\" transform=\"rotate(-90 50 20)\"");
        assert!(turned.contains("0 -1 -1 0 50 25.56 Tm"), "{turned}");
    }
}
