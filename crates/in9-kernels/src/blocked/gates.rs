//! Channels times their gates, in blocks, and the gradients.

use super::{lanes::BLOCK, layout::dims};
use crate::{
    Error, Result, cpu, output,
    simd::{Level, for_each_level, loops::fma},
};
use candle_core::Tensor;

/// Runs `f` on each plane of `x`, with its index, and the same plane of the result.
fn each_plane(x: &Tensor, f: impl Fn(usize, &[f32], &mut [f32]) + Sync) -> Result<Tensor> {
    let [_, _, h, w] = dims("scale_channels", x)?;
    let plane = (h * w * BLOCK).max(1);
    let planes = ((1 << 14) / plane).max(1);
    let y = cpu::with_slice(x, |x| {
        output::chunks(x.len(), planes * plane, |task, y| {
            let x = &x[task * planes * plane..][..y.len()];
            for (i, (x, y)) in x.chunks_exact(plane).zip(y.chunks_exact_mut(plane)).enumerate() {
                f(task * planes + i, x, y);
            }
        })
    })?;
    Ok(cpu::tensor(y, x.shape())?)
}

/// `y = x * gates + shifts`, each of `[batch, channels]`.
fn scale_and_shift(x: &Tensor, gates: &Tensor, shifts: Option<(&Tensor, f32)>) -> Result<Tensor> {
    let [n, blocks, ..] = dims("scale_channels", x)?;
    for (argument, vector) in [("gates", Some(gates)), ("dmeans", shifts.map(|(shifts, _)| shifts))] {
        let Some(vector) = vector else { continue };
        if vector.dims() != [n, blocks * BLOCK] {
            return Err(Error::shape(
                "scale_channels",
                argument,
                format!("[{n}, {}]", blocks * BLOCK),
                vector.dims(),
            ));
        }
    }
    let level = Level::current();
    let gates: Vec<f32> = gates.flatten_all()?.to_vec1()?;
    let shifts: Vec<f32> = match shifts {
        Some((shifts, factor)) => {
            shifts.flatten_all()?.to_vec1::<f32>()?.iter().map(|v| v * factor).collect()
        }
        None => vec![0.0; gates.len()],
    };
    each_plane(x, |plane, x, y| {
        let of = |all: &[f32]| std::array::from_fn(|lane| all[plane * BLOCK + lane]);
        plane_scale_and_shift(level, x, y, of(&gates), of(&shifts));
    })
}

for_each_level! {
    fn plane_scale_and_shift(x: &[f32], y: &mut [f32], gates: [f32; BLOCK], shifts: [f32; BLOCK]) {
        for (x, y) in x.as_chunks::<BLOCK>().0.iter().zip(y.as_chunks_mut::<BLOCK>().0) {
            for lane in 0..BLOCK {
                y[lane] = fma::<FMA>(x[lane], gates[lane], shifts[lane]);
            }
        }
    }
}

/// See [`crate::scale_channels`].
pub(crate) fn scale_channels(x: &Tensor, gates: &Tensor) -> Result<Tensor> {
    scale_and_shift(x, gates, None)
}

/// See [`crate::gradients::gated`].
pub(crate) fn gated(gates: &Tensor, dmeans: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let [_, _, h, w] = dims("gated gradient", dy)?;
    scale_and_shift(dy, gates, Some((dmeans, 1.0 / (h * w).max(1) as f32)))
}

/// See [`crate::gradients::gates`].
pub(crate) fn gates(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    let [n, blocks, h, w] = dims("gates gradient", x)?;
    if dy.dims() != x.dims() {
        return Err(Error::shape("gates gradient", "dy", format!("{:?}", x.dims()), dy.dims()));
    }
    let (plane, level) = (h * w * BLOCK, Level::current());
    let sums = cpu::with_slices([Some(x), Some(dy)], |[x, dy]| {
        let [x, dy] = [x, dy].map(Option::unwrap_or_default);
        output::chunks(n * blocks * BLOCK, BLOCK, |at, sums| {
            let of = |all| -> &[f32] { &<[f32]>::as_ref(all)[at * plane..][..plane] };
            dot_products(level, of(x), of(dy), sums);
        })
    })?;
    Ok(cpu::tensor(sums, (n, blocks * BLOCK))?)
}

for_each_level! {
    fn dot_products(x: &[f32], dy: &[f32], sums: &mut [f32]) {
        const WIDE: usize = 4 * BLOCK;
        let mut wide = [0f32; WIDE];
        let ((x, x_rest), (dy, dy_rest)) = (x.as_chunks::<WIDE>(), dy.as_chunks::<WIDE>());
        for (x, dy) in x.iter().zip(dy) {
            for i in 0..WIDE {
                wide[i] = fma::<FMA>(x[i], dy[i], wide[i]);
            }
        }
        for ((sum, x), dy) in wide.iter_mut().zip(x_rest).zip(dy_rest) {
            *sum = fma::<FMA>(*x, *dy, *sum);
        }
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = (wide[lane] + wide[BLOCK + lane]) + (wide[2 * BLOCK + lane] + wide[3 * BLOCK + lane]);
        }
    }
}
