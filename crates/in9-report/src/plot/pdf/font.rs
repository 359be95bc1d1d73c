//! The two fonts of charts: widths of letters, and those parts of them that a file needs.
//!
//! `tests/oracles/report_font.py` made the fonts in `fonts`, which are TrueType files without hints.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Filter, Finish as _, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use ttf_parser::{Face, GlyphId};

use super::packed;

/// Names and files of regular and bold.
const FACES: [(&str, &[u8]); 2] = [
    ("In9Sans-Regular", include_bytes!("../../fonts/In9Sans-Regular.ttf")),
    ("In9Sans-Bold", include_bytes!("../../fonts/In9Sans-Bold.ttf")),
];
const WHOLE: &str = "the fonts of this crate are whole";

/// The letters that a chart uses of a font.
pub(super) struct Letters {
    name: &'static str,
    bytes: &'static [u8],
    face: Face<'static>,
    /// From the font's glyphs to those of the part that is written.
    part: GlyphRemapper,
    /// Letter and width, as a share of the font's size, of each glyph of the part.
    used: BTreeMap<u16, (char, f64)>,
}

impl Letters {
    /// None of the regular and of the bold ones.
    pub(super) fn none() -> [Self; 2] {
        FACES.map(|(name, bytes)| {
            let face = Face::parse(bytes, 0).expect(WHOLE);
            Self { name, bytes, face, part: GlyphRemapper::new(), used: BTreeMap::new() }
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// The glyphs of a text as hexadecimal digits, and its width as a share of the font's size. A letter that the font
    /// does not have is an empty box.
    pub(super) fn take(&mut self, text: &str) -> (String, f64) {
        let (mut digits, mut width) = (String::new(), 0.0);
        for letter in text.chars() {
            let glyph = self.face.glyph_index(letter);
            let known = if glyph.is_some() { letter } else { '\u{fffd}' };
            let glyph = glyph.unwrap_or(GlyphId(0));
            let advance = self.face.glyph_hor_advance(glyph).unwrap_or(0);
            let advance = f64::from(advance) / f64::from(self.face.units_per_em());
            let own = self.part.remap(glyph.0);
            self.used.entry(own).or_insert((known, advance));
            digits += &format!("{own:04X}");
            width += advance;
        }
        (digits, width)
    }

    /// Writes the font with the letters that were used, and returns its object.
    pub(super) fn write(&self, pdf: &mut Pdf, next: &mut Ref) -> Ref {
        let [font, glyphs, descriptor, program, letters] = std::array::from_fn(|_| next.bump());
        let bytes = subsetter::subset(self.bytes, 0, &self.part).expect(WHOLE);
        // Six letters tell fonts apart of which different parts were taken.
        let digest = blake3::hash(&bytes);
        let part: String = digest.as_bytes()[..6].iter().map(|byte| char::from(b'A' + byte % 26)).collect();
        let name = format!("{part}+{}", self.name);
        let name = Name(name.as_bytes());
        let collection =
            |ordering| SystemInfo { registry: Str(b"Adobe"), ordering: Str(ordering), supplement: 0 };

        pdf.type0_font(font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(glyphs)
            .to_unicode(letters);
        let mut outlines = pdf.cid_font(glyphs);
        outlines
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(collection(b"Identity"))
            .font_descriptor(descriptor)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let mut widths = outlines.widths();
        for (glyph, (_, advance)) in &self.used {
            widths.consecutive(*glyph, [(advance * 1000.0).round() as f32]);
        }
        widths.finish();
        outlines.finish();

        let thousandths =
            |units: i16| (f32::from(units) * 1000.0 / f32::from(self.face.units_per_em())).round();
        let bounds = self.face.global_bounding_box();
        let [x0, y0, x1, y1] = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(thousandths);
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(x0, y0, x1, y1))
            .italic_angle(0.0)
            .ascent(thousandths(self.face.ascender()))
            .descent(thousandths(self.face.descender()))
            .cap_height(thousandths(self.face.capital_height().unwrap_or(self.face.ascender())))
            .stem_v(80.0)
            .font_file2(program);
        pdf.stream(program, &packed(&bytes))
            .filter(Filter::FlateDecode)
            .pair(Name(b"Length1"), i32::try_from(bytes.len()).unwrap_or(i32::MAX));
        // From glyphs back to letters, by which text is searched and copied.
        let mut back = UnicodeCmap::new(Name(b"Adobe-Identity-UCS"), collection(b"UCS"));
        for (glyph, (letter, _)) in &self.used {
            back.pair(*glyph, *letter);
        }
        pdf.cmap(letters, &back.finish());
        font
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_that_pages_use_has_a_letter_as_wide_as_arials() {
        for letters in Letters::none() {
            for sign in "azAZ09äßŁłςρΔσλαЖя−–—·×±≥≤≈→↑↓“”’…²¹½§√∞Σ%".chars()
            {
                assert!(letters.face.glyph_index(sign).is_some(), "{} has no {sign}", letters.name);
            }
            assert_eq!(letters.face.glyph_index('漢'), None);
        }
        let widths =
            |at: usize| ["n", "W", "0"].map(|text| (Letters::none()[at].take(text).1 * 1000.0).round());
        assert_eq!(widths(0), [556.0, 944.0, 556.0]);
        assert_eq!(widths(1), [611.0, 944.0, 556.0]);
    }

    #[test]
    fn a_letter_keeps_its_glyph_and_an_unknown_one_is_a_box() {
        let [mut letters, _] = Letters::none();
        let (twice, width) = letters.take("nn");
        assert_eq!((twice.as_str(), (width * 1000.0).round()), ("00010001", 1112.0));
        assert_eq!(letters.take("漢n").0, "00000001");
        assert_eq!(letters.used[&0].0, '\u{fffd}');
    }
}
