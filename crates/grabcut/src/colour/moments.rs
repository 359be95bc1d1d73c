//! Count, sum and sum of products of a set of 8-bit colours.
//!
//! All are integers, so the result does not depend on the order of the pixels. Sums of squares fit 64 bits up to
//! 2.8 × 10¹⁴ pixels.

use std::ops::{AddAssign, SubAssign};

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
        for (sum, v) in self.product.iter_mut().zip([r * r, r * g, r * b, g * g, g * b, b * b]) {
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
        let entry =
            |xy: u128, x: u128, y: u128| ((n * xy) as i128 - (x * y) as i128) as f64 / (n as f64 * n as f64);
        [entry(rr, r, r), entry(rg, r, g), entry(rb, r, b), entry(gg, g, g), entry(gb, g, b), entry(bb, b, b)]
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

impl SubAssign for Moments {
    fn sub_assign(&mut self, other: Self) {
        self.count -= other.count;
        for (a, b) in self.sum.iter_mut().zip(other.sum) {
            *a -= b;
        }
        for (a, b) in self.product.iter_mut().zip(other.product) {
            *a -= b;
        }
    }
}

/// Most pixels of a run for [`RunMoments`]: 255² times this fits 32 bits.
pub(crate) const MAX_RUN: usize = 1 << 16;

/// Moments of up to [`MAX_RUN`] pixels that belong to several sets, kept in narrow lanes so that a
/// pixel is added by a few vector instructions.
#[derive(Debug)]
pub(crate) struct RunMoments<const SETS: usize> {
    /// Per set: count, sums, products, as in [`Moments`]; two lanes unused.
    lanes: [[u32; 12]; SETS],
}

impl<const SETS: usize> RunMoments<SETS> {
    /// No pixels.
    pub(crate) fn new() -> Self {
        Self { lanes: [[0; 12]; SETS] }
    }

    /// Adds one pixel to a set, given modulo `SETS`.
    #[inline(always)]
    pub(crate) fn push(&mut self, set: usize, colour: [u8; 3]) {
        let [r, g, b] = colour.map(u32::from);
        let values = [1, r, g, b, r * r, r * g, r * b, g * g, g * b, b * b, 0, 0];
        for (lane, value) in self.lanes[set % SETS].iter_mut().zip(values) {
            *lane += value;
        }
    }

    /// Moves everything to `totals` and starts over.
    pub(crate) fn drain(&mut self, totals: &mut [Moments; SETS]) {
        for (total, lanes) in totals.iter_mut().zip(&mut self.lanes) {
            let [count, r, g, b, rr, rg, rb, gg, gb, bb, _, _] = lanes.map(u64::from);
            *total += Moments { count, sum: [r, g, b], product: [rr, rg, rb, gg, gb, bb] };
            *lanes = [0; 12];
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
    fn a_full_run_does_not_overflow_and_equals_single_pixels() {
        let mut run = RunMoments::<4>::new();
        let mut totals = [Moments::default(); 4];
        let mut expected = totals;
        for i in 0..MAX_RUN {
            let colour = if i % 3 == 0 { [255; 3] } else { [i as u8, 7, (i / 256) as u8] };
            run.push(i % 2, [255; 3]);
            expected[i % 2].push([255; 3]);
            run.push(2, colour);
            expected[2].push(colour);
        }
        run.drain(&mut totals);
        run.drain(&mut totals);
        assert_eq!(totals, expected);
        (0..MAX_RUN).for_each(|_| run.push(3, [255; 3]));
        run.drain(&mut totals);
        assert_eq!(totals[3].product, [65_536 * 65_025; 6]);
    }

    #[test]
    fn an_empty_set_has_finite_moments() {
        assert_eq!(Moments::default().mean(), [0.0; 3]);
        assert_eq!(Moments::default().covariance(), [0.0; 6]);
    }
}
