//! One sample: layers to a finished picture in its place of a batch.

use std::sync::Arc;

use in9_base::rng::{below, stream};
use rand_chacha::ChaCha8Rng;

use crate::canvas::Canvas;
use crate::compose::{compose, draw};
use crate::dataset::Split;
use crate::error::Result;
use crate::view::View;

use super::LoaderConfig;
use super::augment::{Augment, Random};
use super::batch::Pool;
use super::pixels::Pixel;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    composed: Vec<u8>,
    random: Random,
    row: Vec<u8>,
    centre: Vec<u8>,
}

/// Where a picture is put: mirrored first, then moved; what is uncovered is left blank (0 after normalisation).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placement {
    /// Whether left and right change places.
    pub mirrored: bool,
    /// Columns to the right.
    pub dx: i32,
    /// Rows down.
    pub dy: i32,
}

/// Makes single pictures.
#[derive(Debug)]
pub(super) struct Composer {
    split: Split,
    view: View,
    /// Pixels of a side of the pictures that are made.
    size: usize,
    augment: Augment,
    seed: u64,
    channels: [(f32, f32); 3],
    pub(super) floats: Arc<Pool<f32>>,
    pub(super) bytes: Arc<Pool<u8>>,
}

impl Composer {
    pub(super) fn new(split: Split, config: &LoaderConfig) -> Self {
        Self {
            size: config.size.unwrap_or(split.size()),
            split,
            view: config.view,
            augment: config.augment.clone(),
            seed: config.seed,
            channels: config.normalization.linear(),
            floats: Arc::default(),
            bytes: Arc::default(),
        }
    }

    pub(super) fn split(&self) -> &Split {
        &self.split
    }

    fn rng(&self, item: u32, epoch: u64) -> ChaCha8Rng {
        stream(self.seed, "augment", u64::from(item), epoch)
    }

    /// Where the picture of sample `item` is put in `epoch`: in its own place, unless the augmentation moves it.
    pub(super) fn placement(&self, item: u32, epoch: u64) -> Placement {
        let Augment::ShiftFlip { pixels } = &self.augment else { return Placement::default() };
        let mut rng = self.rng(item, epoch);
        let span = 2 * pixels + 1;
        let mut shift = || below(&mut rng, span) as i32 - *pixels as i32;
        let (dx, dy) = (shift(), shift());
        Placement { mirrored: below(&mut rng, 2) == 1, dx, dy }
    }

    /// Pixels of a side of a picture.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Values of one picture.
    pub(super) fn values(&self) -> usize {
        self.size * self.size * 3
    }

    /// Makes the picture of sample `item` in `epoch`.
    pub(super) fn fill<P: Pixel>(
        &self,
        item: u32,
        background: Option<u32>,
        epoch: u64,
        scratch: &mut Scratch,
        out: &mut [P],
    ) -> Result<()> {
        let (stored, index) = (self.split.size(), item as usize);
        let layers = self.split.layers_for(self.view, index)?;
        let fg_box = self.split.sample(index).crop_box;
        let background = background.map(|b| self.split.tiled(b as usize)).transpose()?;
        let canvas = &mut P::canvas(out, &self.channels);
        if self.augment == Augment::None && self.size == stored {
            draw(self.view, &layers, fg_box, background, stored, canvas);
            return Ok(());
        }
        let Scratch { composed, random, row, centre } = scratch;
        // Two views are stored as they are; the others are composed into a buffer that stays in the
        // processor's second cache.
        let rgb: &[u8] = match self.view {
            View::Original => layers.photo,
            View::OnlyBgT => layers.tiled,
            view => {
                composed.resize(stored * stored * 3, 0);
                compose(view, &layers, fg_box, background, stored, composed);
                composed
            }
        };
        match &self.augment {
            Augment::None | Augment::ShiftFlip { .. } => {
                let rgb = central(rgb, stored, self.size, centre);
                place(rgb, self.size, self.placement(item, epoch), row, canvas);
            }
            Augment::RandomResizedCrop { scale, ratio, flip, jitter, lighting } => {
                let (picture, mirrored) = random.apply(
                    rgb,
                    stored,
                    self.size,
                    &mut self.rng(item, epoch),
                    *scale,
                    *ratio,
                    *flip,
                    *jitter,
                    *lighting,
                )?;
                place(picture, self.size, Placement { mirrored, ..Placement::default() }, row, canvas);
            }
        }
        Ok(())
    }
}

/// The central square of `size` pixels a side of a picture of `stored` (an odd column or row more is left right and
/// below), copied into `out` unless it is the whole.
fn central<'a>(rgb: &'a [u8], stored: usize, size: usize, out: &'a mut Vec<u8>) -> &'a [u8] {
    if size == stored {
        return rgb;
    }
    let from = (stored - size) / 2;
    out.clear();
    for row in rgb.chunks_exact(stored * 3).skip(from).take(size) {
        out.extend_from_slice(&row[from * 3..][..size * 3]);
    }
    out
}

/// Source columns (or rows) that stay inside when shifted by `shift`, and where they go.
fn overlap(size: usize, shift: i32) -> (usize, usize, usize) {
    let away = (shift.unsigned_abs() as usize).min(size);
    match shift >= 0 {
        true => (0, away, size - away),
        false => (away, 0, size - away),
    }
}

/// Draws a picture (size·size·3 bytes, RGB) in its place; `mirrored` is a buffer for one row.
fn place(rgb: &[u8], size: usize, placement: Placement, mirrored: &mut Vec<u8>, canvas: &mut impl Canvas) {
    if placement == Placement::default() {
        return canvas.put(0, rgb);
    }
    let (from_x, to_x, width) = overlap(size, placement.dx);
    let (from_y, to_y, height) = overlap(size, placement.dy);
    // A mirrored picture is moved after it is mirrored, so its source columns count from the right.
    let first = if placement.mirrored { size - from_x - width } else { from_x };
    canvas.blank(0, to_y * size);
    for y in 0..height {
        let source = &rgb[((from_y + y) * size + first) * 3..][..width * 3];
        let start = (to_y + y) * size;
        canvas.blank(start, to_x);
        if placement.mirrored {
            mirrored.resize(width * 3, 0);
            let (targets, sources) = (mirrored.as_chunks_mut::<3>().0, source.as_chunks::<3>().0);
            targets.iter_mut().zip(sources.iter().rev()).for_each(|(target, source)| *target = *source);
            canvas.put(start + to_x, mirrored);
        } else {
            canvas.put(start + to_x, source);
        }
        canvas.blank(start + to_x + width, size - to_x - width);
    }
    canvas.blank((to_y + height) * size, (size - to_y - height) * size);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{Bytes, Planes};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn planes_and_bytes_agree_on_every_placement(size in 1usize..9, dx in -9i32..9, dy in -9i32..9, mirrored: bool) {
            let rgb: Vec<u8> = (0..size * size * 3).map(|i| (i * 37 + 1) as u8 | 1).collect();
            let placement = Placement { mirrored, dx, dy };
            let (mut bytes, mut planes) = (vec![9; rgb.len()], vec![9.0; rgb.len()]);
            let mut row = Vec::new();
            place(&rgb, size, placement, &mut row, &mut Bytes(&mut bytes));
            place(&rgb, size, placement, &mut row, &mut Planes::new(&mut planes, &[(1.0, 0.0); 3]));
            for y in 0..size {
                for x in 0..size {
                    // The definition, written out: where does this pixel come from?
                    let (sx, sy) = (x as i32 - dx, y as i32 - dy);
                    let inside = (0..size as i32).contains(&sx) && (0..size as i32).contains(&sy);
                    for c in 0..3 {
                        let expected = if inside {
                            let sx = if mirrored { size as i32 - 1 - sx } else { sx } as usize;
                            rgb[(sy as usize * size + sx) * 3 + c]
                        } else { 0 };
                        prop_assert_eq!(bytes[(y * size + x) * 3 + c], expected);
                        prop_assert_eq!(planes[(c * size + y) * size + x], f32::from(expected));
                    }
                }
            }
        }
    }
}
