//! The instruction sets that kernels are compiled for.

use std::sync::OnceLock;

/// An instruction set that was detected on this processor. On x86, a value other than `Portable` comes from
/// [`Level::available`] only, which is what makes calling code compiled for it sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Whatever the compiler targets by default (NEON on 64-bit ARM).
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 F, BW, DQ, VL.
    Avx512,
}

impl Level {
    /// The instruction sets of this processor, slowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    levels.push(Self::Avx512);
                }
            }
        }
        levels
    }

    /// The fastest instruction set of this processor, up to the one that the environment variable
    /// `IN9_KERNELS_SIMD` names (`portable`, `avx2` or `avx512`).
    pub(crate) fn current() -> Self {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = Self::available();
            let wanted = match std::env::var("IN9_KERNELS_SIMD").as_deref() {
                Ok("portable") => Self::Portable,
                Ok("avx2") => Self::Avx2,
                _ => Self::Avx512,
            };
            available.into_iter().filter(|&level| level <= wanted).max().unwrap_or(Self::Portable)
        })
    }
}
