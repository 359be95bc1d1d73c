//! AVX2 and AVX-512: the channels of blocks in their registers.

use super::lanes::{BLOCK, Isa, Lanes, Square};
use crate::simd::registers::{Ymm, Zmm};
use std::arch::x86_64::*;

/// Sixteen registers of eight lanes: six pixels by sixteen channels are twelve sums.
pub(crate) struct Avx2;

impl Isa for Avx2 {
    type Wide = Ymm;
    type Eight = Ymm;
    const PIXELS: usize = 6;
    const INPUTS: usize = 4;
    const FMA: bool = true;
}

/// Thirty-two registers of sixteen lanes: twelve pixels by 32 channels are 24 sums.
pub(crate) struct Avx512;

impl Isa for Avx512 {
    type Wide = Zmm;
    type Eight = Ymm;
    const PIXELS: usize = 12;
    const INPUTS: usize = 8;
    const FMA: bool = true;
}

// SAFETY (of every block below): a value of the type is made only by code that `for_each_isa!` compiled for
// AVX2 with FMA, which runs only if the processor has them. Loads and stores access as many elements as the
// trait says, which its contract makes valid, and their instructions need no alignment.
impl Lanes for Ymm {
    const COUNT: usize = BLOCK;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_set1_ps(*from) })
    }
    #[inline(always)]
    unsafe fn load_blocks(from: *const f32, _: usize) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn store_blocks(self, to: *mut f32, _: usize) {
        // SAFETY: see above.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }
    #[inline(always)]
    unsafe fn repeat(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_loadu_ps(from) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see above. The instruction returns its second operand where either is NaN.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn max_or_nan(self, other: Self) -> Self {
        // SAFETY: see above. `max` gives `other` where it is NaN; where `self` is, that is taken instead.
        unsafe {
            let nan = _mm256_cmp_ps::<_CMP_UNORD_Q>(self.0, self.0);
            Self(_mm256_blendv_ps(_mm256_max_ps(self.0, other.0), self.0, nan))
        }
    }
}

impl Square for Ymm {
    #[inline(always)]
    fn transpose(rows: [Self; BLOCK]) -> [Self; BLOCK] {
        let r = rows.map(|row| row.0);
        // SAFETY: see above.
        unsafe {
            // Pairs of rows, then groups of four, inside each 128-bit half; then the halves.
            let (a0, a1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
            let (a2, a3) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
            let (a4, a5) = (_mm256_unpacklo_ps(r[4], r[5]), _mm256_unpackhi_ps(r[4], r[5]));
            let (a6, a7) = (_mm256_unpacklo_ps(r[6], r[7]), _mm256_unpackhi_ps(r[6], r[7]));
            let low = [
                _mm256_shuffle_ps::<0x44>(a0, a2),
                _mm256_shuffle_ps::<0xee>(a0, a2),
                _mm256_shuffle_ps::<0x44>(a1, a3),
                _mm256_shuffle_ps::<0xee>(a1, a3),
            ];
            let high = [
                _mm256_shuffle_ps::<0x44>(a4, a6),
                _mm256_shuffle_ps::<0xee>(a4, a6),
                _mm256_shuffle_ps::<0x44>(a5, a7),
                _mm256_shuffle_ps::<0xee>(a5, a7),
            ];
            [
                Self(_mm256_permute2f128_ps::<0x20>(low[0], high[0])),
                Self(_mm256_permute2f128_ps::<0x20>(low[1], high[1])),
                Self(_mm256_permute2f128_ps::<0x20>(low[2], high[2])),
                Self(_mm256_permute2f128_ps::<0x20>(low[3], high[3])),
                Self(_mm256_permute2f128_ps::<0x31>(low[0], high[0])),
                Self(_mm256_permute2f128_ps::<0x31>(low[1], high[1])),
                Self(_mm256_permute2f128_ps::<0x31>(low[2], high[2])),
                Self(_mm256_permute2f128_ps::<0x31>(low[3], high[3])),
            ]
        }
    }
}

// SAFETY (of every block below): as for `Ymm`, with AVX-512 F and DQ.
impl Lanes for Zmm {
    const COUNT: usize = 2 * BLOCK;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_loadu_ps(from) })
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_set1_ps(*from) })
    }
    #[inline(always)]
    unsafe fn load_blocks(from: *const f32, stride: usize) -> Self {
        // SAFETY: see above; the second block begins `stride` elements behind the first.
        unsafe {
            let low = _mm512_castps256_ps512(_mm256_loadu_ps(from));
            Self(_mm512_insertf32x8::<1>(low, _mm256_loadu_ps(from.add(stride))))
        }
    }
    #[inline(always)]
    unsafe fn store_blocks(self, to: *mut f32, stride: usize) {
        // SAFETY: see above; the second block begins `stride` elements behind the first.
        unsafe {
            _mm256_storeu_ps(to, _mm512_castps512_ps256(self.0));
            _mm256_storeu_ps(to.add(stride), _mm512_extractf32x8_ps::<1>(self.0));
        }
    }
    #[inline(always)]
    unsafe fn repeat(from: *const f32) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_broadcast_f32x8(_mm256_loadu_ps(from)) })
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see above. The instruction returns its second operand where either is NaN.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }
    #[inline(always)]
    fn max_or_nan(self, other: Self) -> Self {
        // SAFETY: see above. `max` gives `other` where it is NaN; where `self` is, that is taken instead.
        unsafe {
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self.0, self.0);
            Self(_mm512_mask_blend_ps(nan, _mm512_max_ps(self.0, other.0), self.0))
        }
    }
}
