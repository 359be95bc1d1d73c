//! Between planes (one channel after another) and vectors of sixteen channels.

use super::transform::Lanes;
use crate::simd::{Vector, vector::LANES};
use std::ops::Range;

/// Where a run of pixels lies: the `pixels` of planes that are `plane` apart, row-major with
/// `width` a row, and in the patch the row and column of the first of them and the patch's width.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) pixels: &'a Range<usize>,
    pub(super) plane: usize,
    pub(super) width: usize,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) patch_width: usize,
}

impl Window<'_> {
    /// Calls `f` with the first pixel and the number (up to sixteen) of every group of pixels,
    /// and the patch index of each of them.
    #[inline(always)]
    fn groups(&self, mut f: impl FnMut(usize, &[usize])) {
        let (mut x, mut at) = (0, self.row * self.patch_width + self.column);
        let mut places = [0usize; LANES];
        let mut first = self.pixels.start;
        while first < self.pixels.end {
            let count = LANES.min(self.pixels.end - first);
            for place in &mut places[..count] {
                *place = at + x;
                x += 1;
                if x == self.width {
                    (x, at) = (0, at + self.patch_width);
                }
            }
            f(first, &places[..count]);
            first += count;
        }
    }
}

/// Copies up to sixteen planes of `image`, beginning with plane `channel`, into the patch; lanes
/// beyond `channels` become zero. Places outside the window are left alone.
#[inline(always)]
pub(super) fn gather<V: Vector>(
    image: &[f32],
    channel: usize,
    channels: usize,
    window: Window<'_>,
    patch: &mut [Lanes],
) {
    let count = LANES.min(channels - channel);
    window.groups(|first, places| {
        let mut rows = [[0f32; LANES]; LANES];
        for (c, row) in rows.iter_mut().take(count).enumerate() {
            let from = &image[(channel + c) * window.plane + first..];
            match from.first_chunk::<LANES>() {
                Some(from) => *row = *from,
                None => row[..places.len()].copy_from_slice(&from[..places.len()]),
            }
        }
        V::transpose(&mut rows);
        for (&place, row) in places.iter().zip(&rows) {
            patch[place] = *row;
        }
    });
}

/// The reverse of [`gather`]: writes the first lanes of the patch to up to sixteen planes.
#[inline(always)]
pub(super) fn scatter<V: Vector>(
    patch: &[Lanes],
    window: Window<'_>,
    channel: usize,
    channels: usize,
    image: &mut [f32],
) {
    let count = LANES.min(channels - channel);
    window.groups(|first, places| {
        let mut rows = [[0f32; LANES]; LANES];
        for (&place, row) in places.iter().zip(&mut rows) {
            *row = patch[place];
        }
        V::transpose(&mut rows);
        for (c, row) in rows.iter().take(count).enumerate() {
            let to = &mut image[(channel + c) * window.plane + first..];
            if places.len() == LANES
                && let Some(to) = to.first_chunk_mut::<LANES>()
            {
                *to = *row;
            } else {
                to[..places.len()].copy_from_slice(&row[..places.len()]);
            }
        }
    });
}
