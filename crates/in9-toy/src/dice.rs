//! Random draws for drawing: every decision of a photograph comes from a [`Dice`].

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Draws numbers from one stream, by conversions that are fixed here rather than by a library
/// whose sampling may change between versions.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of one photograph for one purpose (`toy/train/object`, …).
    pub(crate) fn new(seed: u64, purpose: &str, item: u64) -> Dice {
        Dice(in9_base::rng::stream(seed, purpose, item, 0))
    }

    /// 32 random bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in [low, high).
    pub(crate) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    /// Uniform in 0…n−1; `n` must be positive. The bias is below n·2⁻³².
    pub(crate) fn index(&mut self, n: usize) -> usize {
        ((u64::from(self.bits()) * n as u64) >> 32) as usize
    }

    /// One of a non-empty list.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// +1 or −1.
    pub(crate) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Bell-shaped in (−1, 1) with standard deviation 1/3: the mean of three uniform draws.
    pub(crate) fn bell(&mut self) -> f32 {
        (self.unit() + self.unit() + self.unit()) * (2.0 / 3.0) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_key_same_draws() {
        let draw = |item| {
            let mut dice = Dice::new(7, "toy/test", item);
            (0..8).map(|_| dice.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn draws_stay_in_range_and_are_centred() {
        let mut dice = Dice::new(1, "toy/test", 0);
        let mut sum = 0.0;
        let mut seen = [0u32; 9];
        for _ in 0..9000 {
            let bell = dice.bell();
            assert!(bell.abs() <= 1.0);
            sum += bell;
            seen[dice.index(9)] += 1;
        }
        assert!((sum / 9000.0).abs() < 0.02);
        assert!(seen.iter().all(|&n| (850..1150).contains(&n)), "{seen:?}");
    }
}
