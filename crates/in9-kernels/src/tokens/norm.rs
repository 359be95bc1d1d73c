//! Layer normalisation.

use candle_core::Tensor;

use crate::simd::loops::{fma, pairwise_sum};
use crate::simd::{Level, for_each_level};
use crate::{Error, Result, cpu, output};

/// Partial sums of a row.
const LANES: usize = 16;

/// `(x − mean) / sqrt(variance + ε) · weight + bias` over the last axis, with the variance over `width`, not `width − 1`.
///
/// # Shapes
/// - `x`, result: `[…, width]`
/// - `weight`, `bias`: `[width]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit; [`Error::Candle`] for tensors that are not f32 on the CPU.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f32) -> Result<Tensor> {
    const OP: &str = "layer norm";
    let width = x.dims().last().copied().unwrap_or(0);
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
        if width == 0 || tensor.dims() != [width] {
            return Err(Error::shape(OP, name, format!("[{width}]"), tensor.dims()));
        }
    }
    let level = Level::current();
    let y = cpu::with_slices([Some(x), Some(weight), Some(bias)], |slices| {
        let [x, weight, bias] = slices.map(Option::unwrap_or_default);
        let chunk = width * (crate::activation::CHUNK / width).max(1);
        output::chunks(x.len(), chunk, |i, y| {
            normalise(level, &x[i * chunk..][..y.len()], weight, bias, epsilon, y)
        })
    })?;
    Ok(cpu::tensor(y, x.shape())?)
}

for_each_level! {
    /// Rows of as many elements as `weight` has.
    fn normalise(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, y: &mut [f32]) {
        let width = weight.len();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let mean = sum::<FMA, false>(x, 0.0) / width as f32;
            let variance = sum::<FMA, true>(x, mean) / width as f32;
            let scale = 1.0 / (variance + epsilon).sqrt();
            for (((y, &x), &weight), &bias) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                *y = fma::<FMA>((x - mean) * scale, weight, bias);
            }
        }
    }
}

/// The sum of `x`, or of the squares of what `x` is off `from`.
#[inline(always)]
fn sum<const FMA: bool, const SQUARES: bool>(x: &[f32], from: f32) -> f32 {
    let mut sums = [0f32; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum = added::<FMA, SQUARES>(*sum, x, from);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum = added::<FMA, SQUARES>(*sum, x, from);
    }
    pairwise_sum(sums)
}

#[inline(always)]
fn added<const FMA: bool, const SQUARES: bool>(sum: f32, x: f32, from: f32) -> f32 {
    if SQUARES { fma::<FMA>(x - from, x - from, sum) } else { sum + x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn rows_are_the_definition_at_every_level() {
        for width in [1, 7, 16, 40, 384] {
            let values = |len: usize, step: usize| -> Vec<f32> {
                (0..len).map(|i| ((i * step) % 23) as f32 / 4.0 + 100.0).collect()
            };
            let (x, weight, bias) = (values(3 * width, 7), values(width, 5), values(width, 3));
            for level in Level::available() {
                let mut y = vec![0f32; x.len()];
                normalise(level, &x, &weight, &bias, 1e-5, &mut y);
                for (x, y) in x.chunks(width).zip(y.chunks(width)) {
                    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / width as f64;
                    let variance =
                        x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / width as f64;
                    for i in 0..width {
                        let expected = (f64::from(x[i]) - mean) / (variance + 1e-5).sqrt()
                            * f64::from(weight[i])
                            + f64::from(bias[i]);
                        assert!(
                            (f64::from(y[i]) - expected).abs() < 1e-3,
                            "{level:?} {width}: {} {expected}",
                            y[i]
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let tensor = |len: usize| Tensor::ones(len, candle_core::DType::F32, &Device::Cpu).unwrap();
        let error = layer_norm(&tensor(8), &tensor(8), &tensor(4), 1e-5).err().unwrap();
        assert!(matches!(error, Error::Shape { .. }), "{error}");
        assert!(layer_norm(&tensor(0), &tensor(0), &tensor(0), 1e-5).is_err());
    }
}
