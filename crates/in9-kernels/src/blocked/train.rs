//! The layers of training on tensors in blocks, outside of Candle's graph.

use super::{
    backward_data, backward_weight,
    conv::{Filters, forward},
    lanes::BLOCK,
    layout::{self, dims, is_in_blocks, to_blocks, to_planes},
    norm::{self, Statistics},
    product::Finish,
    winograd, winograd_weight,
};
use crate::{
    Activation, BatchNormOutput, Conv2dConfig, Error, Result,
    conv::{checked_dims, geometry::Geometry},
    cpu,
    simd::Level,
};
use candle_core::Tensor;

/// [`crate::conv2d`] with a result in blocks, of an image in blocks or in planes. Not differentiable: its gradients are
/// those of [`crate::gradients::conv2d`].
///
/// The filters are packed for this one call, by the method that is the fastest for a batch of this size.
///
/// # Shapes
/// - `x`: `[batch, in, height, width]` or `[batch, in / 8, height, width, 8]`, f32 on the CPU
/// - `w`, `bias`: as for [`crate::conv2d`]
/// - result: `[batch, out / 8, oh, ow, 8]`, `out / 8` rounded up
///
/// # Errors
/// As for [`crate::conv2d`].
pub fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Tensor> {
    let g = geometry(x, w, bias, config)?;
    let in_blocks = is_in_blocks(x);
    let level = Level::current();
    let y = cpu::with_slices([Some(x), Some(w), bias], |[x, w, bias]| {
        let filters = Filters::for_one_call(level, w.unwrap_or_default(), &g, in_blocks)?;
        Some(forward(level, x.unwrap_or_default(), &filters, &g, Finish { bias, ..Finish::default() }))
    })?;
    match y {
        Some(y) => Ok(cpu::tensor(y, (g.n, g.co.div_ceil(BLOCK), g.oh, g.ow, BLOCK))?),
        None => to_blocks(&crate::conv2d(&to_planes(x)?.narrow(1, 0, g.ci)?, w, bias, config)?),
    }
}

fn geometry(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Geometry> {
    checked_dims(&layout::channels_of(x, w, config), w, bias, config)
}

/// The gradients of [`conv2d`], that of `x` as `x` is laid out.
pub(crate) fn conv2d_gradients(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    config: &Conv2dConfig,
    needs_x: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    let g = geometry(x, w, None, config)?;
    let shape = [g.n, g.co.div_ceil(BLOCK), g.oh, g.ow, BLOCK];
    if dy.dims() != shape {
        return Err(Error::shape("conv2d gradients", "dy", format!("{shape:?}"), dy.dims()));
    }
    let (level, in_blocks) = (Level::current(), is_in_blocks(x));
    let whole =
        g.co.is_multiple_of(BLOCK) && (!in_blocks || g.ci.is_multiple_of(BLOCK)) && dy.elem_count() > 0;
    let narrow = !in_blocks && g.groups == 1 && g.dx == 1 && (1..BLOCK).contains(&g.ci);
    let suits = in_blocks && backward_data::suits(&g);
    if !whole || !(suits || narrow) || (needs_x && !suits) {
        let x_planes = to_planes(x)?.narrow(1, 0, g.ci)?;
        let dy = to_planes(dy)?.narrow(1, 0, g.co)?;
        let (dx, dw) = crate::gradients::conv2d(&x_planes, w, &dy, config, needs_x)?;
        let dx = if in_blocks { dx.map(|dx| to_blocks(&dx)).transpose()? } else { dx };
        return Ok((dx, dw));
    }
    let (dx, dw) = cpu::with_slices([Some(x), Some(w), Some(dy)], |[x, w, dy]| {
        let [x, w, dy] = [x, w, dy].map(Option::unwrap_or_default);
        let dx = needs_x.then(|| backward_data::backward_data(level, w, dy, &g));
        let dw = if g.is_depthwise() {
            super::depthwise::backward_weight(level, x, dy, &g)
        } else if in_blocks && winograd::suits_once(&g) {
            winograd_weight::backward_weight(level, x, dy, &g)
        } else {
            backward_weight::backward_weight(level, x, in_blocks, dy, &g)
        };
        (dx, dw)
    })?;
    let dx = dx.map(|dx| cpu::tensor(dx, x.shape())).transpose()?;
    Ok((dx, cpu::tensor(dw, w.shape())?))
}

/// Batch, blocks and pixels of a tensor whose channels are those of the vectors.
fn sizes(op: &'static str, x: &Tensor, vectors: &[(&'static str, &Tensor)]) -> Result<[usize; 3]> {
    let [n, blocks, h, w] = dims(op, x)?;
    for (argument, vector) in vectors {
        if vector.dims() != [blocks * BLOCK] {
            return Err(Error::shape(op, argument, format!("[{}]", blocks * BLOCK), vector.dims()));
        }
    }
    if n * h * w == 0 {
        return Err(Error::shape(op, "x", "at least one element in each channel", x.dims()));
    }
    Ok([n, blocks, h * w])
}

/// See [`crate::batch_norm_train`].
pub(crate) fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<BatchNormOutput> {
    let sizes = sizes("batch_norm_train", x, &[("gamma", gamma), ("beta", beta)])?;
    let [n, blocks, pixels] = sizes;
    let (y, statistics) = cpu::with_slices([Some(x), Some(gamma), Some(beta)], |[x, gamma, beta]| {
        let [x, gamma, beta] = [x, gamma, beta].map(Option::unwrap_or_default);
        norm::forward(Level::current(), x, sizes, [gamma, beta], eps as f32, activation)
    })?;
    Ok(BatchNormOutput {
        y: cpu::tensor(y, x.shape())?,
        batch_mean: cpu::tensor(statistics.mean, blocks * BLOCK)?,
        batch_var: cpu::tensor(statistics.var, blocks * BLOCK)?,
        count: n * pixels,
    })
}

/// See [`crate::gradients::batch_norm_train`].
pub(crate) fn batch_norm_gradients(
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    output: &BatchNormOutput,
    eps: f64,
    activation: Activation,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    const OP: &str = "batch_norm_train gradients";
    if dy.dims() != x.dims() {
        return Err(Error::shape(OP, "dy", format!("{:?}", x.dims()), dy.dims()));
    }
    let vectors =
        [("gamma", gamma), ("beta", beta), ("mean", &output.batch_mean), ("var", &output.batch_var)];
    let sizes = sizes(OP, x, &vectors)?;
    let statistics = Statistics { mean: output.batch_mean.to_vec1()?, var: output.batch_var.to_vec1()? };
    let (dx, [dgamma, dbeta]) =
        cpu::with_slices([Some(x), Some(dy), Some(gamma), Some(beta)], |[x, dy, gamma, beta]| {
            let [x, dy, gamma, beta] = [x, dy, gamma, beta].map(Option::unwrap_or_default);
            let level = Level::current();
            norm::backward(level, [x, dy], sizes, [gamma, beta], &statistics, eps as f32, activation)
        })?;
    Ok([cpu::tensor(dx, x.shape())?, cpu::tensor(dgamma, gamma.shape())?, cpu::tensor(dbeta, beta.shape())?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::test_values::{tensor, values};
    use crate::gradients;
    use candle_core::{Device, Var};

    fn assert_close(found: &Tensor, expected: &Tensor, label: &str) {
        assert_eq!(found.dims(), expected.dims(), "{label}");
        let scale = values(expected).iter().fold(1f32, |most, v| most.max(v.abs()));
        for (i, (found, expected)) in values(found).iter().zip(values(expected)).enumerate() {
            assert!((found - expected).abs() <= 2e-5 * scale, "{label} {i}: {found} {expected}");
        }
    }

    /// `[in, out]` channels, kernel, stride, padding, groups, side, whether the image is in blocks.
    type Case = ([usize; 2], usize, usize, usize, usize, usize, bool);

    const CASES: [Case; 16] = [
        ([16, 24], 1, 1, 0, 1, 9, true),
        ([8, 40], 1, 2, 0, 1, 7, true),
        ([24, 16], 3, 2, 1, 1, 11, true),
        ([16, 32], 3, 2, 1, 1, 4, true),
        ([16, 16], 3, 1, 1, 1, 10, true),
        ([16, 24], 3, 1, 1, 1, 26, true),
        ([16, 48], 3, 1, 1, 1, 2, true),
        ([8, 8], 5, 2, 2, 1, 9, true),
        ([8, 8], 3, 3, 0, 1, 10, true),
        ([3, 16], 3, 2, 1, 1, 13, false),
        ([3, 8], 7, 2, 3, 1, 16, false),
        ([24, 24], 3, 1, 1, 24, 8, true),
        ([16, 16], 5, 2, 2, 16, 9, true),
        ([8, 8], 3, 2, 1, 8, 8, true),
        ([16, 16], 3, 1, 1, 4, 5, true),
        // Groups that never fill blocks.
        ([20, 20], 1, 1, 0, 2, 4, true),
    ];

    #[test]
    fn convolutions_and_their_gradients_are_those_of_planes() {
        for case @ ([ci, co], k, stride, pad, groups, side, in_blocks) in CASES {
            let label = format!("{case:?}");
            let config = Conv2dConfig::new(stride, pad).with_groups(groups);
            // Enough images for every part of the sums.
            let (x, w) = (tensor(&[11, ci, side, side], 1), tensor(&[co, ci / groups, k, k], 2));
            let y = crate::conv2d(&x, &w, None, &config).unwrap();
            let dy = tensor(y.dims(), 3);
            let from = if in_blocks { to_blocks(&x).unwrap() } else { x.clone() };
            let found = conv2d(&from, &w, None, &config).unwrap();
            assert_close(&to_planes(&found).unwrap().narrow(1, 0, co).unwrap(), &y, &label);
            let (dx, dw) = gradients::conv2d(&x, &w, &dy, &config, true).unwrap();
            let dy = to_blocks(&dy).unwrap();
            let (found, found_w) = gradients::conv2d(&from, &w, &dy, &config, in_blocks).unwrap();
            assert_close(&found_w, &dw, &label);
            if let Some(found) = found {
                assert_close(&to_planes(&found).unwrap().narrow(1, 0, ci).unwrap(), &dx.unwrap(), &label);
            }
        }
    }

    #[test]
    fn every_level_computes_the_same_gradients() {
        for case @ ([ci, co], k, stride, pad, groups, side, in_blocks) in CASES {
            let g = Geometry::new(
                &[5, ci, side, side],
                &[co, ci / groups, k, k],
                &Conv2dConfig::new(stride, pad).with_groups(groups),
            )
            .unwrap();
            if !in_blocks || !backward_data::suits(&g) {
                continue;
            }
            let x = values(&tensor(&[5 * ci * side * side], 1));
            let w = values(&tensor(&[co * ci / groups * k * k], 2));
            let dy = values(&tensor(&[5 * co * g.plane_out()], 3));
            let all = |level: Level| {
                let dw = if g.is_depthwise() {
                    crate::blocked::depthwise::backward_weight(level, &x, &dy, &g)
                } else if winograd::suits(&g) {
                    winograd_weight::backward_weight(level, &x, &dy, &g)
                } else {
                    backward_weight::backward_weight(level, &x, true, &dy, &g)
                };
                [backward_data::backward_data(level, &w, &dy, &g), dw]
            };
            let portable = all(Level::Portable);
            for level in Level::available() {
                for (found, expected) in all(level).iter().zip(&portable) {
                    let scale = expected.iter().fold(1f32, |most, v| most.max(v.abs()));
                    for (found, expected) in found.iter().zip(expected) {
                        assert!((found - expected).abs() <= 2e-5 * scale, "{level:?} {case:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_gradient() {
        for ([ci, co], k, stride, pad, groups, side, in_blocks) in CASES {
            let config = Conv2dConfig::new(stride, pad).with_groups(groups);
            let (x, w) = (tensor(&[9, ci, side, side], 1), tensor(&[co, ci / groups, k, k], 2));
            let x = if in_blocks { to_blocks(&x).unwrap() } else { x };
            let dy = tensor(conv2d(&x, &w, None, &config).unwrap().dims(), 3);
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let (dx, dw) = pool.install(|| gradients::conv2d(&x, &w, &dy, &config, in_blocks)).unwrap();
                (dx.map(|dx| values(&dx)), values(&dw))
            };
            assert_eq!(run(1), run(3));
        }
    }

    #[test]
    fn batch_norm_and_its_gradients_are_those_of_planes() {
        for (channels, side, activation) in [
            (8, 1, Activation::None),
            (16, 5, Activation::Relu),
            (24, 9, Activation::HardSwish),
            (8, 6, Activation::Silu),
        ] {
            let x = (tensor(&[3, channels, side, side + 1], 1) + 5.0).unwrap();
            let (gamma, beta) = (tensor(&[channels], 2), tensor(&[channels], 3));
            let dy = tensor(x.dims(), 4);
            let expected = crate::batch_norm_train(&x, &gamma, &beta, 1e-5, activation).unwrap();
            let blocks = to_blocks(&x).unwrap();
            let found = crate::batch_norm_train(&blocks, &gamma, &beta, 1e-5, activation).unwrap();
            assert_close(&to_planes(&found.y).unwrap(), &expected.y, "y");
            assert_close(&found.batch_mean, &expected.batch_mean, "mean");
            assert_close(&found.batch_var, &expected.batch_var, "var");
            assert_eq!(found.count, expected.count);
            let plain =
                gradients::batch_norm_train(&x, &gamma, &beta, &expected, 1e-5, activation, &dy).unwrap();
            let dy = to_blocks(&dy).unwrap();
            let found =
                gradients::batch_norm_train(&blocks, &gamma, &beta, &found, 1e-5, activation, &dy).unwrap();
            assert_close(&to_planes(&found[0]).unwrap(), &plain[0], "dx");
            assert_close(&found[1], &plain[1], "dgamma");
            assert_close(&found[2], &plain[2], "dbeta");
        }
    }

    #[test]
    fn pooling_and_gates_are_those_of_planes() {
        let x = tensor(&[2, 16, 9, 7], 1);
        let (blocks, gates) = (to_blocks(&x).unwrap(), tensor(&[2, 16], 2));
        let y = crate::max_pool2d(&x, [3; 2], [2; 2], [1; 4]).unwrap();
        let found = crate::max_pool2d(&blocks, [3; 2], [2; 2], [1; 4]).unwrap();
        assert_eq!(values(&to_planes(&found).unwrap()), values(&y));
        let dy = tensor(y.dims(), 3);
        let dx = gradients::max_pool2d(&x, [3; 2], [2; 2], [1; 4], &dy).unwrap();
        let found = gradients::max_pool2d(&blocks, [3; 2], [2; 2], [1; 4], &to_blocks(&dy).unwrap()).unwrap();
        assert_eq!(values(&to_planes(&found).unwrap()), values(&dx));

        assert_close(
            &crate::global_avg_pool(&blocks).unwrap(),
            &crate::global_avg_pool(&x).unwrap(),
            "global average",
        );
        let y = crate::scale_channels(&x, &gates).unwrap();
        assert_close(&to_planes(&crate::scale_channels(&blocks, &gates).unwrap()).unwrap(), &y, "scaled");
        let dy = tensor(x.dims(), 4);
        let dy_blocks = to_blocks(&dy).unwrap();
        let expected = gradients::gates(&x, &dy).unwrap();
        assert_close(&gradients::gates(&blocks, &dy_blocks).unwrap(), &expected, "gates");
        let dmeans = tensor(&[2, 16], 5);
        let expected = gradients::gated(&gates, &dmeans, &dy).unwrap();
        let found = gradients::gated(&gates, &dmeans, &dy_blocks).unwrap();
        assert_close(&to_planes(&found).unwrap(), &expected, "gated");
    }

    #[test]
    fn a_maximum_that_is_nan_keeps_its_gradient_and_stays() {
        let mut x = values(&tensor(&[1, 8, 4, 4], 1));
        x[5] = f32::NAN;
        let x = Var::from_vec(x, (1, 8, 4, 4), &Device::Cpu).unwrap().as_detached_tensor();
        let y = crate::max_pool2d(&to_blocks(&x).unwrap(), [2; 2], [2; 2], [0; 4]).unwrap();
        assert!(values(&to_planes(&y).unwrap())[0].is_nan());
        let dy = y.ones_like().unwrap();
        let dx = gradients::max_pool2d(&to_blocks(&x).unwrap(), [2; 2], [2; 2], [0; 4], &dy).unwrap();
        assert_eq!(values(&to_planes(&dx).unwrap())[5], 1.0);
    }

    /// Filters that are packed for one kind of layer are not used for another, whose groups or sizes differ.
    #[test]
    fn a_frozen_layer_of_other_groups_or_sizes_is_packed_anew() {
        let frozen = crate::FrozenConv2d::new(tensor(&[16, 8, 1, 1], 1), None);
        for (channels, groups) in [(8, 1), (16, 2), (8, 1)] {
            let (x, config) = (tensor(&[2, channels, 3, 4], 2), Conv2dConfig::new(1, 0).with_groups(groups));
            let expected = frozen.forward(&x, &config, None, Activation::Relu).unwrap();
            let found = frozen.forward(&to_blocks(&x).unwrap(), &config, None, Activation::Relu).unwrap();
            assert_close(&to_planes(&found).unwrap(), &expected, "groups");
        }
        let frozen = crate::FrozenConv2d::new(tensor(&[16, 16, 3, 3], 1), None);
        for side in [9, 2, 9] {
            let (x, config) = (tensor(&[1, 16, side, side], 2), Conv2dConfig::new(1, 1));
            let expected = frozen.forward(&x, &config, None, Activation::None).unwrap();
            let found = frozen.forward(&to_blocks(&x).unwrap(), &config, None, Activation::None).unwrap();
            assert_close(&to_planes(&found).unwrap(), &expected, "sizes");
        }
    }

    #[test]
    fn images_without_pixels_or_channels_are_padding_alone() {
        let w = tensor(&[8, 8, 3, 3], 1);
        let empty = Tensor::zeros((1, 8, 0, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let config = Conv2dConfig::new(1, 2);
        let y = conv2d(&to_blocks(&empty).unwrap(), &w, None, &config).unwrap();
        assert_eq!(values(&y), vec![0.0; 8 * 2 * 6]);
        let none = Tensor::zeros((1, 0, 4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let w = Tensor::zeros((8, 0, 1, 1), candle_core::DType::F32, &Device::Cpu).unwrap();
        let y = conv2d(&none, &w, None, &Conv2dConfig::new(1, 0)).unwrap();
        assert_eq!(values(&y), vec![0.0; 8 * 16]);
    }

    #[test]
    fn vectors_of_another_length_are_refused() {
        let x = to_blocks(&tensor(&[1, 16, 2, 2], 1)).unwrap();
        let short = tensor(&[12], 2);
        let error = crate::batch_norm_train(&x, &short, &short, 1e-5, Activation::None).unwrap_err();
        assert!(matches!(error, Error::Shape { argument: "gamma", .. }), "{error}");
        let w = tensor(&[8, 16, 1, 1], 3);
        let error = gradients::conv2d(&x, &w, &x, &Conv2dConfig::new(1, 0), true).unwrap_err();
        assert!(matches!(error, Error::Shape { argument: "dy", .. }), "{error}");
    }
}
