//! One sample: layers to a finished picture in its place of a batch.

use std::sync::Arc;

use crate::compose::compose;
use crate::dataset::Split;
use crate::error::Result;
use crate::planes;
use crate::rng::{below, stream};
use crate::view::View;

use super::LoaderConfig;
use super::augment::{Augment, Random};
use super::batch::Pool;
use super::pixels::Pixel;
use super::pixels::sealed::Placement;

/// Buffers of one thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    composed: Vec<u8>,
    random: Random,
}

/// Makes single pictures.
#[derive(Debug)]
pub(super) struct Composer {
    split: Split,
    view: View,
    augment: Augment,
    seed: u64,
    channels: [(f32, f32); 3],
    pub(super) floats: Arc<Pool<f32>>,
    pub(super) bytes: Arc<Pool<u8>>,
}

impl Composer {
    pub(super) fn new(split: Split, config: &LoaderConfig) -> Self {
        Self {
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

    /// Values of one picture.
    pub(super) fn values(&self) -> usize {
        self.split.size() * self.split.size() * 3
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
        let (size, index) = (self.split.size(), item as usize);
        let layers = self.split.layers(index);
        let fg_box = self.split.sample(index).crop_box;
        let background = background.map(|b| self.split.layers(b as usize).tiled);
        if self.augment == Augment::None {
            P::compose(self.view, &layers, fg_box, background, size, &self.channels, out);
            return Ok(());
        }
        let Scratch { composed, random } = scratch;
        // Two views are stored as they are; the others are composed into a buffer that stays in the
        // processor's second cache.
        let rgb: &[u8] = match self.view {
            View::Original => layers.photo,
            View::OnlyBgT => layers.tiled,
            view => {
                composed.resize(size * size * 3, 0);
                compose(view, &layers, fg_box, background, size, composed);
                composed
            }
        };
        let rng = || stream(self.seed, "augment", u64::from(item), epoch);
        match &self.augment {
            Augment::None => {}
            Augment::ShiftFlip { pixels } => {
                let mut rng = rng();
                let span = 2 * pixels + 1;
                let mut shift = || below(&mut rng, span) as i32 - *pixels as i32;
                let (dx, dy) = (shift(), shift());
                let placement = Placement { mirrored: below(&mut rng, 2) == 1, dx, dy };
                P::place(rgb, size, placement, &self.channels, out);
            }
            Augment::RandomResizedCrop { scale, ratio, flip, jitter, lighting } => {
                let picture =
                    random.apply(rgb, size, &mut rng(), *scale, *ratio, *flip, *jitter, *lighting)?;
                P::place(picture, size, Placement::default(), &self.channels, out);
            }
        }
        Ok(())
    }
}

/// Source columns (or rows) that stay inside when shifted by `shift`, and where they go.
fn overlap(size: usize, shift: i32) -> (usize, usize, usize) {
    let away = (shift.unsigned_abs() as usize).min(size);
    match shift >= 0 {
        true => (0, away, size - away),
        false => (away, 0, size - away),
    }
}

/// Places a picture as three normalised planes.
pub(super) fn place_planes(
    rgb: &[u8],
    size: usize,
    placement: Placement,
    channels: &[(f32, f32); 3],
    out: &mut [f32],
) {
    let pixels = size * size;
    let (r, rest) = out.split_at_mut(pixels);
    let (g, b) = rest.split_at_mut(pixels);
    if placement == Placement::default() {
        return planes::normalize(rgb, channels, [r, g, b]);
    }
    let (from_x, to_x, width) = overlap(size, placement.dx);
    let (from_y, to_y, height) = overlap(size, placement.dy);
    // A mirrored picture is moved after it is mirrored, so its source columns count from the right.
    let first = if placement.mirrored { size - from_x - width } else { from_x };
    for y in 0..size {
        let row = y * size..(y + 1) * size;
        let mut targets = [&mut r[row.clone()], &mut g[row.clone()], &mut b[row]];
        if y < to_y || y >= to_y + height {
            targets.iter_mut().for_each(|t| t.fill(0.0));
            continue;
        }
        let start = ((from_y + y - to_y) * size + first) * 3;
        let source = &rgb[start..start + width * 3];
        for target in &mut targets {
            target[..to_x].fill(0.0);
            target[to_x + width..].fill(0.0);
        }
        let [r, g, b] = targets;
        let span = to_x..to_x + width;
        let inner = [&mut r[span.clone()], &mut g[span.clone()], &mut b[span]];
        planes::normalize(source, channels, inner);
        if placement.mirrored {
            for plane in [r, g, b] {
                plane[to_x..to_x + width].reverse();
            }
        }
    }
}

/// Places a picture as RGB bytes.
pub(super) fn place_bytes(rgb: &[u8], size: usize, placement: Placement, out: &mut [u8]) {
    if placement == Placement::default() {
        return out.copy_from_slice(rgb);
    }
    out.fill(0);
    let (from_x, to_x, width) = overlap(size, placement.dx);
    let (from_y, to_y, height) = overlap(size, placement.dy);
    for y in 0..height {
        for x in 0..width {
            let column = if placement.mirrored { size - 1 - (from_x + x) } else { from_x + x };
            let source = ((from_y + y) * size + column) * 3;
            let target = ((to_y + y) * size + to_x + x) * 3;
            out[target..target + 3].copy_from_slice(&rgb[source..source + 3]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn planes_and_bytes_agree_on_every_placement(size in 1usize..9, dx in -9i32..9, dy in -9i32..9, mirrored: bool) {
            let rgb: Vec<u8> = (0..size * size * 3).map(|i| (i * 37 + 1) as u8 | 1).collect();
            let placement = Placement { mirrored, dx, dy };
            let (mut bytes, mut planes) = (vec![9; rgb.len()], vec![9.0; rgb.len()]);
            place_bytes(&rgb, size, placement, &mut bytes);
            place_planes(&rgb, size, placement, &[(1.0, 0.0); 3], &mut planes);
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
