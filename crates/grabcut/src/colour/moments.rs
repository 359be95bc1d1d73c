//! Count, sum and sum of products of a set of 8-bit colours.
//!
//! All are integers, so the result does not depend on the order of the pixels or on how they
//! were divided between threads. Sums of squares fit 64 bits up to 2.8 × 10¹⁴ pixels.

use std::ops::AddAssign;

/// Sufficient statistics of a Gaussian over RGB colours in `0..=255`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moments {
    /// Number of pixels.
    pub(crate) count: u64,
    /// Σ r, Σ g, Σ b.
    pub(crate) sum: [u64; 3],
    /// Σ rr, Σ rg, Σ rb, Σ gg, Σ gb, Σ bb.
    pub(crate) product: [u64; 6],
}

impl Moments {
    /// Adds one pixel.
    #[inline(always)]
    pub(crate) fn push(&mut self, [r, g, b]: [u8; 3]) {
        let (r, g, b) = (u32::from(r), u32::from(g), u32::from(b));
        self.count += 1;
        for (sum, v) in self.sum.iter_mut().zip([r, g, b]) {
            *sum += u64::from(v);
        }
        for (sum, v) in self
            .product
            .iter_mut()
            .zip([r * r, r * g, r * b, g * g, g * b, b * b])
        {
            *sum += u64::from(v);
        }
    }

    /// Mean colour; black for no pixel.
    pub(crate) fn mean(&self) -> [f64; 3] {
        let n = self.count.max(1) as f64;
        self.sum.map(|s| s as f64 / n)
    }

    /// Maximum-likelihood covariance: rr, rg, rb, gg, gb, bb; zeros for no pixel.
    pub(crate) fn covariance(&self) -> [f64; 6] {
        let n = u128::from(self.count.max(1));
        let [r, g, b] = self.sum.map(u128::from);
        let [rr, rg, rb, gg, gb, bb] = self.product.map(u128::from);
        // n Σxy − Σx Σy as integers: no cancellation, whatever the mean.
        let entry = |xy: u128, x: u128, y: u128| {
            ((n * xy) as i128 - (x * y) as i128) as f64 / (n as f64 * n as f64)
        };
        [
            entry(rr, r, r),
            entry(rg, r, g),
            entry(rb, r, b),
            entry(gg, g, g),
            entry(gb, g, b),
            entry(bb, b, b),
        ]
    }
}

impl AddAssign for Moments {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        for (a, b) in self.sum.iter_mut().zip(other.sum) {
            *a += b;
        }
        for (a, b) in self.product.iter_mut().zip(other.product) {
            *a += b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_covariance_of_two_colours() {
        let mut m = Moments::default();
        m.push([0, 10, 255]);
        m.push([4, 10, 253]);
        assert_eq!(m.mean(), [2.0, 10.0, 254.0]);
        assert_eq!(m.covariance(), [4.0, 0.0, -2.0, 0.0, 0.0, 1.0]);
        let mut twice = m;
        twice += m;
        assert_eq!(twice.covariance(), m.covariance());
    }

    #[test]
    fn nothing_has_finite_moments() {
        assert_eq!(Moments::default().mean(), [0.0; 3]);
        assert_eq!(Moments::default().covariance(), [0.0; 6]);
    }
}
