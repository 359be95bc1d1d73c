//! Batch normalisation in training, in blocks.

use super::lanes::BLOCK;
use crate::{
    Activation,
    activation::specialise,
    output,
    simd::{Level, for_each_level, loops::fma},
};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Mean and biased variance of each channel over the batch.
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) var: Vec<f32>,
}

/// Elements that a loop handles at a time, four pixels: so many independent sums that none waits for another.
const WIDE: usize = 4 * BLOCK;

/// One value for each channel of a block, repeated for every pixel of [`WIDE`].
type Lanes = [f32; WIDE];

fn repeat(values: [f32; BLOCK]) -> Lanes {
    std::array::from_fn(|i| values[i % BLOCK])
}

/// The sums over the pixels of [`WIDE`], in f64.
fn fold(sums: &Lanes) -> [f64; BLOCK] {
    std::array::from_fn(|lane| (0..WIDE / BLOCK).map(|i| f64::from(sums[i * BLOCK + lane])).sum())
}

/// Most parts of the batch whose sums are computed apart, so that few channels keep many threads busy.
const MAX_PARTS: usize = 8;
/// About how many elements one parallel task handles.
const TASK: usize = 1 << 14;

/// Sums of two kinds, of each channel of a block.
type Sums = [[f64; BLOCK]; 2];

/// For each block the sums of `f` over its planes. `f` gets the index of a plane, counted over images and blocks. The order
/// of the additions depends on the sizes only.
fn sums_of_blocks(n: usize, blocks: usize, f: impl Fn(usize, usize) -> Sums + Sync) -> Vec<Sums> {
    let parts = n.clamp(1, MAX_PARTS);
    let add = |mut a: Sums, b: Sums| {
        for (a, b) in a.as_flattened_mut().iter_mut().zip(b.as_flattened()) {
            *a += b;
        }
        a
    };
    let of_part = |i: usize| {
        let (block, part) = (i / parts, i % parts);
        let images = n * part / parts..n * (part + 1) / parts;
        images.map(|image| f(block, image * blocks + block)).fold(Sums::default(), add)
    };
    let found: Vec<Sums> = (0..blocks * parts).into_par_iter().map(of_part).collect();
    found.chunks_exact(parts).map(|parts| parts.iter().copied().fold(Sums::default(), add)).collect()
}

/// A buffer of `count` planes of `plane` elements, each written whole by `f`, which gets its index.
///
/// # Safety
/// `f` must write every element.
unsafe fn planes(count: usize, plane: usize, f: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync) -> Vec<f32> {
    let planes = (TASK / plane.max(1)).max(1);
    let run = |task: usize, part: &mut [MaybeUninit<f32>]| {
        for (i, to) in part.chunks_exact_mut(plane).enumerate() {
            f(task * planes + i, to);
        }
    };
    // SAFETY: the chunks are whole planes, each of which `f` writes by this function's contract.
    unsafe { output::uninit_chunks(count * plane, planes * plane, run) }
}

/// `y = activation(gamma * (x - mean) / sqrt(var + eps) + beta)` of `x` of `[n, blocks, pixels, 8]`, and the statistics.
pub(crate) fn forward(
    level: Level,
    x: &[f32],
    [n, blocks, pixels]: [usize; 3],
    [gamma, beta]: [&[f32]; 2],
    eps: f32,
    activation: Activation,
) -> (Vec<f32>, Statistics) {
    let plane = pixels * BLOCK;
    let shift = |block: usize| -> [f32; BLOCK] { std::array::from_fn(|lane| x[block * plane + lane]) };
    let sums = sums_of_blocks(n, blocks, |block, at| {
        moments(level, &x[at * plane..][..plane], &repeat(shift(block)))
    });
    let count = (n * pixels) as f64;
    let (mut mean, mut var, mut affine) = (Vec::new(), Vec::new(), Vec::new());
    for (block, [sum, square]) in sums.into_iter().enumerate() {
        let shift = shift(block);
        let offset_mean = sum.map(|sum| sum / count);
        let own_var: [f32; BLOCK] = std::array::from_fn(|lane| {
            (square[lane] / count - offset_mean[lane] * offset_mean[lane]).max(0.0) as f32
        });
        let own_mean: [f32; BLOCK] =
            std::array::from_fn(|lane| (f64::from(shift[lane]) + offset_mean[lane]) as f32);
        let at = block * BLOCK;
        let scale: [f32; BLOCK] = std::array::from_fn(|lane| gamma[at + lane] / (own_var[lane] + eps).sqrt());
        let offset = std::array::from_fn(|lane| beta[at + lane] - own_mean[lane] * scale[lane]);
        affine.push([repeat(scale), repeat(offset)]);
        mean.extend(own_mean);
        var.extend(own_var);
    }
    let normalise = |at: usize, y: &mut [MaybeUninit<f32>]| {
        scale_and_shift(level, y, &x[at * plane..][..plane], &affine[at % blocks], activation);
    };
    // SAFETY: `scale_and_shift` writes an element for each of two slices of a plane's length.
    let y = unsafe { planes(n * blocks, plane, normalise) };
    (y, Statistics { mean, var })
}

/// What the gradient of a block's channels is made of: see [`gradient_sums`] and [`input_gradient`].
struct Slopes {
    affine: [Lanes; 3],
    means: [Lanes; 2],
}

/// Gradients with respect to `x`, `gamma` and `beta`.
pub(crate) fn backward(
    level: Level,
    [x, dy]: [&[f32]; 2],
    [n, blocks, pixels]: [usize; 3],
    [gamma, beta]: [&[f32]; 2],
    statistics: &Statistics,
    eps: f32,
    activation: Activation,
) -> (Vec<f32>, [Vec<f32>; 2]) {
    let plane = pixels * BLOCK;
    let count = (n * pixels) as f64;
    let of = |values: &[f32], block: usize| -> [f32; BLOCK] {
        std::array::from_fn(|lane| values[block * BLOCK + lane])
    };
    let inverse = |block: usize| of(&statistics.var, block).map(|var| 1.0 / (var + eps).sqrt());
    let affine = |block: usize| {
        let (mean, gamma, beta, inverse) =
            (of(&statistics.mean, block), of(gamma, block), of(beta, block), inverse(block));
        let scale: [f32; BLOCK] = std::array::from_fn(|lane| gamma[lane] * inverse[lane]);
        let offset = std::array::from_fn(|lane| beta[lane] - mean[lane] * scale[lane]);
        [repeat(scale), repeat(offset), repeat(mean)]
    };
    let affines: Vec<[Lanes; 3]> = (0..blocks).map(affine).collect();
    let sums = sums_of_blocks(n, blocks, |block, at| {
        let plane = at * plane..(at + 1) * plane;
        gradient_sums(level, &x[plane.clone()], &dy[plane], &affines[block], activation)
    });
    let (mut dgamma, mut dbeta, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
    for (block, ([sum, product], affine)) in sums.into_iter().zip(affines).enumerate() {
        let inverse = inverse(block).map(f64::from);
        let mean = std::array::from_fn(|lane| (sum[lane] / count) as f32);
        let slope =
            std::array::from_fn(|lane| (product[lane] / count * inverse[lane] * inverse[lane]) as f32);
        slopes.push(Slopes { affine, means: [repeat(mean), repeat(slope)] });
        dgamma.extend((0..BLOCK).map(|lane| (product[lane] * inverse[lane]) as f32));
        dbeta.extend(sum.map(|sum| sum as f32));
    }
    let gradient = |at: usize, dx: &mut [MaybeUninit<f32>]| {
        let plane = at * plane..(at + 1) * plane;
        let Slopes { affine, means } = &slopes[at % blocks];
        input_gradient(level, dx, &x[plane.clone()], &dy[plane], affine, means, activation);
    };
    // SAFETY: `input_gradient` writes an element for each of three slices of a plane's length.
    let dx = unsafe { planes(n * blocks, plane, gradient) };
    (dx, [dgamma, dbeta])
}

/// Runs `$each` on [`WIDE`] elements at a time of the slices, the last of them padded with zeros. `$count` is how many
/// of the elements there are.
macro_rules! in_chunks {
    ([$($x:ident),*], |$count:ident| $each:block) => {{
        let mut at = 0;
        let len = [$($x.len()),*][0];
        while at < len {
            let $count = WIDE.min(len - at);
            $(
                let mut padded = [0f32; WIDE];
                let $x: &[f32; WIDE] = match $x[at..].first_chunk() {
                    Some(chunk) => chunk,
                    None => {
                        padded[..$count].copy_from_slice(&$x[at..]);
                        &padded
                    }
                };
            )*
            $each
            at += WIDE;
        }
    }};
}

for_each_level! {
    /// `[Σ (x - shift), Σ (x - shift)²]` of each channel.
    fn moments(x: &[f32], shift: &Lanes) -> [[f64; BLOCK]; 2] {
        let (mut sums, mut squares) = ([0f32; WIDE], [0f32; WIDE]);
        in_chunks!([x], |count| {
            if count == WIDE {
                for i in 0..WIDE {
                    let v = x[i] - shift[i];
                    sums[i] += v;
                    squares[i] = fma::<FMA>(v, v, squares[i]);
                }
            } else {
                for i in 0..count {
                    let v = x[i] - shift[i];
                    sums[i] += v;
                    squares[i] = fma::<FMA>(v, v, squares[i]);
                }
            }
        });
        [fold(&sums), fold(&squares)]
    }
}

for_each_level! {
    /// `y = f(scale * x + shift)`.
    fn scale_and_shift(y: &mut [MaybeUninit<f32>], x: &[f32], affine: &[Lanes; 2], activation: Activation) {
        let [scale, shift] = affine;
        specialise!(activation, F => for (y, x) in y.chunks_mut(WIDE).zip(x.chunks(WIDE)) {
            match (y.first_chunk_mut::<WIDE>(), x.first_chunk::<WIDE>()) {
                (Some(y), Some(x)) => for i in 0..WIDE {
                    y[i].write(F.value_with::<FMA>(fma::<FMA>(scale[i], x[i], shift[i])));
                },
                _ => for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
                    y.write(F.value_with::<FMA>(fma::<FMA>(scale[i], *x, shift[i])));
                },
            }
        })
    }
}

for_each_level! {
    /// `[Σ d, Σ d (x - mean)]` with `d = f'(scale * x + shift) dy`, of each channel.
    fn gradient_sums(x: &[f32], dy: &[f32], affine: &[Lanes; 3], activation: Activation) -> [[f64; BLOCK]; 2] {
        let [scale, shift, mean] = affine;
        let (mut sums, mut products) = ([0f32; WIDE], [0f32; WIDE]);
        specialise!(activation, F => in_chunks!([x, dy], |_count| {
            // Padding has a gradient of zero.
            for i in 0..WIDE {
                let d = F.derivative::<FMA>(fma::<FMA>(scale[i], x[i], shift[i])) * dy[i];
                sums[i] += d;
                products[i] = fma::<FMA>(d, x[i] - mean[i], products[i]);
            }
        }));
        [fold(&sums), fold(&products)]
    }
}

for_each_level! {
    /// `dx = scale * (d - mean(d) - (x - mean) * slope)` with `d` as in [`gradient_sums`].
    fn input_gradient(
        dx: &mut [MaybeUninit<f32>],
        x: &[f32],
        dy: &[f32],
        affine: &[Lanes; 3],
        means: &[Lanes; 2],
        activation: Activation,
    ) {
        let ([scale, shift, mean], [mean_gradient, slope]) = (affine, means);
        let mut out = dx.chunks_mut(WIDE);
        specialise!(activation, F => in_chunks!([x, dy], |count| {
            let mut values = [0f32; WIDE];
            for i in 0..WIDE {
                let d = F.derivative::<FMA>(fma::<FMA>(scale[i], x[i], shift[i])) * dy[i];
                values[i] = scale[i] * (d - mean_gradient[i] - (x[i] - mean[i]) * slope[i]);
            }
            if let Some(dx) = out.next() {
                match dx.first_chunk_mut::<WIDE>() {
                    Some(dx) => *dx = values.map(MaybeUninit::new),
                    None => dx.iter_mut().zip(&values[..count]).for_each(|(dx, value)| {
                        dx.write(*value);
                    }),
                }
            }
        }));
    }
}
