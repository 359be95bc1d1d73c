//! A small writer of SVG elements.

use std::fmt::Write;

/// An SVG picture being written; coordinates are in pixels of the view box.
#[derive(Debug, Clone)]
pub(crate) struct Svg {
    width: f64,
    height: f64,
    label: String,
    body: String,
}

/// Where a text hangs on its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The text begins at the point.
    Start,
    /// The text is centred on the point.
    Middle,
    /// The text ends at the point.
    End,
}

impl Svg {
    /// An empty picture; `label` is read to those who cannot see it.
    pub(crate) fn new(width: f64, height: f64, label: &str) -> Self {
        Self { width, height, label: label.into(), body: String::new() }
    }

    /// Pixels of the view box from left to right.
    pub(crate) fn width(&self) -> f64 {
        self.width
    }

    /// A line with the CSS class `class`.
    pub(crate) fn line(&mut self, class: &str, x1: f64, y1: f64, x2: f64, y2: f64) {
        let (x1, y1, x2, y2) = (num(x1), num(y1), num(x2), num(y2));
        self.push(format_args!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    /// A rectangle; `style` is inline CSS and `tip` appears on hovering (empty for none).
    pub(crate) fn rect(&mut self, style: &str, x: f64, y: f64, w: f64, h: f64, tip: &str) {
        let (x, y, w, h) = (num(x), num(y), num(w.max(0.0)), num(h.max(0.0)));
        let tip = title(tip);
        self.push(format_args!(
            r#"<rect style="{style}" x="{x}" y="{y}" width="{w}" height="{h}" rx="1.5">{tip}</rect>"#
        ));
    }

    /// A disc.
    pub(crate) fn circle(&mut self, style: &str, x: f64, y: f64, r: f64, tip: &str) {
        let (x, y, r) = (num(x), num(y), num(r));
        let tip = title(tip);
        self.push(format_args!(r#"<circle style="{style}" cx="{x}" cy="{y}" r="{r}">{tip}</circle>"#));
    }

    /// A small open ring, the mark of a balanced accuracy on its bar.
    pub(crate) fn ring(&mut self, x: f64, y: f64, tip: &str) {
        let (x, y, tip) = (num(x), num(y), title(tip));
        self.push(format_args!(r#"<circle class="mark" cx="{x}" cy="{y}" r="3.4">{tip}</circle>"#));
    }

    /// A diamond around a point, the mark of a published value.
    pub(crate) fn diamond(&mut self, x: f64, y: f64, r: f64, tip: &str) {
        let points = [(x, y - r), (x + r, y), (x, y + r), (x - r, y)];
        let points = joined(&points);
        let tip = title(tip);
        self.push(format_args!(r#"<polygon class="paper" points="{points}">{tip}</polygon>"#));
    }

    /// An open line through points.
    pub(crate) fn polyline(&mut self, style: &str, points: &[(f64, f64)]) {
        let points = joined(points);
        self.push(format_args!(r#"<polyline fill="none" style="{style}" points="{points}"/>"#));
    }

    /// A filled outline.
    pub(crate) fn polygon(&mut self, style: &str, points: &[(f64, f64)]) {
        let points = joined(points);
        self.push(format_args!(r#"<polygon style="{style}" points="{points}"/>"#));
    }

    /// A text of CSS class `class`.
    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.turned_text(class, x, y, anchor, 0.0, text);
    }

    /// A text turned by `degrees` clockwise around its point.
    pub(crate) fn turned_text(
        &mut self,
        class: &str,
        x: f64,
        y: f64,
        anchor: Anchor,
        degrees: f64,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (num(x), num(y), escape(text));
        let turn = match degrees {
            0.0 => String::new(),
            d => format!(r#" transform="rotate({} {x} {y})""#, num(d)),
        };
        self.push(format_args!(
            r#"<text class="{class}" x="{x}" y="{y}" text-anchor="{anchor}"{turn}>{text}</text>"#
        ));
    }

    /// The finished picture.
    pub(crate) fn finish(self) -> String {
        let (w, h, label) = (num(self.width), num(self.height), escape(&self.label));
        // Texts are between four fifths and five quarters of their size; where less room is, the chart scrolls.
        let (least, most) = (num((self.width * 0.8).round()), num((self.width * 1.25).round()));
        format!(
            "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{label}\" style=\"min-width:{least}px;max-width:{most}px\">\n{}</svg>",
            self.body
        )
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

/// A coordinate with at most two decimals and no negative zero.
pub(crate) fn num(x: f64) -> String {
    let rounded = (x * 100.0).round() / 100.0;
    if rounded == 0.0 { "0".into() } else { format!("{rounded}") }
}

/// Escapes text for XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn title(tip: &str) -> String {
    if tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(tip)) }
}

fn joined(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", num(x), num(y))).collect();
    points.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_negative_zero() {
        assert_eq!(num(-0.001), "0");
        assert_eq!(num(1.0 / 3.0), "0.33");
        assert_eq!(num(12.0), "12");
    }

    #[test]
    fn text_is_escaped() {
        let mut svg = Svg::new(10.0, 10.0, "a<b");
        svg.text("tick", 1.0, 2.0, Anchor::End, "x & \"y\"");
        let text = svg.finish();
        assert!(text.contains("aria-label=\"a&lt;b\""));
        assert!(text.contains("text-anchor=\"end\">x &amp; &quot;y&quot;</text>"));
    }
}
