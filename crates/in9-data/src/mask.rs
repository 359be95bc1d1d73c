//! Foreground masks, one bit a pixel.

/// A borrowed square mask: bit `y * size + x`, row-major without padding, least significant bit
/// first; 1 is foreground.
///
/// ```
/// let mask = in9_data::MaskBits::new(&[0b0110], 2);
/// assert_eq!([mask.get(0, 0), mask.get(1, 0), mask.get(0, 1), mask.get(1, 1)], [false, true, true, false]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MaskBits<'a> {
    bytes: &'a [u8],
    size: usize,
}

/// Bytes that a mask of `size`×`size` pixels takes.
pub(crate) const fn mask_bytes(size: usize) -> usize {
    (size * size).div_ceil(8)
}

impl<'a> MaskBits<'a> {
    /// A mask of `size`×`size` pixels over `bytes`.
    ///
    /// # Panics
    /// If `bytes` is not exactly ⌈size²/8⌉ long.
    pub fn new(bytes: &'a [u8], size: usize) -> Self {
        assert_eq!(bytes.len(), mask_bytes(size), "bytes of a {size}x{size} mask");
        Self { bytes, size }
    }

    /// The mask of a dataset that has none: no bits.
    pub(crate) fn none(size: usize) -> Self {
        Self { bytes: &[], size }
    }

    /// The packed bits.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Pixels of a side.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether pixel (x, y) is foreground.
    pub fn get(&self, x: usize, y: usize) -> bool {
        self.bit(y * self.size + x)
    }

    pub(crate) fn bit(&self, index: usize) -> bool {
        self.bytes[index / 8] >> (index % 8) & 1 == 1
    }

    /// Number of foreground pixels.
    pub fn area(&self) -> usize {
        self.bytes.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    /// Writes 0 or 1 for each pixel, row-major.
    ///
    /// # Panics
    /// If `out` is not size² long.
    pub fn expand_into(&self, out: &mut [u8]) {
        assert_eq!(out.len(), self.size * self.size, "pixels of the mask");
        for (pixels, &byte) in out.chunks_mut(8).zip(self.bytes) {
            for (bit, pixel) in pixels.iter_mut().enumerate() {
                *pixel = byte >> bit & 1;
            }
        }
    }
}

/// Packs one byte a pixel (0 is background, anything else foreground) into bits.
pub(crate) fn pack(pixels: &[u8], out: &mut Vec<u8>) {
    out.extend(pixels.chunks(8).map(|chunk| {
        chunk.iter().enumerate().fold(0u8, |byte, (bit, &pixel)| byte | u8::from(pixel != 0) << bit)
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_and_expand_are_inverse_at_any_size() {
        for size in 1..20 {
            let pixels: Vec<u8> = (0..size * size).map(|i| u8::from(i % 3 == 0 || i % 7 == 2)).collect();
            let mut bytes = Vec::new();
            pack(&pixels, &mut bytes);
            let mask = MaskBits::new(&bytes, size);
            let mut back = vec![9; size * size];
            mask.expand_into(&mut back);
            assert_eq!(back, pixels);
            assert_eq!(mask.area(), pixels.iter().filter(|&&p| p == 1).count());
            assert!((0..size * size).all(|i| mask.get(i % size, i / size) == (pixels[i] == 1)));
        }
    }
}
