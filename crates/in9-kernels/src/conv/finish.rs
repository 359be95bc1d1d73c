//! What follows the sums of a convolution: bias, residual, activation.

use crate::{
    Activation,
    activation::specialise,
    simd::{Level, for_each_level},
};
use std::mem::MaybeUninit;

/// `activation(sum + bias + residual)`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Finish<'a> {
    /// `[channels]`
    pub(super) bias: Option<&'a [f32]>,
    /// As long as the output.
    pub(super) residual: Option<&'a [f32]>,
    pub(super) activation: Activation,
}

/// Rows of numbers in two places: how many, how long, and how far apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) count: usize,
    pub(super) length: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl<'a> Finish<'a> {
    /// The same from this channel and this place of the output on.
    pub(super) fn at(self, channel: usize, place: usize) -> Self {
        let from = |start: usize| move |all: &'a [f32]| &all[start..];
        Self { bias: self.bias.map(from(channel)), residual: self.residual.map(from(place)), ..self }
    }

    /// Writes finished rows, one a channel.
    pub(super) fn write(self, level: Level, rows: Rows, from: &[f32], to: &mut [MaybeUninit<f32>]) {
        write(level, self, rows, from, to);
    }

    /// Finishes whole planes of `plane` numbers in place, the first of them being plane `first` of
    /// the output.
    pub(super) fn planes(self, level: Level, first: usize, plane: usize, y: &mut [f32]) {
        if self.bias.is_none() && self.residual.is_none() && self.activation == Activation::None {
            return;
        }
        let channels = self.bias.map_or(1, <[f32]>::len);
        for (i, y) in y.chunks_exact_mut(plane.max(1)).enumerate() {
            let bias = self.bias.map_or(NOTHING, |bias| bias[(first + i) % channels]);
            match self.residual {
                Some(residual) => {
                    let residual = &residual[(first + i) * plane..][..plane];
                    add_and_activate(level, y, bias, residual, self.activation);
                }
                None => self.activation.add_and_apply(y, bias),
            }
        }
    }
}

/// Added to any number, the number (zero would turn -0 into 0).
const NOTHING: f32 = -0.0;

for_each_level! {
    fn write(finish: Finish<'_>, rows: Rows, from: &[f32], to: &mut [MaybeUninit<f32>]) {
        specialise!(finish.activation, F => for r in 0..rows.count {
            let bias = match finish.bias {
                Some(bias) => bias[r],
                None => NOTHING,
            };
            let from = &from[r * rows.from..][..rows.length];
            let to = &mut to[r * rows.to..][..rows.length];
            match finish.residual {
                None => for (to, sum) in to.iter_mut().zip(from) {
                    to.write(F.value_with::<FMA>(sum + bias));
                },
                Some(residual) => {
                    let residual = &residual[r * rows.to..][..rows.length];
                    for ((to, sum), x) in to.iter_mut().zip(from).zip(residual) {
                        to.write(F.value_with::<FMA>(sum + bias + x));
                    }
                }
            }
        })
    }
}

for_each_level! {
    /// `y = f(y + bias + residual)`.
    fn add_and_activate(y: &mut [f32], bias: f32, residual: &[f32], activation: Activation) {
        specialise!(activation, F => for (y, x) in y.iter_mut().zip(residual) {
            *y = F.value_with::<FMA>(*y + bias + x);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_planes_are_finished_alike_at_every_level() {
        let (channels, plane) = (3, 37);
        let numbers = |seed: usize| -> Vec<f32> {
            (0..2 * channels * plane).map(|i| ((i * 7 + seed) % 16) as f32 / 4.0 - 2.0).collect()
        };
        let (sums, residual, bias) = (numbers(0), numbers(5), [0.5, -0.25, 1.0]);
        for activation in [Activation::None, Activation::Relu, Activation::HardSwish, Activation::Silu] {
            for residual in [None, Some(&residual[..])] {
                let finish = Finish { bias: Some(&bias), residual, activation };
                let expected: Vec<f32> = (0..sums.len())
                    .map(|i| {
                        let x = residual.map_or(0.0, |residual| residual[i]);
                        activation.value(sums[i] + bias[i / plane % channels] + x)
                    })
                    .collect();
                for level in Level::available() {
                    let mut planes = sums.clone();
                    let (first, second) = planes.split_at_mut(channels * plane);
                    finish.planes(level, 0, plane, first);
                    finish.planes(level, channels, plane, second);
                    // An exponential ends in another digit where multiply-adds are fused, so levels may differ
                    // there; ways of finishing may not.
                    for (found, expected) in planes.iter().zip(&expected) {
                        let tolerance = if activation == Activation::Silu { 1e-6 } else { 0.0 };
                        assert!((found - expected).abs() <= tolerance, "{level:?} {activation:?}");
                    }
                    // The last two channels of the second image, but for their first three numbers.
                    let start = (channels + 1) * plane + 3;
                    let mut to = vec![MaybeUninit::new(9f32); 2 * plane - 3];
                    let rows = Rows { count: 2, length: plane - 3, from: plane, to: plane };
                    finish.at(1, start).write(level, rows, &sums[start..], &mut to);
                    for (i, to) in to.into_iter().enumerate() {
                        let expected = if i / plane == 0 && i >= plane - 3 { 9.0 } else { planes[start + i] };
                        // SAFETY: every element was made from a number.
                        assert_eq!(unsafe { to.assume_init() }, expected, "{level:?} {i}");
                    }
                }
            }
        }
    }
}
