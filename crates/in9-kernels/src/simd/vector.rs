//! Vectors of sixteen f32, on every instruction set.

use super::{Arithmetic, Array};

/// Elements of a vector.
pub(crate) const LANES: usize = 16;

/// Sixteen f32 in registers.
///
/// Only [`for_each_vector!`] names the types of an instruction set, inside functions that are compiled for
/// that instruction set and called only if the processor has it.
pub(crate) trait Vector: Arithmetic {
    /// Rows of the largest register tile of the microkernel.
    const ROWS: usize;
    /// Whether that tile is one vector wide, and not two: a vector of two registers leaves no room for more.
    const NARROW: bool = false;

    fn load(from: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);

    /// The elements of a slice of at most sixteen, followed by zeros.
    #[inline(always)]
    fn load_part(from: &[f32]) -> Self {
        let mut lanes = [0f32; LANES];
        lanes[..from.len()].copy_from_slice(from);
        Self::load(&lanes)
    }

    /// Stores the first elements, as many as the slice has, at most sixteen.
    #[inline(always)]
    fn store_part(self, to: &mut [f32]) {
        let mut lanes = [0f32; LANES];
        self.store(&mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }

    /// Element (i, j) becomes element (j, i).
    #[allow(clippy::needless_range_loop)] // Both indices are needed on both sides.
    fn transpose(rows: &mut [[f32; LANES]; LANES]) {
        for i in 0..LANES {
            for j in 0..i {
                let (a, b) = (rows[i][j], rows[j][i]);
                (rows[i][j], rows[j][i]) = (b, a);
            }
        }
    }
}

/// Whatever the compiler targets by default.
pub(crate) type Portable = Array<LANES>;

impl Vector for Portable {
    const ROWS: usize = 2;

    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        Self(*from)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Arithmetic, LANES, Vector};
    use crate::simd::registers::{Ymm, Zmm};
    use std::arch::x86_64::*;

    /// One bit for each of the first `len` lanes.
    #[inline(always)]
    fn mask(len: usize) -> __mmask16 {
        assert!(len <= LANES);
        ((1u32 << len) - 1) as __mmask16
    }

    /// One 512-bit register.
    pub(crate) type Avx512 = Zmm;

    // SAFETY (of every block below): a value of the type is made only by code that `for_each_vector!` compiled
    // for AVX-512, which runs only if the processor has it. Loads and stores go through references to
    // exactly sixteen elements, and their instructions need no alignment.
    impl Vector for Avx512 {
        const ROWS: usize = 12;

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
        }
        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            // SAFETY: see above.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
        }
        #[inline(always)]
        fn load_part(from: &[f32]) -> Self {
            // SAFETY: see above; the mask has one bit for each element of the slice, and the
            // instruction accesses no memory for lanes whose bit is 0.
            Self(unsafe { _mm512_maskz_loadu_ps(mask(from.len()), from.as_ptr()) })
        }
        #[inline(always)]
        fn store_part(self, to: &mut [f32]) {
            // SAFETY: see above; the mask has one bit for each element of the slice, and the
            // instruction accesses no memory for lanes whose bit is 0.
            unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), mask(to.len()), self.0) }
        }

        #[inline(always)]
        fn transpose(rows: &mut [[f32; LANES]; LANES]) {
            // SAFETY: see above.
            unsafe {
                let mut r = [_mm512_setzero_ps(); LANES];
                for (r, row) in r.iter_mut().zip(rows.iter()) {
                    *r = _mm512_loadu_ps(row.as_ptr());
                }
                // Pairs of rows, then groups of four, inside each 128-bit quarter.
                let mut t = r;
                for i in 0..8 {
                    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
                }
                let mut q = t;
                for i in 0..4 {
                    let (a, b) = (_mm512_castps_pd(t[4 * i]), _mm512_castps_pd(t[4 * i + 2]));
                    let (c, d) = (_mm512_castps_pd(t[4 * i + 1]), _mm512_castps_pd(t[4 * i + 3]));
                    q[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                    q[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
                    q[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(c, d));
                    q[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(c, d));
                }
                // Quarter j of q[4 i + k] holds column 4 j + k of rows 4 i .. 4 i + 4.
                for k in 0..4 {
                    let even = _mm512_shuffle_f32x4::<0x88>(q[k], q[4 + k]);
                    let odd = _mm512_shuffle_f32x4::<0xdd>(q[k], q[4 + k]);
                    let even_low = _mm512_shuffle_f32x4::<0x88>(q[8 + k], q[12 + k]);
                    let odd_low = _mm512_shuffle_f32x4::<0xdd>(q[8 + k], q[12 + k]);
                    let columns = [
                        (k, _mm512_shuffle_f32x4::<0x88>(even, even_low)),
                        (4 + k, _mm512_shuffle_f32x4::<0x88>(odd, odd_low)),
                        (8 + k, _mm512_shuffle_f32x4::<0xdd>(even, even_low)),
                        (12 + k, _mm512_shuffle_f32x4::<0xdd>(odd, odd_low)),
                    ];
                    for (column, v) in columns {
                        _mm512_storeu_ps(rows[column].as_mut_ptr(), v);
                    }
                }
            }
        }
    }

    /// Two 256-bit registers.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(Ymm, Ymm);

    impl Arithmetic for Avx2 {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self(Ymm::splat(value), Ymm::splat(value))
        }
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            Self(self.0.add(other.0), self.1.add(other.1))
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            Self(self.0.sub(other.0), self.1.sub(other.1))
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            Self(self.0.mul(other.0), self.1.mul(other.1))
        }
        #[inline(always)]
        fn mul_add(self, factor: Self, term: Self) -> Self {
            Self(self.0.mul_add(factor.0, term.0), self.1.mul_add(factor.1, term.1))
        }
    }

    // SAFETY (of every block below): as for `Avx512`, with AVX2 and FMA.
    impl Vector for Avx2 {
        const ROWS: usize = 6;
        const NARROW: bool = true;

        #[inline(always)]
        fn load(from: &[f32; LANES]) -> Self {
            // SAFETY: see above; the second half starts at element eight of sixteen.
            unsafe { Self(Ymm(_mm256_loadu_ps(from.as_ptr())), Ymm(_mm256_loadu_ps(from.as_ptr().add(8)))) }
        }
        #[inline(always)]
        fn store(self, to: &mut [f32; LANES]) {
            // SAFETY: see above; the second half starts at element eight of sixteen.
            unsafe {
                _mm256_storeu_ps(to.as_mut_ptr(), self.0.0);
                _mm256_storeu_ps(to.as_mut_ptr().add(8), self.1.0);
            }
        }
    }
}

/// Copies elements between slices of the same length; for few elements, faster than `memcpy`.
#[inline(always)]
pub(crate) fn copy<V: Vector>(from: &[f32], to: &mut [f32]) {
    let (from, from_rest) = from.as_chunks::<LANES>();
    let (to, to_rest) = to.as_chunks_mut::<LANES>();
    for (from, to) in from.iter().zip(to) {
        V::load(from).store(to);
    }
    V::load_part(from_rest).store_part(to_rest);
}

/// Defines a function generic over `V: Vector` that is compiled for every instruction set. Its first argument,
/// a [`Level`](super::Level), selects the one that runs.
macro_rules! for_each_vector {
    ($(#[$doc:meta])* $vis:vis fn $name:ident<$V:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name(level: $crate::simd::Level, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body<$V: $crate::simd::Vector>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                body::<$crate::simd::vector::Avx512>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                body::<$crate::simd::vector::Avx2>($($arg),*)
            }

            match level {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Level::Avx512` is made only where the processor has these features.
                $crate::simd::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Level::Avx2` is made only where the processor has these features.
                $crate::simd::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<$crate::simd::vector::Portable>($($arg),*),
            }
        }
    };
}
pub(crate) use for_each_vector;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    for_each_vector! {
        fn transpose<V>(rows: &mut [[f32; LANES]; LANES]) {
            V::transpose(rows);
        }
    }

    for_each_vector! {
        fn polynomial<V>(a: &[f32; LANES], b: &[f32; LANES], out: &mut [f32; LANES]) {
            let (a, b) = (V::load(a), V::load(b));
            a.mul_add(b, V::splat(0.5)).sub(a.mul(a)).add(b).store(out);
        }
    }

    #[test]
    fn every_level_transposes() {
        for level in Level::available() {
            let mut rows: [[f32; LANES]; LANES] =
                std::array::from_fn(|i| std::array::from_fn(|j| (i * LANES + j) as f32));
            transpose(level, &mut rows);
            for (i, row) in rows.iter().enumerate() {
                for (j, &v) in row.iter().enumerate() {
                    assert_eq!(v, (j * LANES + i) as f32, "{level:?}");
                }
            }
        }
    }

    for_each_vector! {
        fn copy_elements<V>(from: &[f32], to: &mut [f32]) {
            copy::<V>(from, to);
        }
    }

    #[test]
    fn every_level_copies_slices_of_any_length_and_nothing_else() {
        let from: Vec<f32> = (1..50).map(|i| i as f32).collect();
        for level in Level::available() {
            for n in 0..from.len() {
                let mut to = vec![0f32; 60];
                copy_elements(level, &from[..n], &mut to[3..3 + n]);
                assert_eq!(to[3..3 + n], from[..n], "{level:?} {n}");
                assert!(to[..3].iter().chain(&to[3 + n..]).all(|&v| v == 0.0), "{level:?} {n}");
            }
        }
    }

    #[test]
    fn every_level_computes_the_same_exact_sums() {
        let a: [f32; LANES] = std::array::from_fn(|i| i as f32 - 7.5);
        let b: [f32; LANES] = std::array::from_fn(|i| 0.25 * i as f32);
        for level in Level::available() {
            let mut out = [0f32; LANES];
            polynomial(level, &a, &b, &mut out);
            for i in 0..LANES {
                assert_eq!(out[i], a[i] * b[i] + 0.5 - a[i] * a[i] + b[i], "{level:?}");
            }
        }
    }
}
