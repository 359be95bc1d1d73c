//! Where the stored square lies in a photograph.

use crate::profile::Profile;

use super::{Geometry, PhotoBox};

/// The stored square's place, and the nearest source pixel of each of its columns and rows.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) profile: Profile,
    pub(crate) size: usize,
    /// Source column of each stored column, by nearest neighbour.
    pub(crate) columns: Vec<u32>,
    /// Source row of each stored row, by nearest neighbour.
    pub(crate) rows: Vec<u32>,
    /// Left, top and side of the square, in pixels of the photograph (clean profile only).
    pub(crate) window: (f64, f64, f64),
}

/// How a box and the crop cover each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    /// Share of the crop that is box.
    pub(crate) of_crop: f64,
    /// Share of the box that is in the crop.
    pub(crate) survives: f64,
}

/// The resized length of both axes: the shorter becomes `short`, the longer is cut down to a whole
/// number, as torchvision's Resize does.
fn resized(width: u32, height: u32, short: u32) -> (u32, u32) {
    let scale = |long: u32, side: u32| ((u64::from(short) * u64::from(long)) / u64::from(side)) as u32;
    if width <= height { (short, scale(height, width)) } else { (scale(width, height), short) }
}

/// First pixel of a central crop: half to even, as Python's round.
fn offset(length: u32, size: u32) -> u32 {
    ((f64::from(length) - f64::from(size)) / 2.0).round_ties_even() as u32
}

/// Source index of each pixel of an axis resized from `from` to `to` by nearest neighbour.
///
/// Pillow adds the step up pixel by pixel in double precision; so do we, to land on the same side
/// of every tie.
fn nearest(from: u32, to: u32) -> impl Iterator<Item = u32> {
    let step = f64::from(from) / f64::from(to);
    let mut at = step * 0.5;
    (0..to).map(move |_| {
        let index = (at as u32).min(from - 1);
        at += step;
        index
    })
}

impl Frame {
    /// The frame of a photograph. `short_side` must be at least `size`.
    pub(crate) fn new(width: u32, height: u32, geometry: Geometry) -> Self {
        let Geometry { profile, size, short_side } = geometry;
        match profile {
            Profile::Paper => {
                let (across, down) = resized(width, height, short_side);
                let axis = |from: u32, to: u32| {
                    nearest(from, to).skip(offset(to, size) as usize).take(size as usize).collect()
                };
                let (columns, rows) = (axis(width, across), axis(height, down));
                Self { profile, size: size as usize, columns, rows, window: (0.0, 0.0, 0.0) }
            }
            Profile::Clean => {
                let side = f64::from(width.min(height)) * f64::from(size) / f64::from(short_side);
                let (left, top) = ((f64::from(width) - side) / 2.0, (f64::from(height) - side) / 2.0);
                // Whole pixels where nothing is resampled, so that the crop is a plain copy.
                let whole = side == f64::from(size);
                let (left, top) = if whole { (left.floor(), top.floor()) } else { (left, top) };
                let axis = |start: f64, length: u32| {
                    let pixel = |i: u32| start + (f64::from(i) + 0.5) * side / f64::from(size);
                    (0..size).map(|i| (pixel(i) as u32).min(length - 1)).collect()
                };
                let (columns, rows) = (axis(left, width), axis(top, height));
                Self { profile, size: size as usize, columns, rows, window: (left, top, side) }
            }
        }
    }

    /// Whether the stored pixels are pixels of the photograph, unchanged.
    pub(crate) fn is_copy(&self) -> bool {
        self.profile == Profile::Paper || self.window.2 == self.size as f64
    }

    /// An inclusive box of the photograph in stored pixels, or `None` if none is left of it.
    ///
    /// Nearest neighbour maps pixels to pixels; with antialiasing every stored pixel that the box
    /// touches counts, so that no trace of the object stays outside.
    pub(crate) fn crop_box(&self, &[x0, y0, x1, y1]: &[u32; 4]) -> Option<[u16; 4]> {
        let axis = |map: &[u32], low: u32, high: u32, start: f64| {
            if self.is_copy() {
                let first = map.iter().position(|&at| (low..=high).contains(&at))?;
                let last = map.iter().rposition(|&at| (low..=high).contains(&at))?;
                return Some((first as u16, last as u16));
            }
            let scale = self.size as f64 / self.window.2;
            let first = ((f64::from(low) - start) * scale).floor().max(0.0);
            let last = ((f64::from(high) + 1.0 - start) * scale).ceil().min(self.size as f64) - 1.0;
            (first <= last).then_some((first as u16, last as u16))
        };
        let (bx0, bx1) = axis(&self.columns, x0, x1, self.window.0)?;
        let (by0, by1) = axis(&self.rows, y0, y1, self.window.1)?;
        Some([bx0, by0, bx1, by1])
    }

    /// How a box and the crop cover each other: in whole pixels after the resize for the paper, in
    /// areas for the clean profile.
    pub(crate) fn shares(width: u32, height: u32, geometry: Geometry, photo_box: &PhotoBox) -> Shares {
        let [x0, y0, x1, y1] = photo_box.inclusive(width, height);
        let (of_x, of_y) = match geometry.profile {
            Profile::Paper => {
                let (across, down) = resized(width, height, geometry.short_side);
                let axis = |from: u32, to: u32, low: u32, high: u32| {
                    let skip = offset(to, geometry.size) as usize;
                    let crop = skip..skip + geometry.size as usize;
                    let mut counts = (0u64, 0u64);
                    for (at, source) in nearest(from, to).enumerate() {
                        let inside = u64::from((low..=high).contains(&source));
                        counts.0 += inside;
                        counts.1 += inside * u64::from(crop.contains(&at));
                    }
                    (counts.0 as f64, counts.1 as f64, f64::from(geometry.size))
                };
                (axis(width, across, x0, x1), axis(height, down, y0, y1))
            }
            Profile::Clean => {
                let (left, top, side) = Self::new(width, height, geometry).window;
                let axis = |low: u32, high: u32, start: f64| {
                    let (low, high) = (f64::from(low), f64::from(high) + 1.0);
                    (high - low, (high.min(start + side) - low.max(start)).max(0.0), side)
                };
                (axis(x0, x1, left), axis(y0, y1, top))
            }
        };
        let (whole, inside, crop) = (of_x.0 * of_y.0, of_x.1 * of_y.1, of_x.2 * of_y.2);
        let survives = if whole > 0.0 { inside / whole } else { 0.0 };
        Shares { of_crop: inside / crop, survives }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAPER: Geometry = Geometry { profile: Profile::Paper, size: 224, short_side: 256 };
    const CLEAN: Geometry = Geometry { profile: Profile::Clean, size: 64, short_side: 64 };

    #[test]
    fn resizing_follows_torchvision() {
        assert_eq!(resized(500, 375, 256), (341, 256));
        assert_eq!(resized(375, 500, 256), (256, 341));
        assert_eq!(resized(64, 64, 256), (256, 256));
        assert_eq!((offset(341, 224), offset(256, 224), offset(225, 224), offset(227, 224)), (58, 16, 0, 2));
    }

    #[test]
    fn nearest_takes_the_pixel_under_the_centre() {
        assert_eq!(nearest(4, 2).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(nearest(2, 4).collect::<Vec<_>>(), [0, 0, 1, 1]);
        assert_eq!(nearest(5, 3).collect::<Vec<_>>(), [0, 2, 4]);
    }

    #[test]
    fn small_square_photographs_are_copied_in_the_clean_profile() {
        let frame = Frame::new(64, 64, CLEAN);
        assert!(frame.is_copy());
        assert!(frame.columns.iter().copied().eq(0..64) && frame.rows == frame.columns);
        assert_eq!(frame.crop_box(&[3, 0, 60, 63]), Some([3, 0, 60, 63]));
    }

    #[test]
    fn clean_boxes_are_rounded_outward() {
        let frame = Frame::new(100, 128, CLEAN);
        // The window is 100 wide from row 14: 1.5625 pixels of the photograph a stored pixel.
        assert_eq!(frame.crop_box(&[10, 14, 11, 20]), Some([6, 0, 7, 4]));
        assert_eq!(frame.crop_box(&[0, 0, 50, 10]), None);
    }

    proptest! {
        #[test]
        fn frames_stay_inside_any_photograph(width in 1u32..700, height in 1u32..700, paper: bool) {
            let geometry = if paper { PAPER } else { CLEAN };
            let frame = Frame::new(width, height, geometry);
            prop_assert_eq!((frame.columns.len(), frame.rows.len()), (frame.size, frame.size));
            prop_assert!(frame.columns.iter().all(|&x| x < width) && frame.rows.iter().all(|&y| y < height));
            prop_assert!(frame.columns.is_sorted() && frame.rows.is_sorted());
            let all = PhotoBox::new(0, 0, i64::from(width), i64::from(height));
            let shares = Frame::shares(width, height, geometry, &all);
            prop_assert!((shares.of_crop - 1.0).abs() < 1e-9 && shares.survives > 0.0 && shares.survives <= 1.0);
            let last = frame.size as u16 - 1;
            prop_assert_eq!(frame.crop_box(&[0, 0, width - 1, height - 1]), Some([0, 0, last, last]));
        }
    }
}
