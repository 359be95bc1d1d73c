//! Reproducible values, and a hash of them.

use candle_core::{Result, Var};

/// Values in -1..1 that depend on (seed, index) only.
pub(crate) fn random_values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

/// A hash of every bit of the weights.
pub(crate) fn hash(variables: &[Var]) -> Result<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for variable in variables {
        for v in variable.flatten_all()?.to_vec1::<f32>()? {
            hash = (hash ^ u64::from(v.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(hash)
}
