//! Between planes (one channel after another) and vectors of sixteen channels.

use crate::simd::{Vector, vector::LANES};
use std::ops::Range;

/// Numbers of sixteen channels at one place.
pub(super) type Lanes = [f32; LANES];

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
    /// The pixels in groups of up to sixteen, with the patch index of each.
    fn groups(&self) -> Groups {
        Groups {
            pixels: self.pixels.clone(),
            width: self.width,
            patch_width: self.patch_width,
            x: 0,
            row: self.row * self.patch_width + self.column,
        }
    }
}

/// See [`Window::groups`].
struct Groups {
    pixels: Range<usize>,
    width: usize,
    patch_width: usize,
    /// Column in the image, and patch index of the row's first pixel.
    x: usize,
    row: usize,
}

/// Up to sixteen consecutive pixels.
struct Group {
    first: usize,
    count: usize,
    places: [usize; LANES],
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
        let mut places = [0; LANES];
        for place in &mut places[..count] {
            *place = self.row + self.x;
            self.x += 1;
            if self.x == self.width {
                self.x = 0;
                self.row += self.patch_width;
            }
        }
        self.pixels.start += count;
        Some(Group { first, count, places })
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
    for Group { first, count: pixels, places } in window.groups() {
        let mut rows = [[0f32; LANES]; LANES];
        // Loops of a fixed length leave everything in registers.
        if [count, pixels] == [LANES; 2] {
            let planes = &image[channel * window.plane + first..];
            for (c, row) in rows.iter_mut().enumerate() {
                if let Some(from) = planes[c * window.plane..].first_chunk() {
                    V::load(from).store(row);
                }
            }
            V::transpose(&mut rows);
            for (place, row) in places.into_iter().zip(&rows) {
                V::load(row).store(&mut patch[place]);
            }
            continue;
        }
        for (c, row) in rows.iter_mut().take(count).enumerate() {
            let from = &image[(channel + c) * window.plane + first..];
            match from.first_chunk::<LANES>() {
                Some(from) => V::load(from).store(row),
                None => row[..pixels].copy_from_slice(&from[..pixels]),
            }
        }
        V::transpose(&mut rows);
        for (&place, row) in places[..pixels].iter().zip(&rows) {
            V::load(row).store(&mut patch[place]);
        }
    }
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
    for Group { first, count: pixels, places } in window.groups() {
        let mut rows = [[0f32; LANES]; LANES];
        if [count, pixels] == [LANES; 2] {
            for (place, row) in places.into_iter().zip(&mut rows) {
                V::load(&patch[place]).store(row);
            }
            V::transpose(&mut rows);
            let planes = &mut image[channel * window.plane + first..];
            for (c, row) in rows.iter().enumerate() {
                if let Some(to) = planes[c * window.plane..].first_chunk_mut() {
                    V::load(row).store(to);
                }
            }
            continue;
        }
        for (&place, row) in places[..pixels].iter().zip(&mut rows) {
            V::load(&patch[place]).store(row);
        }
        V::transpose(&mut rows);
        for (c, row) in rows.iter().take(count).enumerate() {
            let to = &mut image[(channel + c) * window.plane + first..];
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
