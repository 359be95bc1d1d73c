//! Activation functions, with PyTorch's gradients where they have none.

use crate::{
    Result, cpu, output, portable,
    simd::{for_each_level, loops::fma},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// An activation function, applied to every element after a convolution, a normalisation or an addition.
///
/// Where a function has no derivative, the gradient is PyTorch's: 0 for ReLU at 0, for ReLU6 at 0 and
/// at 6, and for hard-sigmoid at ±3. (In Candle 0.11 the gradient of `relu` at 0 is 1 and that of `clamp`
/// is ½ at both bounds.) NaN stays NaN.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use in9_kernels::Activation;
///
/// let x = Tensor::new(&[-1f32, 2.0, 9.0], &Device::Cpu)?;
/// assert_eq!(Activation::Relu6.apply(&x)?.to_vec1::<f32>()?, [0.0, 2.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * relu6(x + 3) / 6`.
    HardSwish,
    /// `x * sigmoid(x)`.
    Silu,
    /// `relu6(x + 3) / 6`: the gate of squeeze-and-excitation in MobileNetV3.
    HardSigmoid,
    /// `1 / (1 + exp(-x))`: the gate of squeeze-and-excitation in EfficientNet.
    Sigmoid,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Relu, Self::Relu6, Self::HardSwish, Self::Silu, Self::HardSigmoid, Self::Sigmoid];

    /// Applies the function to every element of `x`, a tensor of any shape. Differentiable.
    ///
    /// # Errors
    /// [`Error::Candle`](crate::Error::Candle) for what Candle reports: memory, devices, integer types.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        if self == Self::None {
            return Ok(x.clone());
        }
        if cpu::supported(&[x]) {
            return Ok(x.contiguous()?.apply_op1(Elementwise(self))?);
        }
        #[cfg(feature = "cuda")]
        if let Some(gpu) = crate::gpu::takes(&[x]) {
            return crate::gpu::activation(&gpu, x, self);
        }
        portable::activation(x, self)
    }

    /// `f(x)`.
    #[cfg(test)]
    pub(crate) fn value(self, x: f32) -> f32 {
        self.value_with::<false>(x)
    }

    /// `f(x)`; `FMA` says whether a fused multiply-add is one instruction.
    #[inline(always)]
    pub(crate) fn value_with<const FMA: bool>(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            // Unlike `x.max(0.0)` this keeps NaN, so that a training that diverged shows it in its loss.
            Self::Relu => {
                if x <= 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0),
            Self::Silu => x / (1.0 + exp::<FMA>(-x)),
            Self::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0),
            Self::Sigmoid => sigmoid::<FMA>(x),
        }
    }

    /// `f'(x)`.
    #[inline(always)]
    pub(crate) fn derivative<const FMA: bool>(self, x: f32) -> f32 {
        let within = |low: f32, high: f32| if x > low && x < high { 1.0 } else { 0.0 };
        match self {
            Self::None => 1.0,
            Self::Relu => within(0.0, f32::INFINITY),
            Self::Relu6 => within(0.0, 6.0),
            Self::HardSwish if x <= -3.0 => 0.0,
            Self::HardSwish if x < 3.0 => x * (1.0 / 3.0) + 0.5,
            Self::HardSwish => 1.0,
            Self::Silu => {
                let s = sigmoid::<FMA>(x);
                s * (1.0 + x * (1.0 - s))
            }
            Self::HardSigmoid => within(-3.0, 3.0) * (1.0 / 6.0),
            Self::Sigmoid => {
                let s = sigmoid::<FMA>(x);
                s * (1.0 - s)
            }
        }
    }

    /// `y = f(y + bias)` in place, on the calling thread.
    pub(crate) fn add_bias_and_apply(self, y: &mut [f32], bias: f32) {
        if self != Self::None || bias != 0.0 {
            add_bias_and_apply(crate::simd::Level::current(), y, bias, self);
        }
    }
}

#[inline(always)]
fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<FMA>(-x))
}

/// `eˣ` to one unit in the last place, by operations that a compiler can vectorise.
///
/// `x` is clamped to ±87. A sigmoid in f32 is the same for the clamped value.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Adding and subtracting 1.5 * 2²³ rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // (eʳ - 1 - r) / r² for |r| ≤ ln 2 / 2; fitted for the least relative error of eʳ, 3.1e-9.
    const SERIES: [f32; 5] = [1.381_453_9e-3, 8.368_745e-3, 4.166_839e-2, 0.166_665_21, 0.499_999_94];
    let x = x.clamp(-87.0, 87.0);
    let shifted = fma::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let power = shifted - ROUND;
    let r = fma::<FMA>(power, -LN_2_HIGH, x);
    let r = fma::<FMA>(power, -LN_2_LOW, r);
    let mut series = SERIES[0];
    for &term in &SERIES[1..] {
        series = fma::<FMA>(series, r, term);
    }
    let series = fma::<FMA>(fma::<FMA>(series, r, 1.0), r, 1.0);
    // The lowest bits of `shifted` hold the whole number. The shift moves them into the exponent and
    // pushes the bits of `ROUND` out.
    let power_of_two = (shifted.to_bits() << 23).wrapping_add(1f32.to_bits());
    series * f32::from_bits(power_of_two)
}

/// Evaluates `$run` with the activation bound to a constant, so that each activation gets its own loop.
macro_rules! specialise {
    ($activation:expr, $a:ident => $run:expr) => {
        match $activation {
            $crate::Activation::None => {
                const $a: $crate::Activation = $crate::Activation::None;
                $run
            }
            $crate::Activation::Relu => {
                const $a: $crate::Activation = $crate::Activation::Relu;
                $run
            }
            $crate::Activation::Relu6 => {
                const $a: $crate::Activation = $crate::Activation::Relu6;
                $run
            }
            $crate::Activation::HardSwish => {
                const $a: $crate::Activation = $crate::Activation::HardSwish;
                $run
            }
            $crate::Activation::Silu => {
                const $a: $crate::Activation = $crate::Activation::Silu;
                $run
            }
            $crate::Activation::HardSigmoid => {
                const $a: $crate::Activation = $crate::Activation::HardSigmoid;
                $run
            }
            $crate::Activation::Sigmoid => {
                const $a: $crate::Activation = $crate::Activation::Sigmoid;
                $run
            }
        }
    };
}
pub(crate) use specialise;

/// `y = f(y)`, [`UNROLL`] elements at a time; the last few are padded to a whole group.
///
/// Planes of 7×7 = 49 elements are frequent. In a loop unrolled by the compiler most of these would be
/// computed one by one, in the remainder.
#[inline(always)]
fn update(y: &mut [f32], f: impl Fn(f32) -> f32) {
    let each = |y: &mut [f32]| y.iter_mut().for_each(|y| *y = f(*y));
    let (whole, rest) = y.as_chunks_mut::<UNROLL>();
    each(whole.as_flattened_mut());
    if !rest.is_empty() {
        let mut y = [0f32; UNROLL];
        y[..rest.len()].copy_from_slice(rest);
        each(&mut y);
        rest.copy_from_slice(&y[..rest.len()]);
    }
}

/// Elements that the unrolled loop handles at a time.
const UNROLL: usize = 64;

for_each_level! {
    /// `y = f(y + bias)`.
    fn add_bias_and_apply(y: &mut [f32], bias: f32, activation: Activation) {
        specialise!(activation, F => update(y, |y| F.value_with::<FMA>(y + bias)))
    }
}

for_each_level! {
    /// `y = f(x)`.
    fn apply(y: &mut [f32], x: &[f32], activation: Activation) {
        specialise!(activation, F => for (y, &x) in y.iter_mut().zip(x) {
            *y = F.value_with::<FMA>(x);
        })
    }
}

for_each_level! {
    /// `dx = f'(x) dy`.
    fn apply_derivative(dx: &mut [f32], x: &[f32], dy: &[f32], activation: Activation) {
        specialise!(activation, F => for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            *dx = F.derivative::<FMA>(x) * dy;
        })
    }
}

/// Elements of one parallel task.
pub(crate) const CHUNK: usize = 1 << 16;

struct Elementwise(Activation);

impl CustomOp1 for Elementwise {
    fn name(&self) -> &'static str {
        "in9-activation"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (x, level) = (cpu::slice(x, layout)?, crate::simd::Level::current());
        let y = output::chunks(x.len(), CHUNK, |i, y| {
            apply(level, y, &x[i * CHUNK..][..y.len()], self.0);
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let level = crate::simd::Level::current();
        let dx = cpu::with_slice(x, |x| {
            cpu::with_slice(dy, |dy| {
                output::chunks(x.len(), CHUNK, |i, dx| {
                    let (from, to) = (i * CHUNK, i * CHUNK + dx.len());
                    apply_derivative(level, dx, &x[from..to], &dy[from..to], self.0);
                })
            })
        })??;
        Ok(Some(cpu::tensor(dx, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn nan_stays_nan() {
        let x = Tensor::new(&[f32::NAN, -1.0, 0.0, 2.0], &Device::Cpu).unwrap();
        for activation in Activation::ALL {
            assert!(activation.value(f32::NAN).is_nan(), "{activation:?}");
            let fused = activation.apply(&x).unwrap().to_vec1::<f32>().unwrap();
            let portable = portable::activation(&x, activation).unwrap().to_vec1::<f32>().unwrap();
            assert!(fused[0].is_nan() && portable[0].is_nan(), "{activation:?}: {fused:?} {portable:?}");
        }
        assert_eq!(Activation::Relu.value(-0.0).to_bits(), 0);
    }

    #[test]
    fn the_exponential_is_accurate() {
        for i in -87_000..=87_000 {
            let x = i as f32 / 1000.0;
            let truth = f64::from(x).exp();
            for found in [exp::<false>(x), exp::<true>(x)] {
                assert!((f64::from(found) / truth - 1.0).abs() < 1.2e-7, "{x}: {found} {truth}");
            }
        }
        assert_eq!(sigmoid::<false>(f32::NEG_INFINITY), 1.0 / (1.0 + exp::<false>(87.0)));
        assert_eq!(sigmoid::<false>(f32::INFINITY), 1.0);
        assert!(sigmoid::<false>(f32::NAN).is_nan());
    }

    #[test]
    fn rows_of_any_length_are_activated_at_every_level() {
        let values: Vec<f32> = (0..70).map(|i| i as f32 / 8.0 - 4.0).collect();
        for activation in [Activation::Relu6, Activation::HardSwish, Activation::Silu, Activation::Sigmoid] {
            for n in [0, 1, 15, 16, 17, 32, 49, 64, 70] {
                for level in crate::simd::Level::available() {
                    let mut y = values.clone();
                    add_bias_and_apply(level, &mut y[..n], 0.5, activation);
                    for (i, (&y, &x)) in y.iter().zip(&values).enumerate() {
                        let expected = if i < n { activation.value(x + 0.5) } else { x };
                        assert!(
                            (y - expected).abs() <= 1e-6 * expected.abs(),
                            "{level:?} {activation:?} {n} {i}"
                        );
                    }
                }
            }
        }
    }
}
