//! Random streams that depend on what they are for, never on when or where they are drawn.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random stream of one item for one purpose in one epoch.
///
/// The key is the BLAKE3 hash of all four arguments, so streams of different purposes, items or
/// epochs are independent, and thread count, batch size and interruption change nothing.
///
/// ```
/// use rand_chacha::rand_core::Rng;
/// let draw = |epoch| in9_base::rng::stream(7, "shuffle", 0, epoch).next_u64();
/// assert_eq!(draw(1), draw(1));
/// assert_ne!(draw(1), draw(2));
/// ```
pub fn stream(seed: u64, purpose: &str, item: u64, epoch: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    for number in [seed, item, epoch, purpose.len() as u64] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// A number below `bound` (at least 1), without bias, by rejection.
///
/// Own code rather than a library's, because the sequence is part of the published pairings.
pub fn below(rng: &mut impl Rng, bound: u32) -> u32 {
    debug_assert!(bound > 0);
    // Multiply-and-reject: the high half of a 64-bit product is uniform once the few low halves
    // that would be drawn too often are refused.
    let threshold = bound.wrapping_neg() % bound.max(1);
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(bound);
        if product as u32 >= threshold {
            return (product >> 32) as u32;
        }
    }
}

/// A number in 0.0..1.0 with 24 random bits.
pub fn unit(rng: &mut impl Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1u32 << 24) as f32
}

/// Fisher–Yates shuffle.
pub fn shuffle<T>(rng: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u32 + 1) as usize);
    }
}

/// A 64-bit number for a text, to key streams by name: the first eight bytes of its BLAKE3 hash,
/// little-endian.
pub fn text_key(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_in_every_argument() {
        let first = |s, p, i, e| stream(s, p, i, e).next_u64();
        let base = first(0, "a", 0, 0);
        for other in [first(1, "a", 0, 0), first(0, "b", 0, 0), first(0, "a", 1, 0), first(0, "a", 0, 1)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn published_pairings_depend_on_these_numbers() {
        // Changing the key derivation would silently change everybody's datasets.
        let mut rng = stream(1, "pairing", 2, 3);
        let drawn: Vec<u32> = (0..6).map(|_| below(&mut rng, 10)).collect();
        assert_eq!(drawn, GOLDEN);
    }
    const GOLDEN: [u32; 6] = [1, 0, 4, 0, 7, 4];

    #[test]
    fn below_is_uniform() {
        let mut rng = stream(0, "test", 0, 0);
        let mut counts = [0u32; 9];
        for _ in 0..90_000 {
            counts[below(&mut rng, 9) as usize] += 1;
        }
        // Six standard deviations of a binomial count around 10,000.
        assert!(counts.iter().all(|&n| n.abs_diff(10_000) < 570), "{counts:?}");
    }

    #[test]
    fn shuffle_permutes() {
        let mut items: Vec<u32> = (0..100).collect();
        shuffle(&mut stream(0, "test", 0, 0), &mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
