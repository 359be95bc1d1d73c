//! A chart as a file of its own: with its styles inside and colours that every program knows.

use super::palette::{heat, light};

/// Rules of a chart's classes, as the page's style sheet has them in its light scheme.
const RULES: &str = "text{fill:var(--ink);font-size:13px}.tick,.legend{fill:var(--soft)}\
.axis-title{fill:var(--soft);font-weight:600}.cell.strong{fill:var(--strong)}\
.grid{stroke:var(--grid);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}\
.whisker{stroke:var(--ink);stroke-width:1.3}.mark{fill:var(--sheet);stroke:var(--ink);stroke-width:1.2}\
.halo{fill:var(--soft)}.level{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 4}\
.paper{fill:var(--sheet);stroke:var(--ink);stroke-width:1.5}";

/// The chart `svg` of a page as an SVG file: width and height in pixels, styles inside, and in the place of variables
/// and mixed colours, which drawing programs and converters do not know, the colours of the light scheme.
pub(crate) fn standalone(svg: &str) -> String {
    let Some((head, body)) = svg.split_once(">\n") else { return svg.to_owned() };
    let view = attribute(head, "viewBox").unwrap_or_default();
    let mut sides = view.split(' ').skip(2);
    let (width, height) = (sides.next().unwrap_or("760"), sides.next().unwrap_or("400"));
    let label = attribute(head, "aria-label").unwrap_or_default();
    let rules = plain_colours(RULES);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{view}\" \
         font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\">\n<title>{label}</title>\n\
         <style>{rules}</style>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}\n",
        plain_styles(body)
    )
}

/// Plain colours in every attribute `style`; texts stay what they are.
fn plain_styles(body: &str) -> String {
    const STYLE: &str = "style=\"";
    let mut parts = body.split(STYLE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (style, rest) = part.split_once('"').unwrap_or((part, ""));
        out.extend([STYLE, &plain_colours(style), "\"", rest]);
    }
    out
}

/// The value of an attribute, as it is written.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

/// Puts colours in the place of `var(--name)` and of the heat scale's mixtures.
fn plain_colours(text: &str) -> String {
    const MIX: &str = "color-mix(in oklab, var(--heat) ";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (variable, mixture) = (rest.find("var(--"), rest.find(MIX));
        let at = match (variable, mixture) {
            (None, None) => return out + rest,
            (a, b) => a.into_iter().chain(b).min().unwrap_or(0),
        };
        out.push_str(&rest[..at]);
        let (colour, end) = if mixture == Some(at) {
            let share = rest[at + MIX.len()..].split('%').next().and_then(|n| n.parse::<f64>().ok());
            (heat(share.unwrap_or(0.0) / 100.0), "var(--heat-low))")
        } else {
            let name = rest[at + "var(--".len()..].split(')').next().unwrap_or_default();
            (light(name).to_owned(), ")")
        };
        out.push_str(&colour);
        rest = rest[at..].find(end).map_or("", |length| &rest[at + length + end.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Heatmap;

    #[test]
    fn a_file_needs_nothing_of_the_page() {
        let chart = Heatmap {
            label: "accuracy <here>".into(),
            row_axis: "network".into(),
            column_axis: "view".into(),
            rows: vec!["a var(--x) b".into()],
            columns: vec!["x".into(), "y".into()],
            values: vec![vec![Some(100.0), None]],
            range: (0.0, 100.0),
            decimals: 1,
        };
        let file = standalone(&chart.svg().unwrap());
        let (texts, file) = (file.contains("a var(--x) b"), file.replace("a var(--x) b", ""));
        assert!(texts && !file.contains("--") && !file.contains("color-mix"), "{file}");
        assert!(
            file.contains("fill:#2f6fb0") && file.contains("<title>accuracy &lt;here&gt;</title>"),
            "{file}"
        );
        assert!(file.contains("<style>text{fill:#1c2230"), "{file}");
        assert!(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""), "{file}");
    }
}
