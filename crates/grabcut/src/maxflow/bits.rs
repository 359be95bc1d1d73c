//! A set of nodes of a padded grid, one bit each, of which 64 are looked at together.

use super::grid::Shape;

/// Bits in a word.
const WORD: usize = 64;

/// A set of nodes.
#[derive(Debug, Default)]
pub(super) struct Bits {
    /// Begins and ends with enough empty words that the neighbours of every node are inside.
    words: Vec<u64>,
    /// Empty bits before the first node.
    margin: usize,
    stride: usize,
}

impl Bits {
    /// Takes the nodes for which `contains` holds, of a grid of `shape` with one item a node.
    #[inline(always)]
    pub(super) fn fill<T: Copy>(&mut self, shape: Shape, items: &[T], contains: impl Fn(T) -> bool) {
        self.stride = shape.stride();
        let margin = (self.stride + 1).div_ceil(WORD);
        self.margin = margin * WORD;
        self.words.clear();
        self.words.resize(margin, 0);
        self.words.extend(items.chunks(WORD).map(|items| {
            let mut bytes = [0_u8; WORD];
            for (byte, &item) in bytes.iter_mut().zip(items) {
                *byte = u8::from(contains(item));
            }
            let mut word = 0;
            for (i, eight) in bytes.chunks_exact(8).enumerate() {
                // Each byte is 0 or 1; the product gathers them in its highest byte, the first as the lowest bit.
                let eight = eight.iter().rev().fold(0_u64, |word, &byte| word << 8 | u64::from(byte));
                word |= (eight.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
            }
            word
        }));
        self.words.resize(self.words.len() + margin + 1, 0);
    }

    /// Appends the nodes of the set that have a neighbour outside it to `border`.
    #[inline(always)]
    pub(super) fn border(&self, border: &mut Vec<u32>) {
        self.select(border, |at| {
            let mut within = u64::MAX;
            for row in [at - self.stride, at, at + self.stride] {
                within &= self.word(row - 1) & self.word(row) & self.word(row + 1);
            }
            !within
        });
    }

    /// Appends the nodes of the set that have a neighbour in `others` to `beside`.
    #[inline(always)]
    pub(super) fn beside(&self, others: &Self, beside: &mut Vec<u32>) {
        self.select(beside, |at| {
            let mut near = 0;
            for row in [at - self.stride, at, at + self.stride] {
                near |= others.word(row - 1) | others.word(row) | others.word(row + 1);
            }
            near
        });
    }

    /// Appends the nodes of the set whose bit in `wanted` is set, which is given the first of 64 places.
    #[inline(always)]
    fn select(&self, selected: &mut Vec<u32>, wanted: impl Fn(usize) -> u64) {
        let places = self.margin..self.words.len() * WORD - self.margin - WORD;
        for at in places.step_by(WORD) {
            let set = self.word(at);
            if set == 0 {
                continue;
            }
            let mut left = set & wanted(at);
            while left != 0 {
                selected.push((at - self.margin) as u32 + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    /// The 64 bits from bit `at` on.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let (word, shift) = (at / WORD, at % WORD);
        self.words[word] >> shift | (self.words[word + 1] << 1) << (WORD - 1 - shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_with_a_neighbour_outside_or_in_another_set_are_found() {
        for (width, height) in [(1, 1), (3, 2), (9, 30), (70, 5), (64, 64)] {
            let shape = Shape { width, height };
            let inside = |node: usize| node > shape.stride() && node < shape.nodes() - shape.stride() - 1;
            let set: Vec<bool> = (0..shape.nodes()).map(|node| inside(node) && node % 23 % 5 != 0).collect();
            let others: Vec<bool> = set.iter().zip(0..).map(|(&set, node)| !set && node % 3 == 0).collect();
            let [mut bits, mut other_bits] = [Bits::default(), Bits::default()];
            bits.fill(shape, &set, |item| item);
            other_bits.fill(shape, &others, |item| item);
            let around = |node: &u32| shape.offsets().map(|offset| (*node as usize).wrapping_add(offset));
            let nodes = || (0..set.len() as u32).filter(|&node| set[node as usize]);
            let (mut border, mut beside) = (Vec::new(), Vec::new());
            bits.border(&mut border);
            bits.beside(&other_bits, &mut beside);
            let expected = nodes().filter(|node| around(node).iter().any(|&to| !set[to]));
            assert_eq!(border, expected.collect::<Vec<_>>());
            let expected = nodes().filter(|node| around(node).iter().any(|&to| others[to]));
            assert_eq!(beside, expected.collect::<Vec<_>>());
        }
    }
}
