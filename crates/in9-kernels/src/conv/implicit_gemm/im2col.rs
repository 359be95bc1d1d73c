//! The im2col matrix of a strip of outputs, in the order in which the microkernel reads it.
//!
//! Row `k` of the matrix belongs to input channel `k / taps` and tap `k % taps`; it holds, for every output
//! pixel of the strip, image after image, the input pixel that the tap is multiplied by.

use super::{PANEL, Problem, Strip, input_rows::InputRows};
use crate::{
    scratch,
    simd::{
        Level, Vector, prefetch,
        vector::{LANES, copy, for_each_vector},
    },
};

/// Elements behind a row that may be overwritten by whole vectors.
pub(super) const SLACK: usize = LANES;

/// Where the rows of the matrix go.
///
/// A trait rather than a closure, because a closure would not be compiled for the instruction set of the
/// function that contains it.
trait RowSink {
    /// Takes row `k` of the matrix.
    fn put<V: Vector>(&mut self, k: usize, row: &[f32]);
}

/// Scratch buffers of [`for_each_row`]: a row of the matrix, and the input rows of one channel of all images.
struct Buffers<'a> {
    row: &'a mut [f32],
    inputs: &'a mut [f32],
}

/// Runs `f` with the scratch buffers for a strip.
fn with_buffers<R>(problem: &Problem, strip: Strip, f: impl FnOnce(Buffers<'_>) -> R) -> R {
    let inputs = if problem.is_pointwise() {
        0
    } else {
        strip.images * InputRows::new(problem, strip).len(problem) + SLACK
    };
    scratch::with(strip.pixels(problem) + SLACK, |row| {
        scratch::with(inputs, |inputs| {
            row.fill(0.0);
            inputs.fill(0.0);
            f(Buffers { row, inputs })
        })
    })
}

/// Puts the rows of the first `inputs` channels into `sink`.
///
/// `x` starts with the first of these channels and has `channels` planes an image.
#[inline(always)]
fn for_each_row<V: Vector>(
    x: &[f32],
    channels: usize,
    problem: &Problem,
    strip: Strip,
    inputs: usize,
    buffers: Buffers<'_>,
    sink: &mut impl RowSink,
) {
    let Buffers { row, inputs: input_rows } = buffers;
    let (plane, image_pixels) = (problem.h * problem.w, strip.image_pixels(problem));
    let pixels = strip.pixels(problem);
    if problem.is_pointwise() {
        for c in 0..inputs {
            if strip.images == 1 {
                let row = |c: usize| &x[c * plane + strip.first * problem.w..][..image_pixels];
                if c + 1 < inputs {
                    // The next plane is too far away for the hardware prefetcher.
                    prefetch::to_read(row(c + 1));
                }
                sink.put::<V>(c, row(c));
                continue;
            }
            for (i, row) in row.chunks_exact_mut(image_pixels).take(strip.images).enumerate() {
                copy::<V>(&x[(i * channels + c) * plane..][..image_pixels], row);
            }
            sink.put::<V>(c, &row[..pixels]);
        }
        return;
    }
    let layout = InputRows::new(problem, strip);
    let len = layout.len(problem);
    for c in 0..inputs {
        for (i, to) in input_rows.chunks_exact_mut(len).take(strip.images).enumerate() {
            layout.load::<V>(problem, &x[(i * channels + c) * plane..][..plane], to);
        }
        for (t, tap) in problem.taps.iter().enumerate() {
            let tap = layout.tap(problem, strip, *tap);
            for i in 0..strip.images {
                layout.extract::<V>(
                    problem,
                    strip,
                    tap,
                    &input_rows[i * len..],
                    &mut row[i * image_pixels..],
                );
            }
            sink.put::<V>(c * problem.taps.len() + t, &row[..pixels]);
        }
    }
}

/// Unused elements behind a panel. Without them the panels of a strip, which are filled side by side,
/// would often be a power of two apart and compete for the same set of the cache.
const GAP: usize = LANES;

/// Elements from one panel to the next.
pub(super) fn panel_stride(problem: &Problem) -> usize {
    PANEL * problem.depth() + GAP
}

/// Elements of all panels of a strip.
pub(super) fn panels_len(problem: &Problem, strip: Strip) -> usize {
    strip.pixels(problem).div_ceil(PANEL) * panel_stride(problem)
}

/// The matrix of a strip as panels of [`PANEL`] pixels (the last may be half of that), [`panel_stride`]
/// apart, each as `[depth][pixels]`. Lanes behind the last pixel are zero.
///
/// `x` starts with the first plane of the group and has `channels` planes an image.
pub(super) fn panels(
    level: Level,
    x: &[f32],
    channels: usize,
    problem: &Problem,
    strip: Strip,
    out: &mut [f32],
) {
    with_buffers(problem, strip, |buffers| fill_panels(level, x, channels, problem, strip, buffers, out));
}

for_each_vector! {
    fn fill_panels<V>(
        x: &[f32],
        channels: usize,
        problem: &Problem,
        strip: Strip,
        buffers: Buffers<'_>,
        out: &mut [f32],
    ) {
        let mut sink = Panels { stride: panel_stride(problem), out };
        for_each_row::<V>(x, channels, problem, strip, problem.inputs, buffers, &mut sink);
    }
}

struct Panels<'a> {
    stride: usize,
    out: &'a mut [f32],
}

impl RowSink for Panels<'_> {
    #[inline(always)]
    fn put<V: Vector>(&mut self, k: usize, row: &[f32]) {
        for (panel, row) in row.chunks(PANEL).enumerate() {
            let start = panel * self.stride;
            let width = row.len().div_ceil(LANES) * LANES;
            let to = &mut self.out[start + k * width..][..width];
            if row.len() == PANEL {
                let (row, _) = row.as_chunks::<LANES>();
                let (to, _) = to.as_chunks_mut::<LANES>();
                V::load(&row[0]).store(&mut to[0]);
                V::load(&row[1]).store(&mut to[1]);
            } else {
                to[..row.len()].copy_from_slice(row);
                to[row.len()..].fill(0.0);
            }
        }
    }
}

/// The matrix of a strip for the first `inputs` channels as rows, `stride` elements apart.
///
/// `x` starts with the first of these channels and has `channels` planes an image.
pub(super) fn rows(
    level: Level,
    x: &[f32],
    channels: usize,
    problem: &Problem,
    strip: Strip,
    inputs: usize,
    stride: usize,
    out: &mut [f32],
) {
    with_buffers(problem, strip, |buffers| {
        fill_rows(level, x, channels, problem, strip, inputs, stride, buffers, out);
    });
}

for_each_vector! {
    fn fill_rows<V>(
        x: &[f32],
        channels: usize,
        problem: &Problem,
        strip: Strip,
        inputs: usize,
        stride: usize,
        buffers: Buffers<'_>,
        out: &mut [f32],
    ) {
        for_each_row::<V>(x, channels, problem, strip, inputs, buffers, &mut Rows { stride, out });
    }
}

struct Rows<'a> {
    stride: usize,
    out: &'a mut [f32],
}

impl RowSink for Rows<'_> {
    #[inline(always)]
    fn put<V: Vector>(&mut self, k: usize, row: &[f32]) {
        copy::<V>(row, &mut self.out[k * self.stride..][..row.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Tap, strips},
        *,
    };
    use crate::{Conv2dConfig, conv::geometry::Geometry};

    /// The input pixel that output pixel (y, x) multiplies by a tap, or zero outside the image.
    fn pixel(problem: &Problem, plane: &[f32], tap: Tap, y: usize, x: usize) -> f32 {
        let (y, x) = ((y * problem.sy) as isize + tap.y, (x * problem.sx) as isize + tap.x);
        let inside = y >= 0 && y < problem.h as isize && x >= 0 && x < problem.w as isize;
        if inside { plane[y as usize * problem.w + x as usize] } else { 0.0 }
    }

    #[test]
    fn every_row_holds_the_pixels_of_its_tap() {
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
            for problem in Problem::backward_data(&g).into_iter().chain([Problem::forward(&g)]) {
                let (inputs, plane) = (problem.inputs, problem.h * problem.w);
                let images: Vec<f32> = (0..g.n * inputs * plane).map(|i| i as f32 + 1.0).collect();
                for level in Level::available() {
                    for strip in strips(&problem, g.n) {
                        let mut as_panels = vec![-1f32; panels_len(&problem, strip)];
                        panels(level, &images, inputs, &problem, strip, &mut as_panels);
                        let stride = strip.pixels(&problem) + SLACK;
                        let mut as_rows = vec![-1f32; stride * problem.depth()];
                        rows(level, &images, inputs, &problem, strip, inputs, stride, &mut as_rows);
                        for p in 0..strip.pixels(&problem) {
                            let image_pixels = strip.image_pixels(&problem);
                            let (i, q) = (p / image_pixels, p % image_pixels);
                            let (y, x) = (strip.first + q / problem.ow, q % problem.ow);
                            let left = strip.pixels(&problem) - p / PANEL * PANEL;
                            let width = (left.div_ceil(LANES) * LANES).min(PANEL);
                            for k in 0..problem.depth() {
                                let (c, t) = (k / problem.taps.len(), k % problem.taps.len());
                                let plane = &images[(i * inputs + c) * plane..][..plane];
                                let expected = pixel(&problem, plane, problem.taps[t], y, x);
                                let at = p / PANEL * panel_stride(&problem) + k * width + p % PANEL;
                                assert_eq!(as_panels[at], expected, "{x:?} {w:?} {p} {k}");
                                assert_eq!(as_rows[k * stride + p], expected);
                            }
                        }
                    }
                }
            }
        }
    }
}
