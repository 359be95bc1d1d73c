//! Windows of an image in the order in which the register tile reads them.

use super::{PANEL, Sum};
use crate::{
    scratch,
    simd::{
        Level, Vector, prefetch,
        vector::{LANES, copy, for_each_vector},
    },
};

/// Some output rows of some images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip {
    pub(super) images: usize,
    pub(super) first: usize,
    pub(super) rows: usize,
}

impl Strip {
    /// Outputs of an image.
    pub(super) fn part(&self, sum: &Sum) -> usize {
        self.rows * sum.ow
    }

    pub(super) fn pixels(&self, sum: &Sum) -> usize {
        self.images * self.part(sum)
    }
}

/// The strips of `images` images.
pub(super) fn strips(sum: &Sum, images: usize) -> impl Iterator<Item = Strip> {
    let ([_, rows], oh) = (sum.cut(), sum.oh);
    (0..oh).step_by(rows).map(move |first| Strip { images, first, rows: rows.min(oh - first) })
}

/// Room behind a line that whole vectors may be written over.
pub(super) const SLACK: usize = LANES;

/// Rows of an input plane under a strip, padded, each row split by the phase of the stride: a tap of
/// an output row is then a run of numbers.
#[derive(Clone, Copy)]
struct Patch {
    /// The first input row and column, which may lie outside the plane.
    top: isize,
    left: isize,
    rows: usize,
    /// Numbers of a row's phase.
    width: usize,
    /// How far the taps reach.
    reach_y: usize,
    reach_x: usize,
}

impl Patch {
    fn new(sum: &Sum, strip: Strip) -> Self {
        let range = |of: fn(&super::Tap) -> isize| {
            let all = sum.taps.iter().map(of);
            (all.clone().min().unwrap_or(0), all.max().unwrap_or(0))
        };
        let (top, bottom) = range(|t| t.y);
        let (left, right) = range(|t| t.x);
        let (reach_y, reach_x) = ((bottom - top) as usize, (right - left) as usize);
        Self {
            top: top + (strip.first * sum.sy) as isize,
            left,
            rows: (strip.rows - 1) * sum.sy + reach_y + 1,
            width: sum.ow + reach_x / sum.sx,
            reach_y,
            reach_x,
        }
    }

    fn len(&self, sum: &Sum) -> usize {
        self.rows * sum.sx * self.width
    }

    /// Copies a plane in; places outside it are left alone.
    #[inline(always)]
    fn fill<V: Vector>(&self, sum: &Sum, plane: &[f32], patch: &mut [f32]) {
        for (j, row) in patch.chunks_exact_mut(sum.sx * self.width).take(self.rows).enumerate() {
            let y = self.top + j as isize;
            if y < 0 || y >= sum.h as isize || j % sum.sy > self.reach_y {
                continue;
            }
            let line = &plane[y as usize * sum.w..][..sum.w];
            for (phase, row) in row.chunks_exact_mut(self.width).enumerate().take(self.reach_x + 1) {
                // Column `q` of the phase is the image's column `start + q * stride`.
                let start = self.left + phase as isize;
                let first = if start < 0 { start.unsigned_abs().div_ceil(sum.sx) } else { 0 };
                let from = (start + (first * sum.sx) as isize) as usize;
                if from >= sum.w || first >= self.width {
                    continue;
                }
                let line = &line[from..];
                let count = line.len().div_ceil(sum.sx).min(self.width - first);
                let row = &mut row[first..first + count];
                match sum.sx {
                    1 => copy::<V>(&line[..count], row),
                    2 => {
                        let line = &line[..2 * count - 1];
                        for (i, to) in row.iter_mut().enumerate() {
                            *to = line[2 * i];
                        }
                    }
                    _ => row.iter_mut().zip(line.iter().step_by(sum.sx)).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }

    /// Copies what a tap sees, output row after output row, to the line from `start` on.
    #[inline(always)]
    fn line<V: Vector>(&self, sum: &Sum, strip: Strip, tap: [usize; 2], patch: &[f32], line: &mut [f32]) {
        let [y, x] = tap;
        for r in 0..strip.rows {
            let from = ((r * sum.sy + y) * sum.sx + x % sum.sx) * self.width + x / sum.sx;
            for q in (0..sum.ow).step_by(LANES) {
                if let (Some(from), Some(to)) =
                    (patch[from + q..].first_chunk(), line[r * sum.ow + q..].first_chunk_mut())
                {
                    V::load(from).store(to);
                }
            }
        }
    }
}

/// What becomes of the lines.
///
/// A trait rather than a closure, because a closure would not inherit the instruction set of the
/// function it stands in.
trait Sink {
    /// Takes the line of term `k`: the input pixel of every output of the strip, image after image.
    fn put<V: Vector>(&mut self, k: usize, line: &[f32]);
}

/// Working memory of [`each_line`]: a line, and the patches of a channel.
struct Room<'a> {
    line: &'a mut [f32],
    patches: &'a mut [f32],
}

/// Runs `f` with the working memory for a strip.
fn with_room<R>(sum: &Sum, strip: Strip, f: impl FnOnce(Room<'_>) -> R) -> R {
    let patches = if sum.is_plane() { 0 } else { strip.images * Patch::new(sum, strip).len(sum) + SLACK };
    scratch::with(strip.pixels(sum) + SLACK, |line| {
        scratch::with(patches, |patches| {
            line.fill(0.0);
            patches.fill(0.0);
            f(Room { line, patches })
        })
    })
}

/// Puts the lines of `inputs` channels of a group into `sink`.
///
/// `x` starts at the first plane and has `channels` planes an image.
#[inline(always)]
fn each_line<V: Vector>(
    x: &[f32],
    channels: usize,
    sum: &Sum,
    strip: Strip,
    inputs: usize,
    room: Room<'_>,
    sink: &mut impl Sink,
) {
    let Room { line, patches } = room;
    let (plane, part) = (sum.h * sum.w, strip.part(sum));
    let pixels = strip.pixels(sum);
    if sum.is_plane() {
        for c in 0..inputs {
            if strip.images == 1 {
                let line = |c: usize| &x[c * plane + strip.first * sum.w..][..part];
                if c + 1 < inputs {
                    // The next plane is too far away for the processor to guess.
                    prefetch::to_read(line(c + 1));
                }
                sink.put::<V>(c, line(c));
                continue;
            }
            for (i, line) in line.chunks_exact_mut(part).take(strip.images).enumerate() {
                copy::<V>(&x[(i * channels + c) * plane..][..part], line);
            }
            sink.put::<V>(c, &line[..pixels]);
        }
        return;
    }
    let patch = Patch::new(sum, strip);
    let len = patch.len(sum);
    let top = patch.top - (strip.first * sum.sy) as isize;
    for c in 0..inputs {
        for (i, to) in patches.chunks_exact_mut(len).take(strip.images).enumerate() {
            patch.fill::<V>(sum, &x[(i * channels + c) * plane..][..plane], to);
        }
        for (t, tap) in sum.taps.iter().enumerate() {
            let at = [(tap.y - top) as usize, (tap.x - patch.left) as usize];
            for i in 0..strip.images {
                patch.line::<V>(sum, strip, at, &patches[i * len..], &mut line[i * part..]);
            }
            sink.put::<V>(c * sum.taps.len() + t, &line[..pixels]);
        }
    }
}

/// Numbers left free behind a panel. Without them the panels of a strip, which are filled side by
/// side, would often lie a power of two apart, in one set of the cache.
const GAP: usize = LANES;

/// Numbers from one panel to the next.
pub(super) fn panel_stride(sum: &Sum) -> usize {
    PANEL * sum.terms() + GAP
}

/// Numbers of the panels of a strip.
pub(super) fn panels_len(sum: &Sum, strip: Strip) -> usize {
    strip.pixels(sum).div_ceil(PANEL) * panel_stride(sum)
}

/// The windows of a strip: panels of [`PANEL`] pixels (the last may be half of that),
/// [`panel_stride`] apart, in each `[terms][pixels]`. Lanes beyond the last pixel are zero.
///
/// `x` starts at the group's first plane and has `channels` planes an image.
pub(super) fn panels(level: Level, x: &[f32], channels: usize, sum: &Sum, strip: Strip, out: &mut [f32]) {
    with_room(sum, strip, |room| fill_panels(level, x, channels, sum, strip, room, out));
}

for_each_vector! {
    fn fill_panels<V>(x: &[f32], channels: usize, sum: &Sum, strip: Strip, room: Room<'_>, out: &mut [f32]) {
        let mut sink = Panels { stride: panel_stride(sum), out };
        each_line::<V>(x, channels, sum, strip, sum.inputs, room, &mut sink);
    }
}

struct Panels<'a> {
    stride: usize,
    out: &'a mut [f32],
}

impl Sink for Panels<'_> {
    #[inline(always)]
    fn put<V: Vector>(&mut self, k: usize, line: &[f32]) {
        for (panel, line) in line.chunks(PANEL).enumerate() {
            let start = panel * self.stride;
            let width = line.len().div_ceil(LANES) * LANES;
            let to = &mut self.out[start + k * width..][..width];
            if line.len() == PANEL {
                let (line, _) = line.as_chunks::<LANES>();
                let (to, _) = to.as_chunks_mut::<LANES>();
                V::load(&line[0]).store(&mut to[0]);
                V::load(&line[1]).store(&mut to[1]);
            } else {
                to[..line.len()].copy_from_slice(line);
                to[line.len()..].fill(0.0);
            }
        }
    }
}

/// The lines of a strip for `inputs` channels, `stride` numbers apart.
///
/// `x` starts at the first plane and has `channels` planes an image.
pub(super) fn lines(
    level: Level,
    x: &[f32],
    channels: usize,
    sum: &Sum,
    strip: Strip,
    inputs: usize,
    stride: usize,
    out: &mut [f32],
) {
    with_room(sum, strip, |room| fill_lines(level, x, channels, sum, strip, inputs, stride, room, out));
}

for_each_vector! {
    fn fill_lines<V>(
        x: &[f32],
        channels: usize,
        sum: &Sum,
        strip: Strip,
        inputs: usize,
        stride: usize,
        room: Room<'_>,
        out: &mut [f32],
    ) {
        each_line::<V>(x, channels, sum, strip, inputs, room, &mut Lines { stride, out });
    }
}

struct Lines<'a> {
    stride: usize,
    out: &'a mut [f32],
}

impl Sink for Lines<'_> {
    #[inline(always)]
    fn put<V: Vector>(&mut self, k: usize, line: &[f32]) {
        copy::<V>(line, &mut self.out[k * self.stride..][..line.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv2dConfig, conv::geometry::Geometry};

    /// The input pixel of output pixel (y, x) through a tap, or zero outside the plane.
    fn pixel(sum: &Sum, plane: &[f32], tap: super::super::Tap, y: usize, x: usize) -> f32 {
        let (y, x) = ((y * sum.sy) as isize + tap.y, (x * sum.sx) as isize + tap.x);
        let inside = y >= 0 && y < sum.h as isize && x >= 0 && x < sum.w as isize;
        if inside { plane[y as usize * sum.w + x as usize] } else { 0.0 }
    }

    #[test]
    fn every_window_holds_its_pixels() {
        let cases = [
            ([3, 2, 7, 9], [1, 2, 3, 3], Conv2dConfig::new(1, 1)),
            ([1, 2, 40, 37], [1, 2, 7, 7], Conv2dConfig::new(2, 3)),
            ([2, 2, 11, 8], [1, 2, 1, 1], Conv2dConfig::new(3, 0)),
            ([2, 2, 20, 20], [1, 2, 1, 1], Conv2dConfig::new(1, 0)),
            ([2, 3, 2, 2], [1, 3, 5, 5], Conv2dConfig::new(2, 4)),
            ([2, 1, 12, 10], [1, 1, 3, 2], Conv2dConfig { dilation: [3, 2], ..Conv2dConfig::new(2, 2) }),
        ];
        for (x, w, config) in cases {
            let g = Geometry::new(&x, &w, &config).unwrap();
            let image = g.ci * g.plane_in();
            for sum in Sum::gradients(&g).into_iter().chain([Sum::of(&g)]) {
                let numbers: Vec<f32> =
                    (0..g.n * sum.inputs * sum.h * sum.w).map(|i| i as f32 + 1.0).collect();
                let numbers = if sum.inputs * sum.h * sum.w == image { &numbers[..] } else { &numbers };
                for level in Level::available() {
                    for strip in strips(&sum, g.n) {
                        let mut out = vec![-1f32; panels_len(&sum, strip)];
                        panels(level, numbers, sum.inputs, &sum, strip, &mut out);
                        let stride = strip.pixels(&sum) + SLACK;
                        let mut rows = vec![-1f32; stride * sum.terms()];
                        lines(level, numbers, sum.inputs, &sum, strip, sum.inputs, stride, &mut rows);
                        for p in 0..strip.pixels(&sum) {
                            let (i, q) = (p / strip.part(&sum), p % strip.part(&sum));
                            let (y, x) = (strip.first + q / sum.ow, q % sum.ow);
                            let width = (strip.pixels(&sum) - p / PANEL * PANEL).div_ceil(LANES) * LANES;
                            for k in 0..sum.terms() {
                                let (c, t) = (k / sum.taps.len(), k % sum.taps.len());
                                let plane = &numbers[(i * sum.inputs + c) * sum.h * sum.w..][..sum.h * sum.w];
                                let expected = pixel(&sum, plane, sum.taps[t], y, x);
                                let at = p / PANEL * panel_stride(&sum) + k * width.min(PANEL) + p % PANEL;
                                assert_eq!(out[at], expected, "{x:?} {w:?} {p} {k}");
                                assert_eq!(rows[k * stride + p], expected);
                            }
                        }
                    }
                }
            }
        }
    }
}
