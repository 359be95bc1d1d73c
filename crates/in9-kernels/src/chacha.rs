//! ChaCha with 8 rounds as a random function of (key, position).

/// A stream of random words that can be read at any position.
pub(crate) struct ChaCha8 {
    state: [u32; 16],
}

impl ChaCha8 {
    /// Words of a block.
    pub(crate) const WORDS: usize = 16;

    /// The stream of a key. The cipher's 256-bit key is the 64-bit one, then zeros.
    pub(crate) fn new(key: u64) -> Self {
        let mut state = [0u32; 16];
        // "expand 32-byte k", the constant of the cipher.
        state[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        state[4] = key as u32;
        state[5] = (key >> 32) as u32;
        Self { state }
    }

    /// Block number `index` of the stream.
    #[inline]
    pub(crate) fn block(&self, index: u64) -> [u32; Self::WORDS] {
        let mut start = self.state;
        start[12] = index as u32;
        start[13] = (index >> 32) as u32;
        let mut s = start;
        for _ in 0..4 {
            quarter(&mut s, 0, 4, 8, 12);
            quarter(&mut s, 1, 5, 9, 13);
            quarter(&mut s, 2, 6, 10, 14);
            quarter(&mut s, 3, 7, 11, 15);
            quarter(&mut s, 0, 5, 10, 15);
            quarter(&mut s, 1, 6, 11, 12);
            quarter(&mut s, 2, 7, 8, 13);
            quarter(&mut s, 3, 4, 9, 14);
        }
        for (word, start) in s.iter_mut().zip(start) {
            *word = word.wrapping_add(start);
        }
        s
    }
}

#[inline(always)]
fn quarter(s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (left, right) in [(16, 12), (8, 7)] {
        s[a] = s[a].wrapping_add(s[b]);
        s[d] = (s[d] ^ s[a]).rotate_left(left);
        s[c] = s[c].wrapping_add(s[d]);
        s[b] = (s[b] ^ s[c]).rotate_left(right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    #[test]
    fn equals_the_published_cipher() {
        let key = 0x0123_4567_89ab_cdef_u64;
        let mut seed = [0u8; 32];
        seed[..8].copy_from_slice(&key.to_le_bytes());
        let mut reference = ChaCha8Rng::from_seed(seed);
        let ours = ChaCha8::new(key);
        for block in 0..5 {
            for word in ours.block(block) {
                assert_eq!(word, reference.next_u32());
            }
        }
    }
}
