//! Vectorised loops over pixels, for the instruction set that is detected at run time.
//!
//! Each loop is written once, over blocks of `LANES` pixels, and compiled three times: for the target of the build
//! and for AVX2 over blocks of 8, for AVX-512 of 32. With more, the values of a block would not fit the registers;
//! two registers of AVX-512 for each value let latencies overlap. No multiplication is fused with an addition, so
//! all three give the same bits, and a mask does not depend on the processor.

mod data_cost;
mod smoothness;

pub(crate) use data_cost::CostTable;
pub(crate) use smoothness::{LinkCapacity, MAX_LINK};

/// An instruction set that was detected on this processor. Values other than `Portable` come from
/// [`Backend::available`] only, which is what makes calling code compiled for them sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    /// Whatever the build targets.
    Portable,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Backend {
    /// The widest one available.
    pub(crate) fn detect() -> Self {
        *Self::available().last().unwrap_or(&Self::Portable)
    }

    /// The instruction sets of this processor, narrowest first.
    pub(crate) fn available() -> &'static [Self] {
        #[cfg(target_arch = "x86_64")]
        {
            const ALL: [Backend; 3] = [Backend::Portable, Backend::Avx2, Backend::Avx512];
            let avx2 = is_x86_feature_detected!("avx2");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq");
            match (avx2, avx512) {
                (true, true) => &ALL,
                (true, false) => &ALL[..2],
                _ => &ALL[..1],
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            &[Self::Portable]
        }
    }
}

/// Defines `$name(backend, arguments…)` that runs `$body::<LANES>(arguments…)` compiled for `backend`.
macro_rules! dispatch {
    ($(#[$meta:meta])* fn $name:ident = $body:ident($($arg:ident: $ty:ty),* $(,)?)) => {
        $(#[$meta])*
        pub(super) fn $name(backend: $crate::simd::Backend, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($arg: $ty),*) {
                $body::<8>($($arg),*);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
            fn avx512($($arg: $ty),*) {
                $body::<32>($($arg),*);
            }
            match backend {
                $crate::simd::Backend::Portable => $body::<8>($($arg),*),
                // SAFETY: this value is made only where `Backend::available` detected AVX2.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Backend::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: this value is made only where `Backend::available` detected the four AVX-512
                // extensions named above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Backend::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
use dispatch;

/// Adding this to `v` leaves `v` rounded to the nearest integer in the low bits, for |v| ≤ 2²².
const ROUND: f32 = 12_582_912.0;

/// `v` rounded to the nearest integer, halves to even; |v| ≤ 2²².
#[inline(always)]
fn round(v: f32) -> i32 {
    ((v + ROUND).to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32)
}
