//! The rows of an input plane that a strip of outputs depends on.

use super::{Problem, Strip, Tap};
use crate::simd::{
    Vector,
    vector::{LANES, copy},
};

/// The padded rows of an input plane that a strip depends on. Each row is decomposed into the phases of the
/// horizontal stride, so that the pixels that a tap meets along an output row are contiguous.
#[derive(Clone, Copy)]
pub(super) struct InputRows {
    /// The first input row and column, negative in the padding.
    top: isize,
    left: isize,
    rows: usize,
    /// Elements of one phase of a row.
    width: usize,
    /// Distance of the outermost taps.
    reach_y: usize,
    reach_x: usize,
}

impl InputRows {
    pub(super) fn new(problem: &Problem, strip: Strip) -> Self {
        let range = |of: fn(&Tap) -> isize| {
            let all = problem.taps.iter().map(of);
            (all.clone().min().unwrap_or(0), all.max().unwrap_or(0))
        };
        let (top, bottom) = range(|t| t.y);
        let (left, right) = range(|t| t.x);
        let (reach_y, reach_x) = ((bottom - top) as usize, (right - left) as usize);
        Self {
            top: top + (strip.first * problem.sy) as isize,
            left,
            rows: (strip.rows - 1) * problem.sy + reach_y + 1,
            width: problem.ow + reach_x / problem.sx,
            reach_y,
            reach_x,
        }
    }

    /// Elements of all rows.
    pub(super) fn len(&self, problem: &Problem) -> usize {
        self.rows * problem.sx * self.width
    }

    /// Row and column, relative to the first, of the pixel that a tap is multiplied by for the first output.
    pub(super) fn tap(&self, problem: &Problem, strip: Strip, tap: Tap) -> [usize; 2] {
        let top = self.top - (strip.first * problem.sy) as isize;
        [(tap.y - top) as usize, (tap.x - self.left) as usize]
    }

    /// Loads the rows from a plane. The padding must be zero already.
    #[inline(always)]
    pub(super) fn load<V: Vector>(&self, problem: &Problem, plane: &[f32], rows: &mut [f32]) {
        for (j, row) in rows.chunks_exact_mut(problem.sx * self.width).take(self.rows).enumerate() {
            let y = self.top + j as isize;
            if y < 0 || y >= problem.h as isize || j % problem.sy > self.reach_y {
                continue;
            }
            let line = &plane[y as usize * problem.w..][..problem.w];
            for (phase, row) in row.chunks_exact_mut(self.width).enumerate().take(self.reach_x + 1) {
                // Element `q` of the phase is column `start + q * stride` of the image.
                let start = self.left + phase as isize;
                let first = if start < 0 { start.unsigned_abs().div_ceil(problem.sx) } else { 0 };
                let from = (start + (first * problem.sx) as isize) as usize;
                if from >= problem.w || first >= self.width {
                    continue;
                }
                let line = &line[from..];
                let count = line.len().div_ceil(problem.sx).min(self.width - first);
                let row = &mut row[first..first + count];
                match problem.sx {
                    1 => copy::<V>(&line[..count], row),
                    2 => {
                        let line = &line[..2 * count - 1];
                        for (i, to) in row.iter_mut().enumerate() {
                            *to = line[2 * i];
                        }
                    }
                    _ => {
                        row.iter_mut().zip(line.iter().step_by(problem.sx)).for_each(|(to, from)| *to = *from)
                    }
                }
            }
        }
    }

    /// Extracts the pixels that a tap is multiplied by, output row after output row. Writes whole vectors.
    #[inline(always)]
    pub(super) fn extract<V: Vector>(
        &self,
        problem: &Problem,
        strip: Strip,
        tap: [usize; 2],
        rows: &[f32],
        out: &mut [f32],
    ) {
        let [y, x] = tap;
        for r in 0..strip.rows {
            let from = ((r * problem.sy + y) * problem.sx + x % problem.sx) * self.width + x / problem.sx;
            for q in (0..problem.ow).step_by(LANES) {
                if let (Some(from), Some(to)) =
                    (rows[from + q..].first_chunk(), out[r * problem.ow + q..].first_chunk_mut())
                {
                    V::load(from).store(to);
                }
            }
        }
    }
}
