//! Conversion between planes, one channel after another, and the channel-blocked layout, in which the same
//! pixel of sixteen channels is one vector (oneDNN's nChw16c).

use crate::simd::{Vector, vector::LANES};
use std::ops::Range;

/// One pixel of sixteen channels.
pub(super) type Lanes = [f32; LANES];

/// A run of pixels in both layouts.
#[derive(Clone, Copy)]
pub(super) struct Region<'a> {
    /// Positions in each plane, row-major.
    pub(super) pixels: &'a Range<usize>,
    /// Elements from one plane to the next.
    pub(super) plane: usize,
    /// Pixels of a row of a plane.
    pub(super) width: usize,
    /// Row and column of the first pixel in the blocked buffer.
    pub(super) row: usize,
    pub(super) column: usize,
    /// Pixels of a row of the blocked buffer.
    pub(super) blocked_width: usize,
}

impl Region<'_> {
    /// The pixels in groups of up to sixteen, with the index of each in the blocked buffer.
    fn groups(&self) -> Groups {
        Groups {
            pixels: self.pixels.clone(),
            width: self.width,
            blocked_width: self.blocked_width,
            x: 0,
            row: self.row * self.blocked_width + self.column,
        }
    }
}

/// See [`Region::groups`].
struct Groups {
    pixels: Range<usize>,
    width: usize,
    blocked_width: usize,
    /// Column in the plane.
    x: usize,
    /// Index in the blocked buffer of the current row's first pixel.
    row: usize,
}

/// Up to sixteen consecutive pixels.
struct Group {
    /// Position of the first in its plane.
    first: usize,
    count: usize,
    /// Index of each in the blocked buffer.
    indices: [usize; LANES],
}

impl Iterator for Groups {
    type Item = Group;

    #[inline(always)]
    fn next(&mut self) -> Option<Group> {
        if self.pixels.start >= self.pixels.end {
            return None;
        }
        let first = self.pixels.start;
        let count = LANES.min(self.pixels.end - first);
        let mut indices = [0; LANES];
        for index in &mut indices[..count] {
            *index = self.row + self.x;
            self.x += 1;
            if self.x == self.width {
                self.x = 0;
                self.row += self.blocked_width;
            }
        }
        self.pixels.start += count;
        Some(Group { first, count, indices })
    }
}

/// Copies up to sixteen planes of `image`, from plane `channel` on, to the blocked buffer. Lanes of channels
/// from `channels` on become zero; pixels outside the region keep their values.
#[inline(always)]
pub(super) fn to_blocked<V: Vector>(
    image: &[f32],
    channel: usize,
    channels: usize,
    region: Region<'_>,
    blocked: &mut [Lanes],
) {
    let count = LANES.min(channels - channel);
    for Group { first, count: pixels, indices } in region.groups() {
        let mut rows = [[0f32; LANES]; LANES];
        // Loops of constant length keep all sixteen vectors in registers.
        if [count, pixels] == [LANES; 2] {
            let planes = &image[channel * region.plane + first..];
            for (c, row) in rows.iter_mut().enumerate() {
                if let Some(from) = planes[c * region.plane..].first_chunk() {
                    V::load(from).store(row);
                }
            }
            V::transpose(&mut rows);
            for (index, row) in indices.into_iter().zip(&rows) {
                V::load(row).store(&mut blocked[index]);
            }
            continue;
        }
        for (c, row) in rows.iter_mut().take(count).enumerate() {
            let from = &image[(channel + c) * region.plane + first..];
            match from.first_chunk::<LANES>() {
                Some(from) => V::load(from).store(row),
                None => row[..pixels].copy_from_slice(&from[..pixels]),
            }
        }
        V::transpose(&mut rows);
        for (&index, row) in indices[..pixels].iter().zip(&rows) {
            V::load(row).store(&mut blocked[index]);
        }
    }
}

/// The reverse of [`to_blocked`]: up to sixteen planes of `image`, from plane `channel` on, are written.
#[inline(always)]
pub(super) fn from_blocked<V: Vector>(
    blocked: &[Lanes],
    region: Region<'_>,
    channel: usize,
    channels: usize,
    image: &mut [f32],
) {
    let count = LANES.min(channels - channel);
    for Group { first, count: pixels, indices } in region.groups() {
        let mut rows = [[0f32; LANES]; LANES];
        if [count, pixels] == [LANES; 2] {
            for (index, row) in indices.into_iter().zip(&mut rows) {
                V::load(&blocked[index]).store(row);
            }
            V::transpose(&mut rows);
            let planes = &mut image[channel * region.plane + first..];
            for (c, row) in rows.iter().enumerate() {
                if let Some(to) = planes[c * region.plane..].first_chunk_mut() {
                    V::load(row).store(to);
                }
            }
            continue;
        }
        for (&index, row) in indices[..pixels].iter().zip(&mut rows) {
            V::load(&blocked[index]).store(row);
        }
        V::transpose(&mut rows);
        for (c, row) in rows.iter().take(count).enumerate() {
            let to = &mut image[(channel + c) * region.plane + first..];
            if pixels == LANES
                && let Some(to) = to.first_chunk_mut::<LANES>()
            {
                V::load(row).store(to);
            } else {
                to[..pixels].copy_from_slice(&row[..pixels]);
            }
        }
    }
}
