//! The epilogue of a convolution: bias, residual and activation, applied to sums that are still in cache.

use crate::{
    Activation,
    activation::specialise,
    simd::{Level, for_each_level},
};
use std::mem::MaybeUninit;

/// `activation(sum + bias + residual)`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Epilogue<'a> {
    /// `[channels]`, from the first channel that is written on.
    pub(super) bias: Option<&'a [f32]>,
    /// From the first element that is written on, laid out as the output.
    pub(super) residual: Option<&'a [f32]>,
    pub(super) activation: Activation,
}

/// Rows to be copied from one matrix to another, one row a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) count: usize,
    pub(super) length: usize,
    /// Elements from one row of the source to the next.
    pub(super) source_stride: usize,
    /// Elements from one row of the target to the next.
    pub(super) target_stride: usize,
}

impl<'a> Epilogue<'a> {
    /// The epilogue of the part of the output that starts with this channel, at this offset.
    pub(super) fn at(self, channel: usize, offset: usize) -> Self {
        let from = |start: usize| move |all: &'a [f32]| &all[start..];
        Self { bias: self.bias.map(from(channel)), residual: self.residual.map(from(offset)), ..self }
    }

    /// Applies the epilogue to the rows of `sums` and writes them to `y`.
    pub(super) fn write_rows(self, level: Level, rows: Rows, sums: &[f32], y: &mut [MaybeUninit<f32>]) {
        write_rows(level, self, rows, sums, y);
    }

    /// Applies the epilogue in place to whole planes of `plane` elements. The first of them is plane
    /// `first` of the output, counted over images and channels.
    pub(super) fn apply_in_place(self, level: Level, first: usize, plane: usize, y: &mut [f32]) {
        if self.bias.is_none() && self.residual.is_none() && self.activation == Activation::None {
            return;
        }
        let channels = self.bias.map_or(1, <[f32]>::len);
        for (i, y) in y.chunks_exact_mut(plane.max(1)).enumerate() {
            let bias = self.bias.map_or(NO_BIAS, |bias| bias[(first + i) % channels]);
            match self.residual {
                Some(residual) => {
                    let residual = &residual[(first + i) * plane..][..plane];
                    add_residual(level, y, bias, residual, self.activation);
                }
                None => self.activation.add_bias_and_apply(y, bias),
            }
        }
    }
}

/// The neutral element of addition: `-0.0 + x` is `x` for every `x`, while `0.0 + -0.0` is `0.0`.
const NO_BIAS: f32 = -0.0;

for_each_level! {
    fn write_rows(epilogue: Epilogue<'_>, rows: Rows, sums: &[f32], y: &mut [MaybeUninit<f32>]) {
        specialise!(epilogue.activation, F => for r in 0..rows.count {
            let bias = match epilogue.bias {
                Some(bias) => bias[r],
                None => NO_BIAS,
            };
            let sums = &sums[r * rows.source_stride..][..rows.length];
            let y = &mut y[r * rows.target_stride..][..rows.length];
            match epilogue.residual {
                None => for (y, sum) in y.iter_mut().zip(sums) {
                    y.write(F.value_with::<FMA>(sum + bias));
                },
                Some(residual) => {
                    let residual = &residual[r * rows.target_stride..][..rows.length];
                    for ((y, sum), x) in y.iter_mut().zip(sums).zip(residual) {
                        y.write(F.value_with::<FMA>(sum + bias + x));
                    }
                }
            }
        })
    }
}

for_each_level! {
    /// `y = f(y + bias + residual)`.
    fn add_residual(y: &mut [f32], bias: f32, residual: &[f32], activation: Activation) {
        specialise!(activation, F => for (y, x) in y.iter_mut().zip(residual) {
            *y = F.value_with::<FMA>(*y + bias + x);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_planes_get_the_same_epilogue_at_every_level() {
        let (channels, plane) = (3, 37);
        let values = |seed: usize| -> Vec<f32> {
            (0..2 * channels * plane).map(|i| ((i * 7 + seed) % 16) as f32 / 4.0 - 2.0).collect()
        };
        let (sums, residual, bias) = (values(0), values(5), [0.5, -0.25, 1.0]);
        for activation in [Activation::None, Activation::Relu, Activation::HardSwish, Activation::Silu] {
            for residual in [None, Some(&residual[..])] {
                let epilogue = Epilogue { bias: Some(&bias), residual, activation };
                let expected: Vec<f32> = (0..sums.len())
                    .map(|i| {
                        let x = residual.map_or(0.0, |residual| residual[i]);
                        activation.value(sums[i] + bias[i / plane % channels] + x)
                    })
                    .collect();
                for level in Level::available() {
                    let mut planes = sums.clone();
                    let (first, second) = planes.split_at_mut(channels * plane);
                    epilogue.apply_in_place(level, 0, plane, first);
                    epilogue.apply_in_place(level, channels, plane, second);
                    // Fused multiply-adds change the last digit of an exponential, so the levels may differ.
                    // The two ways to apply an epilogue may not.
                    for (found, expected) in planes.iter().zip(&expected) {
                        let tolerance = if activation == Activation::Silu { 1e-6 } else { 0.0 };
                        assert!((found - expected).abs() <= tolerance, "{level:?} {activation:?}");
                    }
                    // The last two channels of the second image, without the first three elements of each.
                    let start = (channels + 1) * plane + 3;
                    let mut y = vec![MaybeUninit::new(9f32); 2 * plane - 3];
                    let rows =
                        Rows { count: 2, length: plane - 3, source_stride: plane, target_stride: plane };
                    epilogue.at(1, start).write_rows(level, rows, &sums[start..], &mut y);
                    for (i, y) in y.into_iter().enumerate() {
                        let expected = if i / plane == 0 && i >= plane - 3 { 9.0 } else { planes[start + i] };
                        // SAFETY: every element was initialised to 9.
                        assert_eq!(unsafe { y.assume_init() }, expected, "{level:?} {i}");
                    }
                }
            }
        }
    }
}
