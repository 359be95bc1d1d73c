//! Convolution in blocks: by the method that suits the layer.

use super::{
    depthwise,
    direct::Layer,
    lanes::BLOCK,
    product::{Finish, Output, pack},
    winograd,
};
use crate::{conv::geometry::Geometry, simd::Level};
use rayon::prelude::*;

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
    ///
    /// Groups that fill no blocks are joined, with weights of zero between them: what is not finite in one of them makes its
    /// neighbours NaN.
    fn of(g: &Geometry, in_blocks: bool) -> Option<(Self, Geometry)> {
        if g.ci == 0 {
            return None;
        }
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
    /// Groups, of whole blocks, of the layer that they were packed for.
    groups: usize,
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
        Self { method, groups: whole.groups, packed }
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
        Method::of(g, in_blocks)
            .is_some_and(|(method, whole)| (method, whole.groups) == (self.method, self.groups))
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
