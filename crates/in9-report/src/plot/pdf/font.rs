//! The two fonts of charts: widths of letters, and files of those that are used.
//!
//! `tests/oracles/report_font.py` made the fonts in `fonts`, which are TrueType files (ISO 14496-22) without hints.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{File, utf16};

/// A font.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    name: &'static str,
    bytes: &'static [u8],
}

/// The letters that a chart uses of a font.
pub(super) struct Letters {
    face: Face,
    /// Letter of each glyph.
    used: BTreeMap<u16, char>,
}

/// Tables that a program needs to draw glyphs by their numbers.
const TABLES: [&str; 6] = ["glyf", "head", "hhea", "hmtx", "loca", "maxp"];

impl Face {
    /// Regular and bold.
    pub(super) const ALL: [Self; 2] = [
        Self { name: "In9Sans-Regular", bytes: include_bytes!("../../fonts/In9Sans-Regular.ttf") },
        Self { name: "In9Sans-Bold", bytes: include_bytes!("../../fonts/In9Sans-Bold.ttf") },
    ];

    /// The bytes of a table; none if there is none.
    fn table(self, name: &str) -> &'static [u8] {
        let records = self
            .bytes
            .get(12..)
            .unwrap_or_default()
            .chunks_exact(16)
            .take(usize::from(u16_at(self.bytes, 4)));
        let mut found = records.filter(|record| &record[..4] == name.as_bytes());
        let place = found.next().map(|record| (u32_at(record, 8) as usize, u32_at(record, 12) as usize));
        place.and_then(|(at, length)| self.bytes.get(at..at + length)).unwrap_or_default()
    }

    /// The number of a letter's glyph; 0, an empty box, for a letter that the font does not have.
    fn glyph(self, letter: char) -> u16 {
        self.mapped(letter).unwrap_or(0)
    }

    /// Looks a letter up in the segments of the table `cmap`, of format 4.
    fn mapped(self, letter: char) -> Option<u16> {
        let code = u16::try_from(u32::from(letter)).ok()?;
        let cmap = self.table("cmap");
        let tables = (0..usize::from(u16_at(cmap, 2))).map(|i| u32_at(cmap, 8 + 8 * i) as usize);
        let map = tables.filter_map(|at| cmap.get(at..)).find(|map| u16_at(map, 0) == 4)?;
        let twice = usize::from(u16_at(map, 6));
        let segment = (0..twice / 2).find(|i| u16_at(map, 14 + 2 * i) >= code)?;
        let [start, delta, offset] = [1, 2, 3].map(|k| 16 + k * twice + 2 * segment);
        let first = u16_at(map, start);
        if first > code {
            return None;
        }
        let glyph = match u16_at(map, offset) {
            0 => code.wrapping_add(u16_at(map, delta)),
            away => match u16_at(map, offset + usize::from(away) + 2 * usize::from(code - first)) {
                0 => 0,
                glyph => glyph.wrapping_add(u16_at(map, delta)),
            },
        };
        (glyph != 0).then_some(glyph)
    }

    /// Units that are as long as the font is large.
    fn units(self) -> f64 {
        f64::from(u16_at(self.table("head"), 18).max(1))
    }

    /// How far a glyph moves on what follows it, as a share of the font's size.
    fn advance(self, glyph: u16) -> f64 {
        let last = u16_at(self.table("hhea"), 34).saturating_sub(1);
        f64::from(u16_at(self.table("hmtx"), 4 * usize::from(glyph.min(last)))) / self.units()
    }

    /// The outline of a glyph.
    fn outline(self, glyph: u16) -> &'static [u8] {
        let (loca, at) = (self.table("loca"), usize::from(glyph));
        let place = |at: usize| match u16_at(self.table("head"), 50) {
            0 => 2 * usize::from(u16_at(loca, 2 * at)),
            _ => u32_at(loca, 4 * at) as usize,
        };
        self.table("glyf").get(place(at)..place(at + 1)).unwrap_or_default()
    }

    /// The font's file with the outlines of these glyphs and those that they are composed of. Glyphs keep their numbers.
    fn with_only(self, used: impl Iterator<Item = u16>) -> Vec<u8> {
        let mut kept = BTreeSet::from([0]);
        let mut open: Vec<u16> = used.collect();
        while let Some(glyph) = open.pop() {
            if kept.insert(glyph) {
                open.extend(components(self.outline(glyph)));
            }
        }
        let (mut glyf, mut loca) = (Vec::new(), Vec::new());
        for glyph in 0..u16_at(self.table("maxp"), 4) {
            loca.extend((glyf.len() as u32).to_be_bytes());
            if kept.contains(&glyph) {
                glyf.extend(self.outline(glyph));
                glyf.resize(glyf.len().next_multiple_of(4), 0);
            }
        }
        loca.extend((glyf.len() as u32).to_be_bytes());
        let mut head = self.table("head").to_vec();
        // Places in `loca` have four bytes each.
        if let Some(format) = head.get_mut(50..52) {
            format.copy_from_slice(&[0, 1]);
        }
        let mut directory = Vec::from([0, 1, 0, 0, 0, TABLES.len() as u8, 0, 64, 0, 2, 0, 32]);
        let mut body: Vec<u8> = Vec::new();
        for name in TABLES {
            let table: &[u8] = match name {
                "glyf" => &glyf,
                "loca" => &loca,
                "head" => &head,
                other => self.table(other),
            };
            let at = directory_length() + body.len();
            directory.extend(name.as_bytes());
            for number in [checksum(table), at as u32, table.len() as u32] {
                directory.extend(number.to_be_bytes());
            }
            body.extend(table);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        directory.extend(body);
        directory
    }
}

const fn directory_length() -> usize {
    12 + 16 * TABLES.len()
}

impl Letters {
    pub(super) fn none(face: Face) -> Self {
        Self { face, used: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// The glyphs of a text as hexadecimal digits, and its width as a share of the font's size.
    pub(super) fn take(&mut self, text: &str) -> (String, f64) {
        let (mut digits, mut width) = (String::new(), 0.0);
        for letter in text.chars() {
            let glyph = self.face.glyph(letter);
            self.used.entry(glyph).or_insert(if glyph == 0 { '\u{fffd}' } else { letter });
            digits += &format!("{glyph:04X}");
            width += self.face.advance(glyph);
        }
        (digits, width)
    }

    /// Writes the font with the letters that were used, and returns the number of its object.
    pub(super) fn write(&self, file: &mut File) -> usize {
        let Self { face, used } = self;
        let bytes = face.with_only(used.keys().copied());
        let length = format!("/Length1 {}", bytes.len());
        let program = file.stream(&length, &bytes);
        // Six letters tell fonts apart of which different parts were taken.
        let digest = blake3::hash(&bytes);
        let part: String = digest.as_bytes()[..6].iter().map(|byte| char::from(b'A' + byte % 26)).collect();
        let name = format!("{part}+{}", face.name);
        let thousandths = |units: u16| f64::from(units as i16) * 1000.0 / face.units();
        let [low_x, low_y, high_x, high_y] =
            [36, 38, 40, 42].map(|at| thousandths(u16_at(face.table("head"), at)).round());
        let [up, down] = [4, 6].map(|at| thousandths(u16_at(face.table("hhea"), at)).round());
        let descriptor = file.object(&format!(
            "<</Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{low_x} {low_y} {high_x} {high_y}] \
             /ItalicAngle 0 /Ascent {up} /Descent {down} /CapHeight 716 /StemV 80 /FontFile2 {program} 0 R>>"
        ));
        let widths: Vec<String> = used
            .keys()
            .map(|glyph| format!("{glyph} [{}]", (face.advance(*glyph) * 1000.0).round()))
            .collect();
        let glyphs = file.object(&format!(
            "<</Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDSystemInfo <</Registry (Adobe) \
             /Ordering (Identity) /Supplement 0>> /FontDescriptor {descriptor} 0 R /CIDToGIDMap /Identity /W [{}]>>",
            widths.join(" ")
        ));
        let text = file.stream("", to_unicode(used).as_bytes());
        file.object(&format!(
            "<</Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{glyphs} 0 R] \
             /ToUnicode {text} 0 R>>"
        ))
    }
}

/// The map from glyphs back to letters, by which text is searched and copied.
fn to_unicode(used: &BTreeMap<u16, char>) -> String {
    let mut map = String::from(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) \
         /Supplement 0>> def /CMapName /Adobe-Identity-UCS def /CMapType 2 def\n1 begincodespacerange <0000> <FFFF> \
         endcodespacerange\n",
    );
    let all: Vec<_> = used.iter().collect();
    // A list has at most a hundred entries.
    for some in all.chunks(100) {
        map += &format!("{} beginbfchar\n", some.len());
        for (glyph, letter) in some {
            map += &format!("<{glyph:04X}> <{}>\n", utf16(&letter.to_string()));
        }
        map += "endbfchar\n";
    }
    map + "endcmap CMapName currentdict /CMap defineresource pop end end\n"
}

/// The glyphs that an outline is composed of.
fn components(outline: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    // The number of contours is negative.
    if u16_at(outline, 0) < 0x8000 {
        return found;
    }
    let mut at = 10;
    while at + 4 <= outline.len() {
        let flags = u16_at(outline, at);
        found.push(u16_at(outline, at + 2));
        let is = |bit: u16| flags & bit != 0;
        let scale = if is(0x8) {
            2
        } else if is(0x40) {
            4
        } else if is(0x80) {
            8
        } else {
            0
        };
        at += 4 + if is(1) { 4 } else { 2 } + scale;
        if !is(0x20) {
            break;
        }
    }
    found
}

fn checksum(table: &[u8]) -> u32 {
    let words = table.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_be_bytes(word)
    });
    words.fold(0, u32::wrapping_add)
}

/// The number at a place; 0 beyond the end.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    (u32::from(u16_at(bytes, at)) << 16) | u32::from(u16_at(bytes, at + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_that_pages_use_has_a_letter_as_wide_as_arials() {
        for face in Face::ALL {
            for sign in "azAZ09äßŁłςρΔσλαЖя−–—·×±≥≤≈→↑↓“”’…²¹½§√∞Σ%".chars()
            {
                assert!(face.mapped(sign).is_some(), "{} has no {sign}", face.name);
            }
            assert_eq!(face.mapped('漢'), None);
        }
        let widths =
            |face: Face| ["n", "W", "0"].map(|text| (Letters::none(face).take(text).1 * 1000.0).round());
        assert_eq!(widths(Face::ALL[0]), [556.0, 944.0, 556.0]);
        assert_eq!(widths(Face::ALL[1]), [611.0, 944.0, 556.0]);
    }

    #[test]
    fn a_part_of_a_font_has_the_outlines_that_are_used_and_their_parts() {
        let face = Face::ALL[0];
        // Composed of an a and two dots.
        let glyph = face.glyph('ä');
        let parts = components(face.outline(glyph));
        assert!(parts.len() == 2 && parts.contains(&face.glyph('a')), "{parts:?}");
        let bytes = face.with_only(std::iter::once(glyph));
        assert!(bytes.len() < face.bytes.len() / 5, "{} bytes", bytes.len());
        let part = Face { name: "part", bytes: bytes.leak() };
        for glyph in parts.into_iter().chain([glyph, 0]) {
            let whole = face.outline(glyph);
            assert!(part.outline(glyph).starts_with(whole), "{glyph}");
        }
        assert!(part.outline(face.glyph('b')).is_empty());
        assert_eq!(part.advance(face.glyph('b')), face.advance(face.glyph('b')));
    }
}
