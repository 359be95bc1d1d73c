//! Instruction sets: which there are, which is used, and the loops compiled once for each.

pub(crate) mod gemm;
pub(crate) mod kernel;
pub(crate) mod lanes;
mod level;
pub(crate) mod prefetch;
pub(crate) mod vector;

pub(crate) use level::Level;
pub(crate) use vector::Vector;

/// Defines a function whose body is compiled for every instruction set and chosen by a [`Level`].
///
/// The body sees the constant `FMA`: whether a fused multiply-add is one instruction.
macro_rules! for_each_level {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        #[inline]
        $vis fn $name(level: $crate::simd::Level, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<const FMA: bool>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body::<true>($($arg),*) }

            match level {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Level` of AVX-512 exists only after the processor was seen to have it.
                $crate::simd::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: a `Level` of AVX2 exists only after the processor was seen to have it.
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<{ cfg!(target_arch = "aarch64") }>($($arg),*),
            }
        }
    };
}
pub(crate) use for_each_level;
