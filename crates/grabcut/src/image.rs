//! Borrowed pixels and boxes.

use crate::Error;

/// A borrowed colour image: interleaved RGB, 8 bits a channel, rows without padding.
///
/// The order of the channels does not matter to the algorithm, so BGR works as well.
#[derive(Debug, Clone, Copy)]
pub struct RgbView<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> RgbView<'a> {
    /// Wraps `data`, which holds `width × height` pixels of three bytes, row by row.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyImage`] if a side is zero, [`Error::BufferSize`] if the length differs from
    /// `width × height × 3`.
    pub fn new(data: &'a [u8], width: usize, height: usize) -> Result<Self, Error> {
        if width == 0 || height == 0 {
            return Err(Error::EmptyImage { width, height });
        }
        let expected = width.saturating_mul(height).saturating_mul(3);
        if data.len() != expected {
            return Err(Error::BufferSize { width, height, expected, found: data.len() });
        }
        Ok(Self { data, width, height })
    }

    /// Interleaved bytes, `width × height × 3`.
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.width * self.height
    }
}

/// A box in pixels: columns `x0..x1` and rows `y0..y1`; `x1` and `y1` are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// First column inside.
    pub x0: u32,
    /// First row inside.
    pub y0: u32,
    /// First column to the right of the box.
    pub x1: u32,
    /// First row below the box.
    pub y1: u32,
}

impl Rect {
    /// The part inside an image of `width × height` pixels, or `None` when nothing is.
    pub fn clipped(self, width: usize, height: usize) -> Option<Rect> {
        let clip = |v: u32, side: usize| v.min(u32::try_from(side).unwrap_or(u32::MAX));
        let rect = Rect {
            x0: clip(self.x0, width),
            y0: clip(self.y0, height),
            x1: clip(self.x1, width),
            y1: clip(self.y1, height),
        };
        (rect.x0 < rect.x1 && rect.y0 < rect.y1).then_some(rect)
    }

    /// Width in pixels; zero when `x1 <= x0`.
    pub fn width(self) -> u32 {
        self.x1.saturating_sub(self.x0)
    }

    /// Height in pixels; zero when `y1 <= y0`.
    pub fn height(self) -> u32 {
        self.y1.saturating_sub(self.y0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_checks_its_length() {
        assert!(RgbView::new(&[0; 12], 2, 2).is_ok());
        assert_eq!(
            RgbView::new(&[0; 11], 2, 2).unwrap_err(),
            Error::BufferSize { width: 2, height: 2, expected: 12, found: 11 }
        );
        assert!(matches!(RgbView::new(&[], 0, 2), Err(Error::EmptyImage { .. })));
        assert!(matches!(RgbView::new(&[], usize::MAX, 2), Err(Error::BufferSize { .. })));
    }

    #[test]
    fn a_box_is_clipped_to_the_image() {
        let rect = Rect { x0: 1, y0: 2, x1: 9, y1: 4 };
        assert_eq!(rect.clipped(5, 9), Some(Rect { x1: 5, ..rect }));
        assert_eq!(rect.clipped(1, 9), None);
        assert_eq!(Rect { x0: 3, x1: 3, ..rect }.clipped(9, 9), None);
        assert_eq!(Rect { x0: 4, x1: 3, ..rect }.width(), 0);
    }
}
