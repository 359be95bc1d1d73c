//! Depthwise convolution: every channel has one filter of its own.

mod channel_blocked;
mod phases;

use super::geometry::Geometry;
use crate::{
    Activation,
    activation::specialise,
    output,
    simd::{Level, for_each_level},
};
pub(super) use phases::{backward_data, backward_weight};

/// `activation(conv(x, w) + bias)`, `[n, channels, oh, ow]`.
pub(super) fn forward(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
) -> Vec<f32> {
    let level = Level::current();
    if is_scale(g) {
        return scaled(level, x, w, bias, g, activation);
    }
    if channel_blocked::suits(g) {
        return channel_blocked::forward(level, x, w, bias, g, activation);
    }
    phases::forward(level, x, w, bias, g, activation)
}

/// Whether the kernel is 1×1, so that the layer scales every channel, as a batch norm at inference does.
fn is_scale(g: &Geometry) -> bool {
    [g.kh, g.kw, g.sy, g.sx] == [1; 4] && [g.top, g.bottom, g.left, g.right] == [0; 4]
}

/// About how many elements one parallel task handles.
const TASK: usize = 1 << 14;

fn scaled(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
) -> Vec<f32> {
    let plane = g.plane_in();
    let planes = (TASK / plane).max(1);
    output::chunks(x.len(), planes * plane, |task, ys| {
        let first = task * planes;
        for (i, y) in ys.chunks_exact_mut(plane).enumerate() {
            let c = (first + i) % g.ci;
            let affine = [w[c], bias.map_or(0.0, |bias| bias[c])];
            scale_and_shift(level, y, &x[(first + i) * plane..][..plane], affine, activation);
        }
    })
}

for_each_level! {
    /// `y = f(scale * x + shift)`. The product is rounded before the sum, as in the other methods.
    fn scale_and_shift(y: &mut [f32], x: &[f32], affine: [f32; 2], activation: Activation) {
        let [scale, shift] = affine;
        specialise!(activation, F => for (y, &x) in y.iter_mut().zip(x) {
            *y = F.value_with::<FMA>(scale * x + shift);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conv2dConfig;

    /// Each of the three methods, at every level, against the definition.
    #[test]
    fn every_method_computes_the_definition() {
        // Small integers: every sum is exact.
        for (channels, [h, w], k, stride, pad) in [
            (20, [7, 7], 3, 1, 1),
            (16, [7, 9], 5, 1, 2),
            (33, [8, 6], 3, 2, 1),
            (17, [15, 14], 5, 2, 2),
            (16, [1, 1], 5, 1, 2),
            (18, [70, 61], 3, 1, 1),
            (9, [6, 7], 1, 1, 0),
        ] {
            let config = Conv2dConfig::new(stride, pad).with_groups(channels);
            let g = Geometry::new(&[2, channels, h, w], &[channels, 1, k, k], &config).unwrap();
            let x: Vec<f32> = (0..2 * channels * h * w).map(|i| (i % 7) as f32 - 3.0).collect();
            let filters: Vec<f32> = (0..channels * k * k).map(|i| (i % 5) as f32 - 2.0).collect();
            let bias: Vec<f32> = (0..channels).map(|c| c as f32 / 2.0 - 3.0).collect();
            let expected: Vec<f32> = (0..2 * channels * g.plane_out())
                .map(|i| {
                    let (at, y, x0) = (i / g.plane_out(), i % g.plane_out() / g.ow, i % g.ow);
                    let mut sum = bias[at % channels];
                    for tap in 0..k * k {
                        let (py, px) = (y * stride + tap / k, x0 * stride + tap % k);
                        if (pad..h + pad).contains(&py) && (pad..w + pad).contains(&px) {
                            let pixel = x[at * h * w + (py - pad) * w + px - pad];
                            sum += filters[at % channels * k * k + tap] * pixel;
                        }
                    }
                    sum.max(0.0)
                })
                .collect();
            for level in Level::available() {
                let label = format!("{level:?} {channels} {h}x{w} {k} {stride}");
                let relu = Activation::Relu;
                let by_phases = phases::forward(level, &x, &filters, Some(&bias), &g, relu);
                assert_eq!(by_phases, expected, "{label}");
                if k > 1 {
                    let by_channels = channel_blocked::forward(level, &x, &filters, Some(&bias), &g, relu);
                    assert_eq!(by_channels, expected, "{label}");
                } else {
                    assert_eq!(scaled(level, &x, &filters, Some(&bias), &g, relu), expected, "{label}");
                }
            }
        }
    }
}
