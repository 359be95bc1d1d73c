//! Loops over slices, compiled for every instruction set.

use super::for_each_level;

/// Numbers that a loop keeps in flight: four 512-bit registers.
const WIDE: usize = 64;
/// One 512-bit register.
const LANE: usize = 16;

#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn taps_block<const FMA: bool, const N: usize>(out: &mut [f32], source: &[f32], taps: &[(usize, f32)]) {
    let mut sum = [0f32; N];
    for &(offset, weight) in taps {
        let source: &[f32; N] = source[offset..offset + N].try_into().expect("N numbers");
        for (sum, &x) in sum.iter_mut().zip(source) {
            *sum = fma::<FMA>(weight, x, *sum);
        }
    }
    out.copy_from_slice(&sum);
}

for_each_level! {
    /// `out[i] = Σ weight * source[offset + i]` over the taps `(offset, weight)`.
    pub(crate) fn sum_of_taps(out: &mut [f32], source: &[f32], taps: &[(usize, f32)]) {
        let n = out.len();
        let (wide, lanes) = (n / WIDE * WIDE, n / LANE * LANE);
        for i in (0..wide).step_by(WIDE) {
            taps_block::<FMA, WIDE>(&mut out[i..i + WIDE], &source[i..], taps);
        }
        for i in (wide..lanes).step_by(LANE) {
            taps_block::<FMA, LANE>(&mut out[i..i + LANE], &source[i..], taps);
        }
        for i in lanes..n {
            out[i] = taps.iter().fold(0.0, |sum, &(o, w)| fma::<FMA>(w, source[o + i], sum));
        }
    }
}

for_each_level! {
    /// `out[i] += weight * x[i]`.
    pub(crate) fn add_scaled(out: &mut [f32], weight: f32, x: &[f32]) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = fma::<FMA>(weight, x, *out);
        }
    }
}

for_each_level! {
    /// `Σ a[i] * b[i]` in an order that depends on the length only.
    pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut sums = [0f32; WIDE];
        let (wide_a, wide_b) = (a.chunks_exact(WIDE), b.chunks_exact(WIDE));
        let mut rest = 0f32;
        for (&a, &b) in wide_a.remainder().iter().zip(wide_b.remainder()) {
            rest = fma::<FMA>(a, b, rest);
        }
        for (a, b) in wide_a.zip(wide_b) {
            for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
                *sum = fma::<FMA>(a, b, *sum);
            }
        }
        sums.iter().fold(rest, |sum, v| sum + v)
    }
}

for_each_level! {
    /// `(Σ (x - shift), Σ (x - shift)²)`.
    pub(crate) fn shifted_moments(x: &[f32], shift: f32) -> (f32, f32) {
        let (mut sums, mut squares) = ([0f32; WIDE], [0f32; WIDE]);
        let chunks = x.chunks_exact(WIDE);
        let (mut sum, mut square) = (0f32, 0f32);
        for &v in chunks.remainder() {
            let v = v - shift;
            sum += v;
            square = fma::<FMA>(v, v, square);
        }
        for chunk in chunks {
            for ((s, q), &v) in sums.iter_mut().zip(&mut squares).zip(chunk) {
                let v = v - shift;
                *s += v;
                *q = fma::<FMA>(v, v, *q);
            }
        }
        for (s, q) in sums.iter().zip(&squares) {
            sum += s;
            square += q;
        }
        (sum, square)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 37 + 11) % 64) as f32 / 8.0 - 4.0).collect()
    }

    #[test]
    fn every_level_agrees_with_the_portable_one() {
        // Numbers with few bits: every sum below is exact, so equality is the right test.
        for n in [0, 1, 15, 16, 17, 63, 64, 65, 200] {
            let (a, b) = (numbers(n + 9), numbers(n));
            let taps = [(0, 0.5), (3, -2.0), (9, 1.0)];
            let mut reference = vec![0f32; n];
            sum_of_taps(Level::Portable, &mut reference, &a, &taps);
            for level in Level::available() {
                let mut out = vec![0f32; n];
                sum_of_taps(level, &mut out, &a, &taps);
                assert_eq!(out, reference, "{level:?} {n}");
                assert_eq!(dot(level, &a[..n], &b), dot(Level::Portable, &a[..n], &b));
                assert_eq!(shifted_moments(level, &b, 0.5), shifted_moments(Level::Portable, &b, 0.5));
                let mut sum = b.clone();
                add_scaled(level, &mut sum, 2.0, &a);
                let expected: Vec<f32> = b.iter().zip(&a).map(|(b, a)| b + 2.0 * a).collect();
                assert_eq!(sum, expected);
            }
        }
    }
}
