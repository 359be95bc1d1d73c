//! Instruction sets, and code that is compiled once for each of them.

mod arithmetic;
pub(crate) mod gemm;
mod level;
pub(crate) mod loops;
pub(crate) mod microkernel;
pub(crate) mod prefetch;
#[cfg(target_arch = "x86_64")]
pub(crate) mod registers;
pub(crate) mod vector;

pub(crate) use arithmetic::{Arithmetic, Array};
pub(crate) use level::Level;
pub(crate) use vector::Vector;

/// Defines a function that is compiled for every instruction set. Its first argument, a [`Level`], selects
/// the one that runs.
///
/// In its body the constant `FMA` says whether a fused multiply-add is one instruction.
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
                // SAFETY: `Level::Avx512` is made only where the processor has these features.
                $crate::simd::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Level::Avx2` is made only where the processor has these features.
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<{ cfg!(target_arch = "aarch64") }>($($arg),*),
            }
        }
    };
}
pub(crate) use for_each_level;
