//! Convolution in blocks: by the method that suits the layer.

use super::{
    depthwise,
    lanes::BLOCK,
    padded::{self, Size},
    product::{Finish, Inputs, Output, PANEL, Run, Target, multiply, pack},
    winograd,
};
use crate::{conv::geometry::Geometry, scratch, simd::Level};
use rayon::prelude::*;
use std::ops::Range;

/// Target for the inputs of a strip, in elements, so that they stay in a cache (256 kB).
const STRIP_ELEMENTS: usize = 64 << 10;
/// Least and most output pixels of a strip, whatever [`STRIP_ELEMENTS`] says.
const STRIP_PIXELS: [usize; 2] = [96, 1024];

/// How a convolution in blocks is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// From an image in blocks, group by group.
    Blocks,
    /// From an image in planes, that of the first layer.
    Planes,
    Depthwise,
    /// With this many outputs of a tile on each axis.
    Winograd(usize),
}

impl Method {
    /// The method for a layer and its sizes in whole blocks. None if it has to be computed in planes.
    fn of(g: &Geometry, in_blocks: bool) -> Option<(Self, Geometry)> {
        let [ci, co] = [g.ci, g.co].map(|channels| channels.next_multiple_of(BLOCK));
        let whole = Geometry { ci, co, ..*g };
        if !in_blocks {
            let suits = g.groups == 1 && g.dx == 1 && g.ci < BLOCK;
            return suits.then_some((Self::Planes, Geometry { co, ..*g }));
        }
        if g.is_depthwise() {
            return Some((Self::Depthwise, Geometry { groups: ci, ..whole }));
        }
        if g.groups > 1 {
            // Neighbouring groups together have whole blocks; weights between them are zero.
            let fits = |groups: &usize| {
                g.groups.is_multiple_of(*groups)
                    && (g.ci / groups).is_multiple_of(BLOCK)
                    && (g.co / groups).is_multiple_of(BLOCK)
            };
            let groups = (1..=g.groups).rev().find(fits)?;
            return Some((Self::Blocks, Geometry { groups, ..*g }));
        }
        let winograd = (ci, co) == (g.ci, g.co) && winograd::suits(g);
        let method = if winograd { Self::Winograd(winograd::outputs(g)) } else { Self::Blocks };
        Some((method, whole))
    }
}

/// Filters packed for a method.
#[derive(Debug)]
pub(crate) struct Filters {
    method: Method,
    packed: Vec<f32>,
}

impl Filters {
    /// Packs `w` of `[co, ci / groups, kh, kw]`. None if the layer has to be computed in planes.
    pub(crate) fn new(level: Level, w: &[f32], g: &Geometry, in_blocks: bool) -> Option<Self> {
        let (method, whole) = Method::of(g, in_blocks)?;
        Some(Self::packed_for(method, level, w, g, &whole))
    }

    /// The same for a single call, whose time includes that of packing.
    pub(crate) fn for_one_call(level: Level, w: &[f32], g: &Geometry, in_blocks: bool) -> Option<Self> {
        let (method, whole) = match Method::of(g, in_blocks)? {
            (Method::Winograd(_), whole) if !winograd::suits_once(g) => (Method::Blocks, whole),
            found => found,
        };
        Some(Self::packed_for(method, level, w, g, &whole))
    }

    fn packed_for(method: Method, level: Level, w: &[f32], g: &Geometry, whole: &Geometry) -> Self {
        let packed = match method {
            Method::Blocks => {
                let matrix = whole.cog() * whole.cig() * g.taps();
                let mut packed = vec![0f32; whole.groups * matrix];
                for (group, packed) in packed.chunks_exact_mut(matrix.max(1)).enumerate() {
                    let at = |output: usize, input: usize| {
                        let (block, tap, lane) =
                            (input / BLOCK / g.taps(), input / BLOCK % g.taps(), input % BLOCK);
                        let channel = group * whole.cig() + block * BLOCK + lane;
                        let output = group * whole.cog() + output;
                        let real = channel < g.ci && output < g.co && channel / g.cig() == output / g.cog();
                        real.then(|| (output * g.cig() + channel % g.cig()) * g.taps() + tap)
                    };
                    pack_matrix(level, w, [whole.cog(), whole.cig() * g.taps()], &at, packed);
                }
                packed
            }
            Method::Planes => {
                let mut packed = vec![0f32; whole.co * g.ci * g.taps()];
                let at = |output: usize, input: usize| {
                    (output < g.co).then(|| (output * g.ci + input % g.ci) * g.taps() + input / g.ci)
                };
                pack_matrix(level, w, [whole.co, g.ci * g.taps()], &at, &mut packed);
                packed
            }
            Method::Depthwise => depthwise::pack(w, g.taps(), whole.ci),
            Method::Winograd(_) => {
                let mut packed = vec![0f32; winograd::packed_len(g)];
                winograd::pack(
                    level,
                    winograd::Taps { w, output: g.ci, input: 1, rotated: false },
                    g,
                    &mut packed,
                );
                packed
            }
        };
        Self { method, packed }
    }

    /// Those of a convolution of 1×1 or another kernel that is computed directly, in one group.
    pub(super) fn pointwise(&self) -> Option<&[f32]> {
        (self.method == Method::Blocks).then_some(&self.packed)
    }

    /// Those of a depthwise convolution.
    pub(super) fn depthwise(&self) -> Option<&[f32]> {
        (self.method == Method::Depthwise).then_some(&self.packed)
    }

    /// Whether they were packed for what suits this layer.
    pub(crate) fn fit(&self, g: &Geometry, in_blocks: bool) -> bool {
        Method::of(g, in_blocks).is_some_and(|(method, _)| method == self.method)
    }
}

fn pack_matrix(
    level: Level,
    w: &[f32],
    [outputs, inputs]: [usize; 2],
    at: &(dyn Fn(usize, usize) -> Option<usize> + Sync),
    packed: &mut [f32],
) {
    // SAFETY: the function needs no promise.
    unsafe { pack(level, w, outputs, inputs, at, packed) };
}

/// `activation(conv(x) + bias + residual)`, `[n, co / 8, oh, ow, 8]`, with as many zeros as whole blocks need.
///
/// `x` is in blocks, or in planes if the filters were packed for that; the residual is in blocks. The filters were
/// packed for the same `level` and for a layer that they [fit](Filters::fit).
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    filters: &Filters,
    g: &Geometry,
    finish: Finish<'_>,
) -> Vec<f32> {
    let method = filters.method;
    let Some((_, g)) = Method::of(g, method != Method::Planes) else { return Vec::new() };
    let len = g.n * g.co * g.plane_out();
    let mut y = Vec::with_capacity(len);
    if len == 0 {
        return y;
    }
    let padded: Vec<f32>;
    let mut finish = finish;
    if let Some(bias) = finish.bias.filter(|bias| bias.len() < g.co) {
        padded = (0..g.co).map(|i| bias.get(i).copied().unwrap_or(0.0)).collect();
        finish.bias = Some(&padded);
    }
    let out = Output::new(&mut y.spare_capacity_mut()[..len]);
    let packed = &filters.packed;
    match method {
        Method::Blocks | Method::Planes => {
            let layer = Layer { level, x, packed, g: &g, finish, out, planes: method == Method::Planes };
            layer.tasks().into_par_iter().for_each(|task| layer.run(&task));
        }
        Method::Depthwise => depthwise::forward(level, x, packed, &g, finish, out),
        Method::Winograd(_) => winograd::forward(level, x, packed, &g, finish, out),
    }
    // SAFETY: the capacity is at least `len`, and every method writes all outputs: the tasks of `Layer` have all
    // images, rows and channels; the others say so themselves. A panic would have left this function.
    unsafe { y.set_len(len) };
    y
}

/// Some output channels of some output rows of some images, or of a layer in groups, all of them. Of a 1×1 convolution whose image is read as it lies, the
/// rows are pixels.
#[derive(Debug)]
struct Task {
    images: Range<usize>,
    rows: Range<usize>,
    outputs: Range<usize>,
}

struct Layer<'a> {
    level: Level,
    x: &'a [f32],
    packed: &'a [f32],
    g: &'a Geometry,
    finish: Finish<'a>,
    out: Output,
    /// Whether the image is in planes.
    planes: bool,
}

impl Layer<'_> {
    /// Whether outputs are pixel by pixel those inputs: then a plane is one long row.
    fn is_pointwise(&self) -> bool {
        let g = self.g;
        !self.planes && [g.kh, g.kw, g.sy, g.sx] == [1; 4] && self.is_unpadded()
    }

    fn is_unpadded(&self) -> bool {
        [self.g.top, self.g.bottom, self.g.left, self.g.right] == [0; 4]
    }

    /// Rows of a plane of outputs, and pixels of a row.
    fn rows(&self) -> [usize; 2] {
        if self.is_pointwise() { [self.g.plane_out(), 1] } else { [self.g.oh, self.g.ow] }
    }

    fn tasks(&self) -> Vec<Task> {
        let g = self.g;
        let [least, most] = STRIP_PIXELS;
        let pixels = (STRIP_ELEMENTS / (g.ci * g.sy * g.sx).max(1)).clamp(least, most);
        let [rows, width] = self.rows();
        let wanted = 2 * rayon::current_num_threads();
        // Either several images or a part of one.
        let images = (pixels / (rows * width)).clamp(1, g.n.div_ceil(wanted).max(1));
        let strips = (rows * width).div_ceil(pixels).min(rows);
        let groups = g.n.div_ceil(images);
        let parts = if g.groups > 1 { 1 } else { wanted.div_ceil(groups * strips).min(g.co.div_ceil(PANEL)) };
        let cut = |count: usize, parts: usize, part: usize| count * part / parts..count * (part + 1) / parts;
        let mut tasks = Vec::with_capacity(groups * strips * parts);
        for group in 0..groups {
            for strip in 0..strips {
                for part in 0..parts {
                    let panels = cut(g.co.div_ceil(PANEL), parts, part);
                    tasks.push(Task {
                        images: cut(g.n, groups, group),
                        rows: cut(rows, strips, strip),
                        outputs: panels.start * PANEL..(panels.end * PANEL).min(g.co),
                    });
                }
            }
        }
        tasks
    }

    fn run(&self, task: &Task) {
        let g = self.g;
        let image = g.ci * g.plane_in();
        if !self.planes && self.is_unpadded() {
            let size = Size { rows: g.h, columns: g.w };
            let start = task.images.start * image;
            let x = &self.x[start..task.images.end * image];
            return self.multiply(task, x, size, image, task.rows.start);
        }
        let size = Size::of(g, task.rows.len());
        let padded = g.ci * size.rows * size.columns;
        scratch::with(padded * task.images.len(), |to| {
            for (i, to) in task.images.clone().zip(to.chunks_exact_mut(padded)) {
                let x = &self.x[i * image..][..image];
                if self.planes {
                    padded::planes(x, g, task.rows.start, size, to);
                } else {
                    padded::blocks(x, g, task.rows.start, size, to);
                }
            }
            self.multiply(task, to, size, padded, 0);
        });
    }

    /// Multiplies the inputs in `x`, `image` elements for each image of the task and of this size; its first output
    /// row is `first` in them.
    fn multiply(&self, task: &Task, x: &[f32], size: Size, image: usize, first: usize) {
        let g = self.g;
        let taps =
            |columns: usize| (0..g.kh).flat_map(move |ky| (0..columns).map(move |kx| (ky * g.dy, kx * g.dx)));
        let channels = if self.planes { g.ci } else { BLOCK };
        let at = |(row, column): (usize, usize)| (row * size.columns + column) * channels;
        let (groups, depth): (Vec<usize>, usize) = if self.planes {
            (taps(1).map(at).collect(), g.kw * g.ci)
        } else {
            let plane = size.rows * size.columns * BLOCK;
            let blocks = 0..g.cig() / BLOCK;
            (blocks.flat_map(|block| taps(g.kw).map(move |tap| block * plane + at(tap))).collect(), BLOCK)
        };
        let [_, width] = self.rows();
        let out_image = g.co * g.plane_out();
        let block = g.plane_out() * BLOCK;
        for group in 0..g.groups {
            let first_input = group * (g.cig() / BLOCK) * size.rows * size.columns * BLOCK;
            let first_output = group * (g.cog() / BLOCK) * block;
            let mut runs = Vec::new();
            for (i, n) in task.images.clone().enumerate() {
                let (x, y) = (i * image + first_input, n * out_image + first_output);
                if self.is_pointwise() {
                    let start = task.rows.start * BLOCK;
                    runs.push(Run { x: x + first * BLOCK, y: y + start, pixels: task.rows.len() });
                    continue;
                }
                for (row, out_row) in task.rows.clone().enumerate() {
                    let x = x + at(((first + row) * g.sy, 0));
                    runs.push(Run { x, y: y + out_row * width * BLOCK, pixels: width });
                }
            }
            let inputs = Inputs { groups: &groups, depth, pixel: g.sx * channels };
            let target = Target::dense(self.out, block);
            let matrix = g.cog() * inputs.count();
            let packed = &self.packed[group * matrix..][..matrix];
            let bias = self.finish.bias.map(|bias| &bias[group * g.cog()..]);
            let outputs = if g.groups > 1 { 0..g.cog() } else { task.outputs.clone() };
            // SAFETY: no two tasks have the same images, rows and channels, nor two groups the same channels.
            unsafe {
                multiply(
                    self.level,
                    x,
                    inputs,
                    packed,
                    outputs,
                    &runs,
                    target,
                    Finish { bias, ..self.finish },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Conv2dConfig};

    /// `[channels, kernel, stride, padding, groups]` of a layer, its size, and whether its image is in blocks.
    type Case = ([usize; 2], usize, usize, [usize; 4], usize, [usize; 2], bool);

    /// Every method, all remainders of panels and tiles, odd padding, several images.
    const CASES: [Case; 22] = [
        ([8, 8], 1, 1, [0; 4], 1, [1, 1], true),
        ([16, 24], 1, 1, [0; 4], 1, [7, 5], true),
        ([24, 40], 1, 1, [0; 4], 1, [13, 11], true),
        ([40, 96], 1, 1, [0; 4], 1, [40, 40], true),
        ([16, 72], 1, 2, [0; 4], 1, [9, 8], true),
        ([24, 56], 3, 2, [1; 4], 1, [15, 12], true),
        ([8, 16], 3, 2, [0, 1, 0, 1], 1, [14, 14], true),
        ([16, 8], 5, 1, [2; 4], 1, [6, 9], true),
        ([3, 32], 3, 2, [1; 4], 1, [17, 15], false),
        ([3, 64], 7, 2, [3; 4], 1, [23, 30], false),
        ([1, 8], 3, 1, [0, 1, 0, 1], 1, [6, 5], false),
        ([24, 24], 3, 1, [1; 4], 24, [9, 20], true),
        ([16, 16], 5, 2, [2; 4], 16, [13, 14], true),
        ([8, 8], 5, 1, [2; 4], 8, [2, 1], true),
        ([16, 40], 3, 1, [1; 4], 1, [11, 9], true),
        ([32, 16], 3, 1, [1; 4], 1, [2, 2], true),
        // Groups of three channels, of twelve to eight, of four.
        ([24, 24], 3, 1, [1; 4], 8, [6, 7], true),
        ([24, 16], 3, 2, [1; 4], 2, [9, 6], true),
        ([32, 32], 1, 1, [0; 4], 8, [5, 5], true),
        // Channels that do not fill their last block.
        ([58, 58], 1, 1, [0; 4], 1, [5, 6], true),
        ([20, 20], 3, 2, [1; 4], 20, [7, 6], true),
        ([3, 12], 3, 1, [1; 4], 1, [6, 5], false),
    ];

    /// Layer, image in planes, filters, bias.
    fn case(&([ci, co], k, stride, padding, groups, [h, w], _): &Case) -> (Geometry, [Vec<f32>; 3]) {
        let config = Conv2dConfig { stride: [stride; 2], padding, groups, ..Conv2dConfig::new(1, 0) };
        let g = Geometry::new(&[3, ci, h, w], &[co, ci / groups, k, k], &config).unwrap();
        let values = |len: usize, step: usize, of: usize| -> Vec<f32> {
            (0..len).map(|i| (i * step % of) as f32 - (of / 2) as f32).collect()
        };
        (g, [values(3 * ci * h * w, 7, 11), values(co * ci / groups * k * k, 5, 7), values(co, 3, 5)])
    }

    /// By the definition, in planes.
    fn expected(g: &Geometry, [x, w, bias]: &[Vec<f32>; 3]) -> Vec<f32> {
        let output = |i: usize| {
            let (n, o) = (i / g.plane_out() / g.co, i / g.plane_out() % g.co);
            let (y, column) = (i % g.plane_out() / g.ow, i % g.ow);
            let mut sum = bias[o];
            for (c, ky, kx) in (0..g.cig()).flat_map(|c| (0..g.taps()).map(move |t| (c, t / g.kw, t % g.kw)))
            {
                let (row, at) =
                    ((y * g.sy + ky).wrapping_sub(g.top), (column * g.sx + kx).wrapping_sub(g.left));
                if row < g.h && at < g.w {
                    let channel = o / g.cog() * g.cig() + c;
                    let pixel = x[(n * g.ci + channel) * g.plane_in() + row * g.w + at];
                    sum += pixel * w[(o * g.cig() + c) * g.taps() + ky * g.kw + kx];
                }
            }
            sum
        };
        (0..g.n * g.co * g.plane_out()).map(output).collect()
    }

    /// With zeros for the channels that are missing in the last block.
    fn blocks(planes: &[f32], channels: usize, plane: usize) -> Vec<f32> {
        let whole = channels.next_multiple_of(BLOCK);
        let value = |i: usize| {
            let (lane, pixel, block) = (i % BLOCK, i / BLOCK % plane, i / BLOCK / plane);
            let (image, channel) = (block * BLOCK / whole, block * BLOCK % whole + lane);
            if channel < channels { planes[(image * channels + channel) * plane + pixel] } else { 0.0 }
        };
        (0..planes.len() / channels * whole).map(value).collect()
    }

    #[test]
    fn every_method_computes_the_definition_at_every_level() {
        for setting in &CASES {
            let (g, tensors) = case(setting);
            let plain = blocks(&expected(&g, &tensors), g.co, g.plane_out());
            let [x, w, bias] = tensors;
            let x = if setting.6 { blocks(&x, g.ci, g.plane_in()) } else { x };
            let residual: Vec<f32> = (0..plain.len()).map(|i| (i % 9) as f32 - 4.0).collect();
            for level in Level::available() {
                let filters = Filters::new(level, &w, &g, setting.6).unwrap();
                for (activation, residual) in [
                    (Activation::None, None),
                    (Activation::Relu, Some(&residual[..])),
                    (Activation::Relu6, None),
                    (Activation::HardSwish, Some(&residual[..])),
                    (Activation::Silu, None),
                    (Activation::Sigmoid, Some(&residual[..])),
                ] {
                    let finish = Finish { bias: Some(&bias), residual, activation };
                    let found = forward(level, &x, &filters, &g, finish);
                    assert_eq!(found.len(), plain.len());
                    let scale = plain.iter().fold(1f32, |most, v| most.max(v.abs()));
                    for (i, found) in found.iter().enumerate() {
                        let lane =
                            i / BLOCK / g.plane_out() * BLOCK % g.co.next_multiple_of(BLOCK) + i % BLOCK;
                        if lane >= g.co {
                            continue;
                        }
                        let sum = plain[i] + residual.map_or(0.0, |residual| residual[i]);
                        let difference = (found - activation.value(sum)).abs();
                        // Sums of small integers are exact but in Winograd's method.
                        let tolerance = match filters.method {
                            Method::Winograd(_) => 1e-5 * scale,
                            _ => 1e-6 * sum.abs().max(1.0),
                        };
                        assert!(
                            difference <= tolerance,
                            "{level:?} {setting:?} {activation:?} {i}: {difference}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_method_is_the_one_that_fits() {
        let methods: Vec<Method> =
            CASES.iter().map(|setting| Method::of(&case(setting).0, setting.6).unwrap().0).collect();
        for method in
            [Method::Blocks, Method::Planes, Method::Depthwise, Method::Winograd(4), Method::Winograd(2)]
        {
            assert!(methods.contains(&method), "{method:?}");
        }
        // Groups that never fill blocks.
        let g =
            Geometry::new(&[1, 20, 4, 4], &[20, 10, 1, 1], &Conv2dConfig::new(1, 0).with_groups(2)).unwrap();
        assert_eq!(Method::of(&g, true), None);
    }

    #[test]
    fn the_number_of_threads_and_the_rest_of_the_batch_change_nothing() {
        for setting in &CASES {
            let (g, [x, w, bias]) = case(setting);
            let x = if setting.6 { blocks(&x, g.ci, g.plane_in()) } else { x };
            let (level, finish) = (Level::current(), Finish { bias: Some(&bias), ..Finish::default() });
            let filters = Filters::new(level, &w, &g, setting.6).unwrap();
            let run = |threads: usize, x: &[f32], g: &Geometry| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| forward(level, x, &filters, g, finish))
            };
            let one = run(1, &x, &g);
            assert_eq!(one, run(3, &x, &g), "{setting:?}");
            let image = x.len() / g.n;
            let alone = run(2, &x[image..2 * image], &Geometry { n: 1, ..g });
            assert_eq!(one[alone.len()..2 * alone.len()], alone, "{setting:?}");
        }
    }
}
