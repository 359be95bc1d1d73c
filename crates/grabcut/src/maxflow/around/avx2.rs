//! The same with vectors of AVX2: all eight words in one.

use std::arch::x86_64::*;

use super::{Around, NodeState, ORPHAN};

/// The words in the order of the directions. Used only in searches that are compiled for AVX2 and run where it was
/// detected: that makes the calls of the functions below sound.
pub(in super::super) struct Avx2(__m256i);

impl Around for Avx2 {
    #[inline(always)]
    fn load(nodes: &[NodeState], node: usize, stride: usize) -> Self {
        // SAFETY: see the type.
        unsafe { load(nodes, node, stride) }
    }

    #[inline(always)]
    fn nearest<const SIDE: i32>(&self, usable: u8) -> (i32, u8) {
        // SAFETY: see the type.
        unsafe { nearest::<SIDE>(self.0, usable) }
    }

    #[inline(always)]
    fn children(&self) -> u8 {
        // SAFETY: see the type.
        unsafe { children(self.0) }
    }

    #[inline(always)]
    fn outside<const SIDE: i32>(&self) -> u8 {
        // SAFETY: see the type.
        unsafe { outside::<SIDE>(self.0) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(nodes: &[NodeState], node: usize, stride: usize) -> Avx2 {
    let above = &nodes[node - stride - 1..][..4];
    let level = &nodes[node - 1..][..3];
    let below = &nodes[node + stride - 2..][..4];
    // SAFETY: each slice holds four words.
    let (above, below) =
        unsafe { (_mm_loadu_si128(above.as_ptr().cast()), _mm_loadu_si128(below.as_ptr().cast())) };
    // 0 1 2 3 | 4 5 6 7: the directions.
    let above = _mm_insert_epi32::<3>(above, level[0].0);
    let below = _mm_insert_epi32::<0>(below, level[2].0);
    Avx2(_mm256_set_m128i(below, above))
}

#[inline]
#[target_feature(enable = "avx2")]
fn nearest<const SIDE: i32>(words: __m256i, usable: u8) -> (i32, u8) {
    let bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    let usable = _mm256_and_si256(_mm256_set1_epi32(i32::from(usable)), bits);
    let unusable = _mm256_cmpeq_epi32(usable, _mm256_setzero_si256());
    let label = _mm256_andnot_si256(_mm256_set1_epi32(15), words);
    let label = if SIDE > 0 {
        _mm256_sub_epi32(label, _mm256_set1_epi32(16))
    } else {
        _mm256_sub_epi32(_mm256_set1_epi32(-16), label)
    };
    let parent = _mm256_and_si256(words, _mm256_set1_epi32(15));
    let orphan = _mm256_cmpeq_epi32(parent, _mm256_set1_epi32(i32::from(ORPHAN)));
    let orphan = _mm256_and_si256(orphan, _mm256_set1_epi32(8));
    let low = _mm256_or_si256(orphan, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    let key = _mm256_or_si256(_mm256_or_si256(label, low), unusable);
    let best = _mm_min_epu32(_mm256_castsi256_si128(key), _mm256_extracti128_si256::<1>(key));
    let best = _mm_min_epu32(best, _mm_shuffle_epi32::<0b01_00_11_10>(best));
    let best = _mm_min_epu32(best, _mm_shuffle_epi32::<0b10_11_00_01>(best));
    let best = _mm_cvtsi128_si32(best) as u32;
    ((best >> 4) as i32 + 1, (best & 7) as u8)
}

#[inline]
#[target_feature(enable = "avx2")]
fn children(words: __m256i) -> u8 {
    let parent = _mm256_and_si256(words, _mm256_set1_epi32(15));
    let child = _mm256_cmpeq_epi32(parent, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    _mm256_movemask_ps(_mm256_castsi256_ps(child)) as u8
}

#[inline]
#[target_feature(enable = "avx2")]
fn outside<const SIDE: i32>(words: __m256i) -> u8 {
    let label = _mm256_andnot_si256(_mm256_set1_epi32(15), words);
    let zero = _mm256_setzero_si256();
    let inside = if SIDE > 0 { _mm256_cmpgt_epi32(label, zero) } else { _mm256_cmpgt_epi32(zero, label) };
    !_mm256_movemask_ps(_mm256_castsi256_ps(inside)) as u8
}
