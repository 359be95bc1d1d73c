//! The softmax of rows, in place.

use crate::activation::exp;
use crate::simd::for_each_level;
use crate::simd::loops::pairwise_sum;

/// Partial results of a row.
const LANES: usize = 16;

for_each_level! {
    /// Each row of `x` becomes `exp(x + mask) / Σ exp(x + mask)` over its first `len` elements, of `stride`.
    ///
    /// Rows of `mask` have `len` elements. What is further than [`FURTHEST`] below the largest has no share.
    pub(super) fn softmax(x: &mut [f32], stride: usize, len: usize, mask: Option<&[f32]>) {
        for (row, x) in x.chunks_mut(stride).enumerate() {
            let x = &mut x[..len];
            if let Some(mask) = mask {
                for (x, mask) in x.iter_mut().zip(&mask[row * len..]) {
                    *x += mask;
                }
            }
            let largest = largest(x);
            let mut sums = [0f32; LANES];
            let (whole, rest) = x.as_chunks_mut::<LANES>();
            for chunk in whole {
                for (x, sum) in chunk.iter_mut().zip(&mut sums) {
                    *x = share::<FMA>(*x - largest);
                    *sum += *x;
                }
            }
            for (x, sum) in rest.iter_mut().zip(&mut sums) {
                *x = share::<FMA>(*x - largest);
                *sum += *x;
            }
            let scale = 1.0 / pairwise_sum(sums);
            for x in x {
                *x *= scale;
            }
        }
    }
}

/// So small a share would be a denormal number in products, which are slow.
const FURTHEST: f32 = 80.0;

#[inline(always)]
fn share<const FMA: bool>(below: f32) -> f32 {
    if below < -FURTHEST { 0.0 } else { exp::<FMA>(below) }
}

/// The largest element; NaN if any is.
#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    let greater = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
    let mut most = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (most, &x) in most.iter_mut().zip(chunk) {
            *most = greater(*most, x);
        }
    }
    for (most, &x) in most.iter_mut().zip(rest) {
        *most = greater(*most, x);
    }
    most.into_iter().fold(f32::NEG_INFINITY, greater)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn rows_are_the_definition_whatever_their_length_and_mask() {
        for level in Level::available() {
            for (len, masked) in [(1, false), (15, true), (16, false), (50, true), (197, true)] {
                let stride = len + 3;
                let mut x: Vec<f32> = (0..4 * stride).map(|i| ((i * 37) % 101) as f32 / 8.0 - 6.0).collect();
                let mask: Vec<f32> =
                    (0..4 * len).map(|i| if i % 3 == 1 { f32::NEG_INFINITY } else { 0.25 }).collect();
                let before = x.clone();
                softmax(level, &mut x, stride, len, masked.then_some(&mask[..]));
                for row in 0..4 {
                    let value = |i: usize| {
                        let added = if masked { mask[row * len + i] } else { 0.0 };
                        f64::from(before[row * stride + i] + added).exp()
                    };
                    let sum: f64 = (0..len).map(value).sum();
                    for i in 0..len {
                        let found = f64::from(x[row * stride + i]);
                        assert!((found - value(i) / sum).abs() < 3e-7, "{level:?} {len} {found}");
                    }
                    assert_eq!(x[row * stride + len..][..3], before[row * stride + len..][..3]);
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_number_is_seen() {
        for level in Level::available() {
            let mut x = vec![1f32; 40];
            x[21] = f32::NAN;
            softmax(level, &mut x, 40, 40, None);
            assert!(x.iter().all(|x| x.is_nan()), "{level:?}");
        }
    }
}
