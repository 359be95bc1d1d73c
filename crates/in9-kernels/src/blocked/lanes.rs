//! Registers of eight or sixteen channels, on every instruction set.

use crate::simd::{Arithmetic, Array};

/// Channels of a block.
pub(crate) const BLOCK: usize = 8;

/// The channels of one block, or of two, in a register.
///
/// Only [`for_each_isa!`] names the types of an instruction set, inside functions that are compiled for it and
/// called only if the processor has it.
///
/// # Safety
/// of every function that takes a pointer: it must be valid for reads (for `store`, writes) of as many f32 as the
/// function says, of any alignment.
pub(crate) trait Lanes: Arithmetic {
    /// Channels: 8 or 16.
    const COUNT: usize;

    /// Reads `COUNT` elements that lie together.
    unsafe fn load(from: *const f32) -> Self;
    /// Reads one element into all lanes.
    unsafe fn broadcast(from: *const f32) -> Self;
    /// Reads the eight elements of each block; blocks are `stride` elements apart.
    unsafe fn load_blocks(from: *const f32, stride: usize) -> Self;
    /// Writes the eight elements of each block; blocks are `stride` elements apart.
    unsafe fn store_blocks(self, to: *mut f32, stride: usize);
    /// Reads eight elements into every eight lanes.
    unsafe fn repeat(from: *const f32) -> Self;

    /// The greater of each pair; `other` where either is NaN.
    fn max(self, other: Self) -> Self;
    /// The lesser of each pair; `other` where either is NaN.
    fn min(self, other: Self) -> Self;
    /// The greater of each pair; NaN where either is.
    fn max_or_nan(self, other: Self) -> Self;
}

/// A register of one block.
pub(crate) trait Square: Lanes {
    /// Element (i, j) becomes element (j, i).
    fn transpose(rows: [Self; BLOCK]) -> [Self; BLOCK];
}

/// An instruction set: the registers that convolutions use, and the size of their tiles.
pub(crate) trait Isa {
    /// The widest register that convolutions use.
    type Wide: Lanes;
    /// A register of one block.
    type Eight: Square;
    /// Most pixels of a tile of two [`Isa::Wide`] for each pixel, so that its sums, two registers of weights and
    /// one of the image fill the registers that there are.
    const PIXELS: usize;
    /// Most inputs of a tile of two [`Isa::Wide`] in the gradient with respect to filters.
    const INPUTS: usize;
    /// Whether a fused multiply-add is one instruction.
    const FMA: bool;
}

impl Lanes for Array<BLOCK> {
    const COUNT: usize = BLOCK;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: by the trait's contract eight elements can be read.
        Self(unsafe { from.cast::<[f32; BLOCK]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn broadcast(from: *const f32) -> Self {
        // SAFETY: by the trait's contract one element can be read.
        Self([unsafe { *from }; BLOCK])
    }
    #[inline(always)]
    unsafe fn load_blocks(from: *const f32, _: usize) -> Self {
        // SAFETY: the same contract; there is one block.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    unsafe fn store_blocks(self, to: *mut f32, _: usize) {
        // SAFETY: by the trait's contract eight elements can be written.
        unsafe { to.cast::<[f32; BLOCK]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn repeat(from: *const f32) -> Self {
        // SAFETY: the same contract; there are eight lanes.
        unsafe { Self::load(from) }
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max_or_nan(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b || a.is_nan() { a } else { b })
    }
}

impl Square for Array<BLOCK> {
    #[inline(always)]
    fn transpose(rows: [Self; BLOCK]) -> [Self; BLOCK] {
        std::array::from_fn(|i| Self(std::array::from_fn(|j| rows[j].0[i])))
    }
}

/// Whatever the compiler targets by default.
pub(crate) struct Portable;

impl Isa for Portable {
    type Wide = Array<BLOCK>;
    type Eight = Array<BLOCK>;
    /// NEON has 32 registers of four lanes: 24 sums.
    const PIXELS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 2 };
    const INPUTS: usize = 4;
    const FMA: bool = cfg!(target_arch = "aarch64");
}

#[cfg(target_arch = "x86_64")]
pub(crate) use super::lanes_x86::{Avx2, Avx512};

/// Defines an unsafe function generic over `I: Isa` that is compiled for every instruction set. Its first argument,
/// a [`Level`](crate::simd::Level), selects the one that runs.
macro_rules! for_each_isa {
    ($(#[$doc:meta])* $vis:vis unsafe fn $name:ident<$I:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        $vis unsafe fn $name(level: $crate::simd::Level, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            unsafe fn body<$I: $crate::blocked::lanes::Isa>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            unsafe fn avx512($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller's promise is handed on.
                unsafe { body::<$crate::blocked::lanes::Avx512>($($arg),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            unsafe fn avx2($($arg: $ty),*) $(-> $ret)? {
                // SAFETY: the caller's promise is handed on.
                unsafe { body::<$crate::blocked::lanes::Avx2>($($arg),*) }
            }

            // SAFETY: the caller's promise is handed on; a `Level` is made only where the processor has its features.
            unsafe {
                match level {
                    #[cfg(target_arch = "x86_64")]
                    $crate::simd::Level::Avx512 => avx512($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    $crate::simd::Level::Avx2 => avx2($($arg),*),
                    _ => body::<$crate::blocked::lanes::Portable>($($arg),*),
                }
            }
        }
    };
}
pub(crate) use for_each_isa;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    for_each_isa! {
        unsafe fn transposed<I>(rows: &[[f32; BLOCK]; BLOCK], to: &mut [[f32; BLOCK]; BLOCK]) {
            let mut registers = [I::Eight::splat(0.0); BLOCK];
            for (register, row) in registers.iter_mut().zip(rows) {
                // SAFETY: a row has eight elements.
                *register = unsafe { I::Eight::load(row.as_ptr()) };
            }
            for (register, row) in I::Eight::transpose(registers).into_iter().zip(to) {
                // SAFETY: a row has eight elements.
                unsafe { register.store_blocks(row.as_mut_ptr(), 0) };
            }
        }
    }

    for_each_isa! {
        /// Blocks, repetition and extremes of the widest register.
        unsafe fn wide<I>(from: &[f32; 24], to: &mut [f32; 24]) -> usize {
            let nan = I::Wide::splat(f32::NAN);
            // SAFETY: two blocks lie sixteen elements apart in 24.
            unsafe {
                let x = I::Wide::load_blocks(from.as_ptr(), 16);
                let y = x.max(I::Wide::splat(3.0)).min(I::Wide::repeat(from.as_ptr().add(8)));
                y.max_or_nan(x).store_blocks(to.as_mut_ptr(), 16);
                assert!({
                    let mut lanes = [0f32; 16];
                    nan.max_or_nan(x).add(x.max_or_nan(nan)).store_blocks(lanes.as_mut_ptr(), BLOCK);
                    lanes[..I::Wide::COUNT].iter().all(|v| v.is_nan())
                });
            }
            I::Wide::COUNT / BLOCK
        }
    }

    #[test]
    fn every_level_transposes() {
        let rows = std::array::from_fn(|i| std::array::from_fn(|j| (i * BLOCK + j) as f32));
        for level in Level::available() {
            let mut to = [[0f32; BLOCK]; BLOCK];
            // SAFETY: the function needs no promise.
            unsafe { transposed(level, &rows, &mut to) };
            for (i, row) in to.iter().enumerate() {
                assert_eq!(*row, std::array::from_fn(|j| (j * BLOCK + i) as f32), "{level:?}");
            }
        }
    }

    #[test]
    fn every_level_reads_and_writes_the_blocks_that_a_register_has() {
        let from = std::array::from_fn(|i| (i % 7) as f32);
        for level in Level::available() {
            let mut to = [-1f32; 24];
            // SAFETY: the function needs no promise.
            let blocks = unsafe { wide(level, &from, &mut to) };
            for (i, found) in to.into_iter().enumerate() {
                let written = i < BLOCK || (16..24).contains(&i) && blocks == 2;
                let expected = from[i].max(3.0).min(from[8 + i % BLOCK]).max(from[i]);
                assert_eq!(found, if written { expected } else { -1.0 }, "{level:?} {i}");
            }
        }
    }
}
