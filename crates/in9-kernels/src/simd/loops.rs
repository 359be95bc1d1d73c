//! Loops over slices that several layers share, compiled for every instruction set.

use super::for_each_level;
use crate::{Activation, activation::specialise};

/// Elements that a loop handles at a time: four 512-bit registers, so that operations need not wait for each
/// other.
const WIDE: usize = 64;
/// Elements of a 512-bit register.
const LANE: usize = 16;

/// `a * b + c`, fused if `FMA` says that the processor has an instruction for it.
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `N` elements of [`sum_of_taps`].
#[inline(always)]
fn taps_block<const FMA: bool, const N: usize>(
    out: &mut [f32],
    source: &[f32],
    offsets: &[usize],
    weights: &[f32],
    bias: f32,
    activation: Activation,
) {
    let mut sum = [0f32; N];
    for (&offset, &weight) in offsets.iter().zip(weights) {
        let source = &source[offset..offset + N];
        for i in 0..N {
            sum[i] = fma::<FMA>(weight, source[i], sum[i]);
        }
    }
    specialise!(activation, F => for i in 0..N {
        sum[i] = F.value_with::<FMA>(sum[i] + bias);
    });
    out.copy_from_slice(&sum);
}

for_each_level! {
    /// `out[i] = activation(bias + Σ weight * source[offset + i])` over the taps.
    pub(crate) fn sum_of_taps(
        out: &mut [f32],
        source: &[f32],
        offsets: &[usize],
        weights: &[f32],
        bias: f32,
        activation: Activation,
    ) {
        let n = out.len();
        let (wide, lanes) = (n / WIDE * WIDE, n / LANE * LANE);
        for i in (0..wide).step_by(WIDE) {
            taps_block::<FMA, WIDE>(&mut out[i..i + WIDE], &source[i..], offsets, weights, bias, activation);
        }
        for i in (wide..lanes).step_by(LANE) {
            taps_block::<FMA, LANE>(&mut out[i..i + LANE], &source[i..], offsets, weights, bias, activation);
        }
        for i in lanes..n {
            let mut sum = 0.0;
            for (&offset, &weight) in offsets.iter().zip(weights) {
                sum = fma::<FMA>(weight, source[offset + i], sum);
            }
            out[i] = activation.value_with::<FMA>(sum + bias);
        }
    }
}

/// The sum of an array whose length is a power of two, added up pairwise, which keeps the rounding error
/// small.
#[inline(always)]
pub(crate) fn pairwise_sum<const N: usize>(mut sums: [f32; N]) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

for_each_level! {
    /// `(Σ (x - shift), Σ (x - shift)²)`.
    pub(crate) fn shifted_moments(x: &[f32], shift: f32) -> (f32, f32) {
        let (mut sums, mut squares) = ([0f32; WIDE], [0f32; WIDE]);
        let chunks = x.chunks_exact(WIDE);
        for chunk in chunks.remainder().chunks(LANE) {
            for ((s, q), &v) in sums.iter_mut().zip(&mut squares).zip(chunk) {
                let v = v - shift;
                *s += v;
                *q = fma::<FMA>(v, v, *q);
            }
        }
        for chunk in chunks {
            for i in 0..WIDE {
                let v = chunk[i] - shift;
                sums[i] += v;
                squares[i] = fma::<FMA>(v, v, squares[i]);
            }
        }
        (pairwise_sum(sums), pairwise_sum(squares))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    fn values(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + 11) % 64) as f32 / 8.0 - 4.0).collect()
    }

    #[test]
    fn every_level_agrees_with_the_portable_one() {
        // Values of few bits: every sum below is exact, so the results must be equal.
        for n in [0, 1, 15, 16, 17, 63, 64, 65, 200] {
            let (a, b) = (values(n + 9), values(n));
            let offsets = [0, 3, 9];
            let weights = [0.5, -2.0, 1.0];
            let mut reference = vec![0f32; n];
            let relu = Activation::Relu;
            sum_of_taps(Level::Portable, &mut reference, &a, &offsets, &weights, 0.5, relu);
            for level in Level::available() {
                let mut out = vec![0f32; n];
                sum_of_taps(level, &mut out, &a, &offsets, &weights, 0.5, relu);
                assert_eq!(out, reference, "{level:?} {n}");
                let (sum, square) = shifted_moments(level, &b, 0.5);
                assert_eq!(sum, b.iter().map(|v| v - 0.5).sum::<f32>());
                assert_eq!(square, b.iter().map(|v| (v - 0.5) * (v - 0.5)).sum::<f32>());
            }
        }
    }
}
