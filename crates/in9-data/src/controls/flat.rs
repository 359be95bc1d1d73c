//! The mean colour of a photograph's own background.

use crate::mask::MaskBits;

/// Mean of each channel over the photograph's background, 0 to 255, rounded to the nearest; mid grey where the object
/// fills the picture. Sums of whole numbers: the same everywhere.
pub(crate) fn flat_colour(photo: &[u8], mask: MaskBits<'_>) -> [u8; 3] {
    let (mut sums, mut pixels) = ([0u64; 3], 0u64);
    for (index, pixel) in photo.as_chunks::<3>().0.iter().enumerate() {
        if !mask.bit(index) {
            pixels += 1;
            sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
        }
    }
    match pixels {
        0 => [128; 3],
        // A mean of bytes is a byte.
        _ => sums.map(|sum| ((sum + pixels / 2) / pixels) as u8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_no_part_in_the_mean_and_a_full_mask_gives_grey() {
        let photo = [10, 20, 30, 11, 22, 33, 255, 255, 255, 255, 255, 255];
        assert_eq!(flat_colour(&photo, MaskBits::new(&[0b1100], 2)), [11, 21, 32]);
        assert_eq!(flat_colour(&photo, MaskBits::new(&[0b1111], 2)), [128; 3]);
    }
}
