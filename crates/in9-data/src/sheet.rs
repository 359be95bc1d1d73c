//! Sheets of pictures with titles, as PNG.

use std::path::Path;

use font8x8::UnicodeFonts as _;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use in9_base::files;

use crate::error::Result;

/// Pixels between pictures.
const GAP: usize = 4;

/// Pixels of a letter's side.
const LETTER: usize = 8;

/// Pixels of a line of text.
const LINE: usize = LETTER + 3;

/// Longest title of a row, in letters.
const LONGEST: usize = 28;

/// A white sheet with pictures of one size in rows and columns, a title over each column and lines before each row.
pub(crate) struct Sheet {
    size: usize,
    /// Widths of a column and of the rows' titles.
    column: usize,
    titles: usize,
    head: usize,
    row: usize,
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Sheet {
    /// A sheet for pictures of `size` pixels a side, a line of `rows` for each row, with these titles over the columns.
    pub(crate) fn new(size: usize, columns: &[&str], rows: &[Vec<String>]) -> Self {
        let letters = |text: &str| text.chars().count();
        let widest = columns.iter().map(|title| letters(title) * LETTER).max().unwrap_or(0);
        let longest = rows.iter().flatten().map(|line| letters(line).min(LONGEST)).max().unwrap_or(0);
        let lines = rows.iter().map(Vec::len).max().unwrap_or(0);
        let column = size.max(widest) + GAP;
        let titles = if longest == 0 { GAP } else { longest * LETTER + 2 * GAP };
        let head = if widest == 0 { GAP } else { LINE + GAP };
        let row = size.max(lines * LINE) + GAP;
        let (width, height) = (titles + columns.len().max(1) * column, head + rows.len() * row);
        let rgb = vec![255; width * height * 3];
        let mut sheet = Self { size, column, titles, head, row, width, height, rgb };
        for (i, title) in columns.iter().enumerate() {
            sheet.text(titles + i * column, GAP / 2, title);
        }
        for (i, lines) in rows.iter().enumerate() {
            for (k, line) in lines.iter().enumerate() {
                let shown: String = line.chars().take(LONGEST).collect();
                sheet.text(GAP, head + i * row + k * LINE, &shown);
            }
        }
        sheet
    }

    /// Puts a picture (`size · size · 3` bytes) into its place.
    pub(crate) fn put(&mut self, row: usize, column: usize, picture: &[u8]) {
        let (x, y) = (self.titles + column * self.column, self.head + row * self.row);
        for (i, line) in picture.chunks_exact(self.size * 3).enumerate() {
            let start = ((y + i) * self.width + x) * 3;
            self.rgb[start..start + line.len()].copy_from_slice(line);
        }
    }

    fn text(&mut self, x: usize, y: usize, text: &str) {
        for (i, letter) in text.chars().enumerate() {
            let known = font8x8::BASIC_FONTS.get(letter).or_else(|| font8x8::LATIN_FONTS.get(letter));
            let glyph = known.or_else(|| font8x8::BASIC_FONTS.get('?')).unwrap_or_default();
            for (dy, bits) in glyph.into_iter().enumerate() {
                for dx in (0..LETTER).filter(|dx| bits >> dx & 1 == 1) {
                    let (px, py) = (x + i * LETTER + dx, y + dy);
                    if px < self.width && py < self.height {
                        let at = (py * self.width + px) * 3;
                        self.rgb[at..at + 3].fill(40);
                    }
                }
            }
        }
    }

    /// Writes the sheet; the file appears whole.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(self, png: &Path) -> Result<()> {
        files::write(png, |file| {
            PngEncoder::new(file)
                .write_image(&self.rgb, self.width as u32, self.height as u32, ExtendedColorType::Rgb8)
                .map_err(std::io::Error::other)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_titles_have_their_places() {
        let mut sheet = Sheet::new(16, &["a", "only-bg-t"], &[vec!["dog".into(), "n02_1".into()]]);
        sheet.put(0, 1, &[7; 16 * 16 * 3]);
        let at = |sheet: &Sheet, x: usize, y: usize| sheet.rgb[(y * sheet.width + x) * 3];
        let (x, y) = (sheet.titles + sheet.column, sheet.head);
        assert_eq!((at(&sheet, x, y), at(&sheet, x + 15, y + 15), at(&sheet, x + 16, y)), (7, 7, 255));
        let dark = |range: std::ops::Range<usize>| {
            (0..sheet.width).any(|x| range.clone().any(|y| at(&sheet, x, y) == 40))
        };
        assert!(dark(0..sheet.head) && dark(sheet.head..sheet.height));
        // As wide as the longest title needs.
        assert!(sheet.column >= 9 * LETTER);
    }
}
