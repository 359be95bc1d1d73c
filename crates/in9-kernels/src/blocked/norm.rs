//! Batch normalisation in training, in blocks.

use super::lanes::BLOCK;
use crate::{
    Activation,
    activation::specialise,
    output,
    simd::{Level, for_each_level, loops::fma},
};
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

/// The planes of one block, image after image.
fn planes(data: &[f32], blocks: usize, plane: usize, block: usize) -> impl Iterator<Item = &[f32]> {
    data.chunks_exact(plane).skip(block).step_by(blocks)
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
    let run = |block: usize, y: Vec<&mut [MaybeUninit<f32>]>| {
        let shift: [f32; BLOCK] = std::array::from_fn(|lane| x[block * plane + lane]);
        let (mut sum, mut square) = ([0f64; BLOCK], [0f64; BLOCK]);
        for x in planes(x, blocks, plane, block) {
            let [s, q] = moments(level, x, &repeat(shift));
            for lane in 0..BLOCK {
                sum[lane] += s[lane];
                square[lane] += q[lane];
            }
        }
        let count = (n * pixels) as f64;
        let mean: [f64; BLOCK] = std::array::from_fn(|lane| sum[lane] / count);
        let var: [f32; BLOCK] =
            std::array::from_fn(|lane| (square[lane] / count - mean[lane] * mean[lane]).max(0.0) as f32);
        let mean: [f32; BLOCK] = std::array::from_fn(|lane| (f64::from(shift[lane]) + mean[lane]) as f32);
        let scale: [f32; BLOCK] =
            std::array::from_fn(|lane| gamma[block * BLOCK + lane] / (var[lane] + eps).sqrt());
        let offset = std::array::from_fn(|lane| beta[block * BLOCK + lane] - mean[lane] * scale[lane]);
        for (y, x) in y.into_iter().zip(planes(x, blocks, plane, block)) {
            scale_and_shift(level, y, x, &[repeat(scale), repeat(offset)], activation);
        }
        (mean, var)
    };
    // SAFETY: `scale_and_shift` writes an element for each of its two slices, and the planes of x are as long as those of y.
    let (y, found) = unsafe { output::uninit_by_channel([n, blocks, plane], run) };
    let (mean, var): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    (y, Statistics { mean: mean.concat(), var: var.concat() })
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
    let run = |block: usize, dx: Vec<&mut [MaybeUninit<f32>]>| {
        let of =
            |values: &[f32]| -> [f32; BLOCK] { std::array::from_fn(|lane| values[block * BLOCK + lane]) };
        let (mean, var, gamma, beta) = (of(&statistics.mean), of(&statistics.var), of(gamma), of(beta));
        let inverse: [f32; BLOCK] = std::array::from_fn(|lane| 1.0 / (var[lane] + eps).sqrt());
        let scale: [f32; BLOCK] = std::array::from_fn(|lane| gamma[lane] * inverse[lane]);
        let offset = std::array::from_fn(|lane| beta[lane] - mean[lane] * scale[lane]);
        let affine = [repeat(scale), repeat(offset), repeat(mean)];
        let (mut sum, mut product) = ([0f64; BLOCK], [0f64; BLOCK]);
        let pairs = || planes(x, blocks, plane, block).zip(planes(dy, blocks, plane, block));
        for (x, dy) in pairs() {
            let [s, p] = gradient_sums(level, x, dy, &affine, activation);
            for lane in 0..BLOCK {
                sum[lane] += s[lane];
                product[lane] += p[lane];
            }
        }
        let wide = inverse.map(f64::from);
        let mean_gradient = std::array::from_fn(|lane| (sum[lane] / count) as f32);
        let slope = std::array::from_fn(|lane| (product[lane] / count * wide[lane] * wide[lane]) as f32);
        let means = [repeat(mean_gradient), repeat(slope)];
        for (dx, (x, dy)) in dx.into_iter().zip(pairs()) {
            input_gradient(level, dx, x, dy, &affine, &means, activation);
        }
        let dgamma: [f32; BLOCK] = std::array::from_fn(|lane| (product[lane] * wide[lane]) as f32);
        (dgamma, sum.map(|sum| sum as f32))
    };
    // SAFETY: `input_gradient` writes an element for each of its three slices, and the planes of x and dy are as long as
    // those of dx.
    let (dx, sums) = unsafe { output::uninit_by_channel([n, blocks, plane], run) };
    let (dgamma, dbeta): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    (dx, [dgamma.concat(), dbeta.concat()])
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
