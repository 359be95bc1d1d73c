//! A chart as a PDF file, with the letters that it needs inside.
//!
//! Charts consist of the few elements that [`Svg`](super::svg::Svg) writes, so that no renderer of all of SVG is needed,
//! and no font of the machine: the same chart is the same bytes everywhere.

mod draw;
mod file;
mod font;
mod style;

use draw::Canvas;
use file::File;

use super::standalone::attribute;

/// Points a pixel, of which 96 are an inch.
const POINTS: f64 = 0.75;

/// The chart in the SVG file `alone` (of [`standalone`](super::standalone())) as a PDF file of one page, as large as the
/// chart. Texts stay texts, which can be searched and copied.
pub(crate) fn pdf(alone: &str) -> Vec<u8> {
    let side =
        |name| attribute(alone, name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(1.0) * POINTS;
    let (width, height) = (side("width"), side("height"));
    let mut canvas = Canvas::new(alone, height);
    for element in alone.lines() {
        canvas.draw(element);
    }
    let mut file = File::new();
    let fonts = canvas.letters.iter().zip(["F0", "F1"]).filter(|(letters, _)| !letters.is_empty());
    let fonts: Vec<String> =
        fonts.map(|(letters, name)| format!("/{name} {} 0 R", letters.write(&mut file))).collect();
    let states: Vec<String> = (0..)
        .zip(&canvas.opacities)
        .map(|(at, alpha)| format!("/G{at} <</ca {alpha} /CA {alpha}>>"))
        .collect();
    let content = file.stream("", canvas.content.as_bytes());
    file.page(
        [width, height],
        content,
        &format!("<</Font <<{}>> /ExtGState <<{}>>>>", fonts.join(" "), states.join(" ")),
        text_between(alone, "<title>", "</title>").unwrap_or_default(),
    )
}

/// What stands between two tags first, as text.
fn text_between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from)?.1.split_once(to).map(|(inside, _)| inside)
}

/// Text of which XML's signs were escaped.
fn plain(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Heatmap, standalone};

    fn holds(pdf: &[u8], what: &str) -> bool {
        pdf.windows(what.len()).any(|window| window == what.as_bytes())
    }

    fn chart() -> String {
        let chart = Heatmap {
            label: "accuracy <here>".into(),
            row_axis: "network".into(),
            column_axis: "view".into(),
            rows: vec!["ρ = 0.9 − x".into()],
            columns: vec!["a".into(), "b".into()],
            values: vec![vec![Some(100.0), None]],
            range: (0.0, 100.0),
            decimals: 1,
        };
        standalone(&chart.svg().unwrap())
    }

    #[test]
    fn a_page_is_as_large_as_the_chart_and_holds_its_letters() {
        let alone = chart();
        let pdf = pdf(&alone);
        let side = |name| attribute(&alone, name).unwrap().parse::<f64>().unwrap() * 0.75;
        let page = format!("/MediaBox [0 0 {} {}]", side("width"), side("height"));
        assert!(pdf.starts_with(b"%PDF-1.7\n") && pdf.ends_with(b"%%EOF\n") && holds(&pdf, &page));
        assert!(holds(&pdf, "+In9Sans-Regular") && holds(&pdf, "+In9Sans-Bold") && holds(&pdf, "/ToUnicode"));
        // "accuracy <here>" as a title.
        assert!(holds(&pdf, "/Title <FEFF006100630063007500720061006300790020003C0068"));
        assert_eq!(pdf, super::pdf(&alone));
        assert!(pdf.len() < 30_000, "{} bytes", pdf.len());
    }

    #[test]
    fn every_object_is_where_the_table_says() {
        let pdf = pdf(&chart());
        let text = String::from_utf8_lossy(&pdf);
        let start: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(pdf[start..].starts_with(b"xref\n0 "));
        let table = String::from_utf8_lossy(&pdf[start..]).into_owned();
        let places =
            table.lines().filter(|line| line.ends_with(" 00000 n ")).map(|line| line[..10].parse::<usize>());
        for (number, at) in (1..).zip(places) {
            let at = at.unwrap();
            assert!(pdf[at..].starts_with(format!("{number} 0 obj").as_bytes()), "{number} at {at}");
        }
    }

    #[test]
    fn escaped_text_is_plain_again() {
        assert_eq!(plain("a &lt; b &amp;lt; &quot;c&quot;"), "a < b &lt; \"c\"");
    }
}
