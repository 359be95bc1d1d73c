//! A chart as a PDF file, with the letters that it needs inside.
//!
//! Charts consist of the few elements that [`Svg`](super::svg::Svg) writes, so that no renderer of all of SVG is needed,
//! and no font of the machine: the same chart is the same bytes everywhere.

mod draw;
mod font;
mod style;

use std::io::Write as _;

use draw::Canvas;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Filter, Finish as _, Name, Pdf, Rect, Ref, TextStr};

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

    let mut pdf = Pdf::new();
    let mut next = Ref::new(1);
    let [catalog, pages, page, content, about] = std::array::from_fn(|_| next.bump());
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let title = plain(text_between(alone, "<title>", "</title>").unwrap_or_default());
    pdf.document_info(about).title(TextStr(&title)).producer(TextStr("in9-report"));
    pdf.stream(content, &packed(canvas.content.as_bytes())).filter(Filter::FlateDecode);
    let fonts = canvas.letters.iter().zip([b"F0", b"F1"]).filter(|(letters, _)| !letters.is_empty());
    let fonts: Vec<_> = fonts.map(|(letters, name)| (name, letters.write(&mut pdf, &mut next))).collect();

    let mut sheet = pdf.page(page);
    sheet.parent(pages).media_box(Rect::new(0.0, 0.0, width as f32, height as f32)).contents(content);
    sheet.group().transparency().color_space().device_rgb();
    let mut resources = sheet.resources();
    let mut listed = resources.fonts();
    for (name, font) in fonts {
        listed.pair(Name(name), font);
    }
    listed.finish();
    let mut states = resources.ext_g_states();
    for (at, alpha) in canvas.opacities.iter().enumerate() {
        let mut state =
            states.insert(Name(format!("G{at}").as_bytes())).start::<pdf_writer::writers::ExtGraphicsState>();
        state.non_stroking_alpha(*alpha as f32).stroking_alpha(*alpha as f32);
    }
    states.finish();
    resources.finish();
    sheet.finish();
    pdf.finish()
}

/// Bytes as a stream's filter unpacks them.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
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
        let page = format!("/MediaBox [0 0 {} {}]", side("width") as f32, side("height") as f32);
        assert!(pdf.starts_with(b"%PDF-1.7\n") && holds(&pdf, &page) && holds(&pdf, "%%EOF"), "{page}");
        assert!(holds(&pdf, "+In9Sans-Regular") && holds(&pdf, "+In9Sans-Bold") && holds(&pdf, "/ToUnicode"));
        assert!(holds(&pdf, "/Title (accuracy <here>"));
        assert_eq!(pdf, super::pdf(&alone));
        assert!(pdf.len() < 30_000, "{} bytes", pdf.len());
    }

    #[test]
    fn escaped_text_is_plain_again() {
        assert_eq!(plain("a &lt; b &amp;lt; &quot;c&quot;"), "a < b &lt; \"c\"");
    }
}
