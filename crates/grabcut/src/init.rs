//! How a segmentation starts.

use crate::{Error, Rect, RgbView};

/// What is known of a pixel beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// Background; will not change.
    Background,
    /// Foreground; will not change.
    Foreground,
    /// To be decided; starts as background.
    MaybeBackground,
    /// To be decided; starts as foreground. The paper's "unknown".
    MaybeForeground,
}

/// What a segmentation starts from.
#[derive(Debug, Clone, Copy)]
pub enum Init<'a> {
    /// Background outside the box, [`Label::MaybeForeground`] inside. Parts of the box outside
    /// the image are ignored.
    Box(Rect),
    /// One label per pixel, row by row.
    Trimap(&'a [Label]),
}

/// Bit of a state: the pixel is foreground now.
pub(crate) const FOREGROUND: u8 = 1;
/// Bit of a state: the pixel is undecided and may change sides.
pub(crate) const UNKNOWN: u8 = 2;

impl Init<'_> {
    /// Writes the state of every pixel and returns the smallest box around the unknown pixels, if there are any.
    pub(crate) fn states(&self, image: RgbView, states: &mut Vec<u8>) -> Result<Option<Rect>, Error> {
        let (width, height) = (image.width(), image.height());
        states.clear();
        match *self {
            Init::Box(rect) => {
                let rect = rect.clipped(width, height).ok_or(Error::EmptyBox { rect, width, height })?;
                states.resize(width * height, 0);
                for row in states.chunks_exact_mut(width).take(rect.y1 as usize).skip(rect.y0 as usize) {
                    row[rect.x0 as usize..rect.x1 as usize].fill(FOREGROUND | UNKNOWN);
                }
                Ok(Some(rect))
            }
            Init::Trimap(labels) => {
                if labels.len() != width * height {
                    return Err(Error::TrimapSize { expected: width * height, found: labels.len() });
                }
                states.extend(labels.iter().map(|label| match label {
                    Label::Background => 0,
                    Label::Foreground => FOREGROUND,
                    Label::MaybeBackground => UNKNOWN,
                    Label::MaybeForeground => FOREGROUND | UNKNOWN,
                }));
                Ok(bounds(states, width))
            }
        }
    }
}

/// Writes the states of the image of half the size. A block of 2 × 2 pixels is fixed if one of its pixels is.
/// Its side is that of the majority of its fixed pixels, or of all pixels if none is fixed.
pub(crate) fn halve(states: &[u8], width: usize, half: &mut Vec<u8>) {
    half.clear();
    for rows in states.chunks(2 * width) {
        let (above, below) = rows.split_at(width);
        half.extend(above.chunks(2).enumerate().map(|(x, above)| {
            let below = below.get(2 * x..2 * x + above.len()).unwrap_or_default();
            let block = || above.iter().chain(below);
            let unknown = block().all(|s| s & UNKNOWN != 0);
            let deciding = || block().filter(|&s| unknown || s & UNKNOWN == 0);
            let foreground = deciding().filter(|&s| s & FOREGROUND != 0).count();
            let side = if 2 * foreground >= deciding().count() { FOREGROUND } else { 0 };
            side | if unknown { UNKNOWN } else { 0 }
        }));
    }
}

/// Smallest box around the unknown pixels.
pub(crate) fn bounds(states: &[u8], width: usize) -> Option<Rect> {
    let mut bounds: Option<Rect> = None;
    for (y, row) in (0_u32..).zip(states.chunks_exact(width)) {
        let Some(first) = row.iter().position(|s| s & UNKNOWN != 0) else {
            continue;
        };
        let last = row.iter().rposition(|s| s & UNKNOWN != 0).unwrap_or(first);
        let (x0, x1) = (first as u32, last as u32 + 1);
        bounds = Some(match bounds {
            None => Rect { x0, y0: y, x1, y1: y + 1 },
            Some(b) => Rect { x0: b.x0.min(x0), y0: b.y0, x1: b.x1.max(x1), y1: y + 1 },
        });
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_pixels_are_enclosed() {
        let image = RgbView::new(&[0; 36], 4, 3).expect("sizes match");
        let mut states = Vec::new();
        let mut labels = [Label::Background; 12];
        assert_eq!(Init::Trimap(&labels).states(image, &mut states), Ok(None));
        labels[1] = Label::MaybeForeground;
        labels[6] = Label::MaybeBackground;
        labels[11] = Label::Foreground;
        let rect = Init::Trimap(&labels).states(image, &mut states);
        assert_eq!(rect, Ok(Some(Rect { x0: 1, y0: 0, x1: 3, y1: 2 })));
        assert_eq!(states, [0, 3, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn fixed_pixels_decide_for_their_block() {
        const MAYBE: u8 = FOREGROUND | UNKNOWN;
        let mut half = Vec::new();
        #[rustfmt::skip]
        halve(&[
            MAYBE, UNKNOWN,  MAYBE, MAYBE, 0,
            UNKNOWN,  UNKNOWN,  0,     MAYBE, UNKNOWN,
            0,     1,     UNKNOWN,  1,     MAYBE,
        ], 5, &mut half);
        assert_eq!(half, [UNKNOWN, 0, 0, FOREGROUND, FOREGROUND, MAYBE]);
    }

    #[test]
    fn a_box_becomes_states() {
        let image = RgbView::new(&[0; 18], 3, 2).expect("sizes match");
        let mut states = vec![9; 40];
        let rect = Rect { x0: 1, y0: 1, x1: 9, y1: 9 };
        let clipped = Init::Box(rect).states(image, &mut states);
        assert_eq!(clipped, Ok(Some(Rect { x0: 1, y0: 1, x1: 3, y1: 2 })));
        assert_eq!(states, [0, 0, 0, 0, 3, 3]);
        let outside = Init::Box(Rect { x0: 3, y0: 0, x1: 9, y1: 9 });
        assert!(matches!(outside.states(image, &mut states), Err(Error::EmptyBox { .. })));
    }
}
