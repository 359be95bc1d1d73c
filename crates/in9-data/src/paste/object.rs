//! The object of a photograph, brought to its place and size.

use super::{Paste, Place};
use crate::compose::Layers;
use crate::mask::MaskBits;

/// An object in its place in a picture.
pub(super) struct Placed {
    /// Its colour at each pixel, 0 to 255; 0 outside.
    pub(super) colour: Vec<[f64; 3]>,
    /// 1 where it is, 0 elsewhere.
    pub(super) inside: Vec<u8>,
}

/// The object of `foreground` as `how` places it; `None` if its mask is empty.
pub(super) fn place(how: &Paste, foreground: &Layers<'_>, size: usize) -> Option<Placed> {
    let [x0, y0, x1, y1] = bounds(foreground.mask, size)?;
    let (width, height) = (x1 + 1 - x0, y1 + 1 - y0);
    let longest = width.max(height) as f64;
    let scale = how.side.map_or(1.0, |side| (side.clamp(0.0, 1.0) * size as f64).max(1.0) / longest);
    let room = |length: usize| (size as f64 - length as f64 * scale).max(0.0);
    let start = |from: usize, length: usize, share: Option<f64>| {
        let own = from as f64 + length as f64 * (1.0 - scale) / 2.0;
        // Whole pixels, so that an object of its own size keeps its pixels.
        share.map_or(own, |share| share * room(length)).clamp(0.0, room(length)).round()
    };
    let (across, down) = match how.place {
        Place::Own => (None, None),
        Place::At { x, y } => (Some(x), Some(y)),
    };
    let columns = Line { from: x0, length: width, scale, start: start(x0, width, across) };
    let rows = Line { from: y0, length: height, scale, start: start(y0, height, down) };
    Some(resampled(foreground, &columns, &rows, size))
}

/// The mask's bounding box, ends included.
fn bounds(mask: MaskBits<'_>, size: usize) -> Option<[usize; 4]> {
    let inside = || (0..size * size).filter(|&index| mask.bit(index));
    let (y0, y1) = (inside().next()? / size, inside().next_back()? / size);
    let (mut x0, mut x1) = (size, 0);
    for x in inside().map(|index| index % size) {
        (x0, x1) = (x0.min(x), x1.max(x));
    }
    Some([x0, y0, x1, y1])
}

/// One axis of the resampling.
struct Line {
    /// First source pixel, and how many.
    from: usize,
    length: usize,
    scale: f64,
    /// Where the first begins in the picture.
    start: f64,
}

impl Line {
    /// Pixels of the picture that the object reaches.
    fn reached(&self, size: usize) -> std::ops::Range<usize> {
        let end = (self.start + self.length as f64 * self.scale).ceil();
        self.start as usize..(end as usize).min(size)
    }

    /// Source pixels and their weights for pixel `at` of the picture: a triangle as wide as a source pixel, or as a pixel
    /// of the picture where that is wider. Weights sum to 1 but for what lies outside the bounding box, where no object is.
    fn weights(&self, at: usize) -> Vec<(usize, f64)> {
        let centre = (at as f64 + 0.5 - self.start) / self.scale - 0.5;
        let reach = (1.0 / self.scale).max(1.0);
        let (first, last) = ((centre - reach).ceil() as i64, (centre + reach).floor() as i64);
        let weight = |source: i64| (1.0 - (source as f64 - centre).abs() / reach).max(0.0);
        let all: f64 = (first..=last).map(weight).sum();
        let inside = (first..=last).filter(|source| (0..self.length as i64).contains(source));
        inside
            .map(|source| (self.from + source as usize, weight(source) / all))
            .filter(|(_, w)| *w > 0.0)
            .collect()
    }
}

/// Colours are weighed by the mask, so that no background comes along; the mask is cut at a half.
fn resampled(foreground: &Layers<'_>, columns: &Line, rows: &Line, size: usize) -> Placed {
    let (photo, mask) = (foreground.photo, foreground.mask);
    let reached = columns.reached(size);
    let across: Vec<Vec<(usize, f64)>> = reached.clone().map(|x| columns.weights(x)).collect();
    // Red, green, blue and mask of each source row, at the picture's columns.
    let lines: Vec<Vec<[f64; 4]>> = (rows.from..rows.from + rows.length)
        .map(|y| {
            let at = |weights: &Vec<(usize, f64)>| {
                let mut sum = [0.0; 4];
                for &(x, weight) in weights {
                    let index = y * size + x;
                    if mask.bit(index) {
                        (0..3).for_each(|c| sum[c] += weight * f64::from(photo[index * 3 + c]));
                        sum[3] += weight;
                    }
                }
                sum
            };
            across.iter().map(at).collect()
        })
        .collect();
    let mut placed = Placed { colour: vec![[0.0; 3]; size * size], inside: vec![0; size * size] };
    for y in rows.reached(size) {
        let down = rows.weights(y);
        for (column, x) in reached.clone().enumerate() {
            let mut sum = [0.0; 4];
            for &(source, weight) in &down {
                let from = lines[source - rows.from][column];
                (0..4).for_each(|c| sum[c] += weight * from[c]);
            }
            if sum[3] >= 0.5 {
                placed.inside[y * size + x] = 1;
                placed.colour[y * size + x] = [0, 1, 2].map(|c| sum[c] / sum[3]);
            }
        }
    }
    placed
}
