//! The loops of batch normalisation over the elements of one channel.

use crate::{
    Activation,
    activation::specialise,
    simd::{
        Level, for_each_level,
        loops::{fma, pairwise_sum, shifted_moments},
        vector::{copy, for_each_vector},
    },
};

/// Mean and biased variance of one channel, given its planes.
///
/// Sums are taken of `x - shift`, where `shift` is the first element of the channel: a variance that is
/// small beside the squared mean is then not lost to rounding.
pub(super) fn moments<'a>(level: Level, planes: impl Iterator<Item = &'a [f32]>, count: usize) -> (f32, f32) {
    let mut shift = None;
    let (mut sum, mut square) = (0f64, 0f64);
    for plane in planes {
        let shift = *shift.get_or_insert(plane[0]);
        let (s, q) = shifted_moments(level, plane, shift);
        sum += f64::from(s);
        square += f64::from(q);
    }
    let mean = sum / count as f64;
    let var = (square / count as f64 - mean * mean).max(0.0);
    ((f64::from(shift.unwrap_or(0.0)) + mean) as f32, var as f32)
}

for_each_vector! {
    /// Copies planes into one buffer, one after another.
    pub(super) fn concatenate<V>(planes: &[&[f32]], buffer: &mut [f32]) {
        let mut buffer = buffer;
        for plane in planes {
            let (to, rest) = buffer.split_at_mut(plane.len());
            copy::<V>(plane, to);
            buffer = rest;
        }
    }
}

for_each_vector! {
    /// The reverse of [`concatenate`].
    pub(super) fn split<V>(buffer: &[f32], planes: Vec<&mut [f32]>) {
        let mut buffer = buffer;
        for plane in planes {
            let (from, rest) = buffer.split_at(plane.len());
            copy::<V>(from, plane);
            buffer = rest;
        }
    }
}

/// Normalisation of one channel as `scale * x + shift`, and the channel's mean.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    pub(super) scale: f32,
    pub(super) shift: f32,
    pub(super) mean: f32,
}

for_each_level! {
    /// `y = f(scale * x + shift)`.
    pub(super) fn scale_and_shift(y: &mut [f32], x: &[f32], affine: [f32; 2], activation: Activation) {
        let [scale, shift] = affine;
        specialise!(activation, F => for (y, &x) in y.iter_mut().zip(x) {
            *y = F.value_with::<FMA>(fma::<FMA>(scale, x, shift));
        })
    }
}

/// Independent partial sums, so that additions need not wait for each other.
const LANES: usize = 32;

for_each_level! {
    /// `(Σ d, Σ d (x - mean))` with `d = f'(scale * x + shift) dy`.
    pub(super) fn gradient_sums(x: &[f32], dy: &[f32], a: Affine, activation: Activation) -> (f32, f32) {
        specialise!(activation, F => {
            let (mut sums, mut products) = ([0f32; LANES], [0f32; LANES]);
            for (x, dy) in x.chunks(LANES).zip(dy.chunks(LANES)) {
                if let (Some(x), Some(dy)) = (x.first_chunk::<LANES>(), dy.first_chunk::<LANES>()) {
                    for i in 0..LANES {
                        let d = F.derivative::<FMA>(fma::<FMA>(a.scale, x[i], a.shift)) * dy[i];
                        sums[i] += d;
                        products[i] = fma::<FMA>(d, x[i] - a.mean, products[i]);
                    }
                    continue;
                }
                for (i, (&x, &dy)) in x.iter().zip(dy).enumerate() {
                    let d = F.derivative::<FMA>(fma::<FMA>(a.scale, x, a.shift)) * dy;
                    sums[i] += d;
                    products[i] = fma::<FMA>(d, x - a.mean, products[i]);
                }
            }
            (pairwise_sum(sums), pairwise_sum(products))
        })
    }
}

for_each_level! {
    /// `dx = scale * (d - mean(d) - (x - mean) * slope)` with `d` as in [`gradient_sums`]; `means` holds
    /// `mean(d)` and the slope, `mean(d (x - mean)) / (var + eps)`.
    pub(super) fn input_gradient(
        dx: &mut [f32],
        x: &[f32],
        dy: &[f32],
        a: Affine,
        means: [f32; 2],
        activation: Activation,
    ) {
        let [mean_d, slope] = means;
        specialise!(activation, F => for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            let d = F.derivative::<FMA>(fma::<FMA>(a.scale, x, a.shift)) * dy;
            *dx = a.scale * (d - mean_d - (x - a.mean) * slope);
        })
    }
}
