//! The arithmetic that formulas need, of numbers and of vectors of them.

/// Addition, subtraction, multiplication, element by element.
pub(crate) trait Arithmetic: Copy {
    fn splat(value: f32) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self * factor + term`.
    fn mul_add(self, factor: Self, term: Self) -> Self;
}

/// f32 in an array, for the compiler to vectorise.
#[derive(Clone, Copy)]
pub(crate) struct Array<const N: usize>(pub(crate) [f32; N]);

impl<const N: usize> Array<N> {
    /// `f` of each pair of elements.
    #[inline(always)]
    pub(crate) fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl<const N: usize> Arithmetic for Array<N> {
    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; N])
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        // One instruction on 64-bit ARM, a slow library call elsewhere.
        if cfg!(target_arch = "aarch64") {
            return Self(std::array::from_fn(|i| self.0[i].mul_add(factor.0[i], term.0[i])));
        }
        self.mul(factor).add(term)
    }
}
