//! Dropout whose mask is a function of a key.

use crate::{Error, Result, activation::CHUNK, body, chacha::ChaCha8};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Sets each number to zero with probability `p` and divides the others by `1 - p`.
///
/// The mask is drawn from ChaCha8 keyed by `key`: derive it from everything that names the draw
/// (seed, layer, step), so that no two layers or steps share a mask. It depends neither on the
/// number of threads nor on the device. In evaluation do not call it.
///
/// # Errors
/// [`Error::Setting`] unless `0 <= p < 1`.
pub fn dropout(x: &Tensor, p: f64, key: u64) -> Result<Tensor> {
    if !(0.0..1.0).contains(&p) {
        return Err(Error::Setting {
            op: "dropout",
            what: "p",
            expected: "at least 0 and less than 1",
            found: p.to_string(),
        });
    }
    if p == 0.0 {
        return Ok(x.clone());
    }
    let mask = Mask::new(p, key);
    if body::fused(&[x]) {
        return Ok(x.contiguous()?.apply_op1(mask)?);
    }
    let mut factors = vec![1f32; x.elem_count()];
    mask.multiply(&mut factors);
    let factors = Tensor::from_vec(factors, x.shape(), &Device::Cpu)?;
    Ok((x * factors.to_dtype(x.dtype())?.to_device(x.device())?)?)
}

struct Mask {
    /// Numbers whose random word is below this are dropped.
    threshold: u32,
    scale: f32,
    key: u64,
}

impl Mask {
    fn new(p: f64, key: u64) -> Self {
        Self { threshold: (p * f64::from(u32::MAX)) as u32, scale: (1.0 / (1.0 - p)) as f32, key }
    }

    /// Multiplies number `i` by the factor that word `i` of the stream says.
    fn multiply(&self, data: &mut [f32]) {
        let stream = ChaCha8::new(self.key);
        let words = ChaCha8::WORDS;
        data.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, data)| {
            for (block, data) in data.chunks_mut(words).enumerate() {
                let random = stream.block((chunk * (CHUNK / words) + block) as u64);
                for (v, word) in data.iter_mut().zip(random) {
                    *v *= if word < self.threshold { 0.0 } else { self.scale };
                }
            }
        });
    }
}

impl CustomOp1 for Mask {
    fn name(&self) -> &'static str {
        "in9-dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let mut y = body::slice(x, layout)?.to_vec();
        self.multiply(&mut y);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let mut dx = body::with_slice(dy, <[f32]>::to_vec)?;
        self.multiply(&mut dx);
        Ok(Some(body::tensor(dx, x.shape())?))
    }
}
