//! Every channel times its own factor, in blocks.

use super::{lanes::BLOCK, layout::dims};
use crate::{
    Error, Result,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor};
use rayon::prelude::*;

/// `x[i, c, …] *= gates[i, c]`; see [`crate::scale_channels_inplace`].
pub(crate) fn scale_channels_inplace(x: Tensor, gates: &Tensor) -> Result<Tensor> {
    let [n, blocks, ..] = dims("scale_channels", &x)?;
    if gates.dims() != [n, blocks * BLOCK] {
        return Err(Error::shape(
            "scale_channels",
            "gates",
            format!("[{n}, {}]", blocks * BLOCK),
            gates.dims(),
        ));
    }
    x.inplace_op2(&gates.contiguous()?, &ScaleBlocks)?;
    Ok(x)
}

struct ScaleBlocks;

impl InplaceOp2 for ScaleBlocks {
    fn name(&self) -> &'static str {
        "in9-scale-blocks"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(x), Some((start, end))) = (x, layout.contiguous_offsets()) else {
            candle_core::bail!("channels can be scaled in place in a contiguous f32 tensor only");
        };
        let gates = crate::cpu::slice(gates, gates_layout)?;
        let (level, pixels) = (Level::current(), layout.dims()[2] * layout.dims()[3]);
        let planes = x[start..end].par_chunks_mut((pixels * BLOCK).max(1)).zip(gates.par_chunks_exact(BLOCK));
        planes
            .with_min_len((1 << 14) / (pixels * BLOCK).max(1) + 1)
            .for_each(|(x, gates)| scale(level, x, gates));
        Ok(())
    }
}

for_each_level! {
    /// `x` is `[pixels, 8]`, `gates` `[8]`.
    pub(super) fn scale(x: &mut [f32], gates: &[f32]) {
        let gates: [f32; BLOCK] = std::array::from_fn(|c| gates[c]);
        for pixel in x.as_chunks_mut::<BLOCK>().0 {
            for (x, gate) in pixel.iter_mut().zip(gates) {
                *x *= gate;
            }
        }
    }
}
