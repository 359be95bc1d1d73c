//! The registers of AVX2 and AVX-512.

use super::Arithmetic;
use std::arch::x86_64::*;

/// One 256-bit register: eight f32.
#[derive(Clone, Copy)]
pub(crate) struct Ymm(pub(crate) __m256);

/// One 512-bit register: sixteen f32.
#[derive(Clone, Copy)]
pub(crate) struct Zmm(pub(crate) __m512);

/// The arithmetic of a register, by an intrinsic for each operation.
macro_rules! arithmetic {
    ($register:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $fmadd:ident) => {
        // SAFETY (of every block below): a value of the type is made only by code that was compiled for the instruction set
        // that the register belongs to, and which runs only if the processor has it.
        impl Arithmetic for $register {
            #[inline(always)]
            fn splat(value: f32) -> Self {
                // SAFETY: see above.
                Self(unsafe { $splat(value) })
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see above.
                Self(unsafe { $add(self.0, other.0) })
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: see above.
                Self(unsafe { $sub(self.0, other.0) })
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: see above.
                Self(unsafe { $mul(self.0, other.0) })
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, term: Self) -> Self {
                // SAFETY: see above.
                Self(unsafe { $fmadd(self.0, factor.0, term.0) })
            }
        }
    };
}

arithmetic!(Ymm, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps);
arithmetic!(Zmm, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps);
