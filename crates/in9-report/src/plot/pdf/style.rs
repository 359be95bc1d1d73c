//! How an element of a chart looks: the rules of its classes, then its own.

use super::super::standalone::attribute;

/// The rules of a chart's style sheet, as (selectors, declarations).
pub(super) struct Sheet(Vec<(String, String)>);

/// The look of an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Style {
    /// Red, green and blue in `0..=1` that fill it.
    pub(super) fill: Option<[f64; 3]>,
    /// Those of its line.
    pub(super) stroke: Option<[f64; 3]>,
    /// Width of the line in pixels.
    pub(super) width: f64,
    /// Lengths of its dashes and gaps, in pixels, separated by blanks.
    pub(super) dashes: String,
    /// Size of letters in pixels.
    pub(super) size: f64,
    /// Whether letters are bold.
    pub(super) bold: bool,
    /// 1 hides what is behind it.
    pub(super) opacity: f64,
}

impl Sheet {
    /// Reads the text of an element `style`.
    pub(super) fn read(text: &str) -> Self {
        let rules = text.split('}').filter_map(|rule| rule.split_once('{'));
        Self(rules.map(|(selectors, body)| (selectors.to_owned(), body.to_owned())).collect())
    }

    /// The look of the element that `tag` begins.
    pub(super) fn of(&self, tag: &str) -> Style {
        let mut style = Style {
            fill: Some([0.0; 3]),
            stroke: None,
            width: 1.0,
            dashes: String::new(),
            size: 16.0,
            bold: false,
            opacity: 1.0,
        };
        let element = tag.trim_start_matches('<').split([' ', '>', '/']).next().unwrap_or_default();
        let classes: Vec<&str> = attribute(tag, "class").unwrap_or_default().split(' ').collect();
        if let Some(fill) = attribute(tag, "fill") {
            style.set("fill", fill);
        }
        // Rules of elements stand before those of classes, and these before those of two classes.
        for (selectors, body) in &self.0 {
            let applies = |selector: &str| match selector.strip_prefix('.') {
                Some(names) => names.split('.').all(|name| classes.contains(&name)),
                None => selector == element,
            };
            if selectors.split(',').any(applies) {
                style.declare(body);
            }
        }
        style.declare(attribute(tag, "style").unwrap_or_default());
        style
    }
}

impl Style {
    fn declare(&mut self, declarations: &str) {
        for (name, value) in declarations.split(';').filter_map(|declaration| declaration.split_once(':')) {
            self.set(name.trim(), value.trim());
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let number = || value.trim_end_matches("px").parse::<f64>().ok();
        match name {
            "fill" => self.fill = colour(value),
            "stroke" => self.stroke = colour(value),
            "stroke-width" => self.width = number().unwrap_or(self.width),
            "stroke-dasharray" => self.dashes = value.replace(',', " "),
            "font-size" => self.size = number().unwrap_or(self.size),
            "font-weight" => self.bold = value == "bold" || number().is_some_and(|weight| weight >= 600.0),
            "opacity" => self.opacity = number().unwrap_or(self.opacity),
            _ => {}
        }
    }
}

/// Red, green and blue of `#rrggbb`; `None` for `none`.
fn colour(text: &str) -> Option<[f64; 3]> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let channel = |at: usize| digits.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let [r, g, b] = [channel(0)?, channel(2)?, channel(4)?].map(|byte| f64::from(byte) / 255.0);
    Some([r, g, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_before_an_elements_own_style() {
        let sheet = Sheet::read(
            "text{fill:#000000;font-size:13px}.a,.b{fill:#ff0000}.b.c{fill:#0000ff;font-weight:600}",
        );
        assert_eq!(sheet.of("<text class=\"a\" x=\"1\"").fill, Some([1.0, 0.0, 0.0]));
        let both = sheet.of("<text class=\"b c\"");
        assert_eq!((both.fill, both.size, both.bold), (Some([0.0, 0.0, 1.0]), 13.0, true));
        let line = sheet
            .of("<polyline fill=\"none\" style=\"stroke:#00ff00;stroke-width:2.4;stroke-dasharray:2 4\"");
        assert_eq!((line.fill, line.stroke, line.width), (None, Some([0.0, 1.0, 0.0]), 2.4));
        assert_eq!((line.dashes.as_str(), line.opacity), ("2 4", 1.0));
        assert_eq!(sheet.of("<circle style=\"fill:#ffffff;opacity:.10\"").opacity, 0.1);
    }
}
