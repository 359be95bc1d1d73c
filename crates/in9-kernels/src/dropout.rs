//! Dropout whose mask is a function of a key.

use crate::{Error, Result, activation::CHUNK, cpu};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use rayon::prelude::*;

/// Sets each element to zero with probability `p` and divides the others by `1 - p`. Differentiable.
///
/// The mask depends on `key` and the shape only: word `i` of the ChaCha8 stream of `key` decides about
/// element `i`. Derive the key from everything that identifies the draw (seed, layer, step), so that no
/// two layers or steps share a mask. Neither the number of threads nor the device has an effect. Do not
/// call it at evaluation.
///
/// # Shapes
/// `x` and the result have the same shape, of any rank.
///
/// # Errors
/// [`Error::Range`] unless `0 <= p < 1`.
pub fn dropout(x: &Tensor, p: f64, key: u64) -> Result<Tensor> {
    check(p)?;
    if p == 0.0 {
        return Ok(x.clone());
    }
    let mask = Mask::new(p, key);
    if cpu::supported(&[x]) {
        return Ok(x.contiguous()?.apply_op1(mask)?);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x]) {
        return crate::gpu::dropout(&gpu, x, p, in9_cuda::device::Key::Number(key));
    }
    let mut factors = vec![1f32; x.elem_count()];
    mask.multiply(&mut factors);
    let factors = Tensor::from_vec(factors, x.shape(), &Device::Cpu)?;
    Ok((x * factors.to_dtype(x.dtype())?.to_device(x.device())?)?)
}

/// [`dropout`] of a tensor on a GPU that in9-cuda opened, whose key stands there too: a step that was captured once gets
/// another one each time.
///
/// # Shapes
/// - `key`: `[2]`, u32, the lower word first
///
/// # Errors
/// As for [`dropout`]; [`Error::Candle`] for a tensor that is not on such a device.
#[cfg(feature = "cuda")]
pub fn dropout_on_gpu(x: &Tensor, p: f64, key: &Tensor) -> Result<Tensor> {
    check(p)?;
    if p == 0.0 {
        return Ok(x.clone());
    }
    let gpu = crate::gpu::takes(&[x]).ok_or_else(|| {
        Error::Candle(candle_core::Error::Msg("dropout_on_gpu: not on an open GPU".to_owned()))
    })?;
    crate::gpu::dropout(&gpu, x, p, in9_cuda::device::Key::Words(key.clone()))
}

fn check(p: f64) -> Result<()> {
    if (0.0..1.0).contains(&p) {
        return Ok(());
    }
    Err(Error::Range { op: "dropout", parameter: "p", allowed: "at least 0 and less than 1", found: p })
}

struct Mask {
    /// Elements whose random word is below this are set to zero.
    threshold: u32,
    /// Factor of all other elements.
    scale: f32,
    key: u64,
}

/// Random words that are drawn at a time.
const WORDS: usize = 256;

impl Mask {
    fn new(p: f64, key: u64) -> Self {
        Self { threshold: (p * f64::from(u32::MAX)) as u32, scale: (1.0 / (1.0 - p)) as f32, key }
    }

    /// The random words of the mask from element `first` on.
    fn words(&self, first: usize) -> ChaCha8Rng {
        let mut seed = [0u8; 32];
        seed[..8].copy_from_slice(&self.key.to_le_bytes());
        let mut words = ChaCha8Rng::from_seed(seed);
        words.set_word_pos(first as u128);
        words
    }

    /// Multiplies each element by the factor that its random word decides.
    fn multiply(&self, data: &mut [f32]) {
        data.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, data)| {
            let mut words = self.words(chunk * CHUNK);
            let mut bytes = [[0u8; 4]; WORDS];
            for data in data.chunks_mut(WORDS) {
                words.fill_bytes(bytes[..data.len()].as_flattened_mut());
                for (v, word) in data.iter_mut().zip(bytes) {
                    *v *= if u32::from_le_bytes(word) < self.threshold { 0.0 } else { self.scale };
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
        let mut y = cpu::slice(x, layout)?.to_vec();
        self.multiply(&mut y);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let mut dx = cpu::with_slice(dy, <[f32]>::to_vec)?;
        self.multiply(&mut dx);
        Ok(Some(cpu::tensor(dx, x.shape())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask drawn in pieces, from any element on, is that of the stream read from its start.
    #[test]
    fn every_element_has_its_own_word_of_the_stream() {
        let mask = Mask::new(0.25, 0x0123_4567_89ab_cdef);
        let n = CHUNK + WORDS + 37;
        let mut all = vec![1f32; n];
        mask.multiply(&mut all);
        let mut stream = mask.words(0);
        for (i, found) in all.into_iter().enumerate() {
            let word = stream.next_u32();
            let expected = if word < mask.threshold { 0.0 } else { mask.scale };
            assert_eq!(found, expected, "{i}");
            if i % 5000 == 0 {
                assert_eq!(mask.words(i).next_u32(), word, "{i}");
            }
        }
    }

    /// Changing the stream would change every training with dropout.
    #[test]
    fn the_mask_is_the_one_of_earlier_releases() {
        let mut found = vec![1f32; 24];
        Mask::new(0.5, 7).multiply(&mut found);
        let kept: Vec<u32> = found.iter().map(|&v| u32::from(v != 0.0)).collect();
        assert_eq!(kept, [0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
        // Block 4097 of the stream of key 7.
        let mut words = Mask::new(0.5, 7).words(4097 * 16);
        assert_eq!([words.next_u32(), words.next_u32()], [0x4ed4_8ae1, 0x28cb_d63c]);
    }
}
