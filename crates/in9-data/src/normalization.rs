//! Pixels to network input.

use crate::planes::normalize;

/// Mean and standard deviation of each channel (RGB, pixel values scaled to 0..=1): a channel value
/// v becomes (v / 255 − mean) / std.
///
/// Every network input of this workspace is made here, so that the same picture gives the same bits
/// whoever shows it to a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Means of R, G, B.
    pub mean: [f32; 3],
    /// Standard deviations of R, G, B.
    pub std: [f32; 3],
}

impl Normalization {
    /// The paper's constants for networks with its nine classes.
    pub const IMAGENET_9: Self = Self { mean: [0.4717, 0.4499, 0.3837], std: [0.2600, 0.2516, 0.2575] };
    /// The usual constants for ImageNet classifiers.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
    /// To −1..=1.
    pub const HALF: Self = Self { mean: [0.5; 3], std: [0.5; 3] };

    /// Whether every mean is a number and every deviation a number above 0.
    pub fn is_usable(&self) -> bool {
        let positive = |v: &f32| v.is_finite() && *v > 0.0;
        self.mean.iter().all(|v| v.is_finite()) && self.std.iter().all(positive)
    }

    /// A picture's RGB bytes as network input.
    ///
    /// # Shapes
    /// - `rgb`: `[h, w, 3]`
    /// - `planes`: `[3, h, w]`, overwritten
    ///
    /// # Panics
    /// If `planes` does not hold as many values as `rgb`.
    pub fn bytes(&self, rgb: &[u8], planes: &mut [f32]) {
        assert_eq!(rgb.len(), planes.len(), "a value a byte");
        let (r, rest) = planes.split_at_mut(rgb.len() / 3);
        let (g, b) = rest.split_at_mut(rgb.len() / 3);
        normalize(rgb, &self.linear(), [r, g, b]);
    }

    /// Pixel values (0..=1 for colours that exist) as network input, in place; a value that is a byte
    /// over 255 gets the bits that [`Normalization::bytes`] gives that byte.
    ///
    /// # Shapes
    /// - `values`: `[n, 3, plane]`
    ///
    /// # Panics
    /// If `plane` is 0.
    pub fn values(&self, values: &mut [f32], plane: usize) {
        let channels = self.linear();
        for (i, channel) in values.chunks_mut(plane).enumerate() {
            let (factor, offset) = channels[i % 3];
            // For every byte b, (b / 255) · 255 is b again in this arithmetic.
            channel.iter_mut().for_each(|v| *v = *v * 255.0 * factor + offset);
        }
    }

    /// Factor and offset of each channel: value = byte · factor + offset.
    pub fn linear(&self) -> [(f32, f32); 3] {
        std::array::from_fn(|c| (1.0 / (255.0 * self.std[c]), -self.mean[c] / self.std[c]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_values_give_the_same_bits() {
        let rgb: Vec<u8> = (0..=255u8).flat_map(|b| [b, 255 - b, b.wrapping_mul(7)]).collect();
        for normalization in [Normalization::IMAGENET_9, Normalization::IMAGENET, Normalization::HALF] {
            let mut planes = vec![0.0; rgb.len()];
            normalization.bytes(&rgb, &mut planes);
            let channel = |c: usize| rgb.iter().skip(c).step_by(3).map(|&b| f32::from(b) / 255.0);
            let mut values: Vec<f32> = (0..3).flat_map(channel).collect();
            normalization.values(&mut values, 256);
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&planes), bits(&values));
        }
    }

    #[test]
    fn constants_that_no_picture_can_be_normalised_with_are_not_usable() {
        assert!(Normalization::IMAGENET.is_usable());
        assert!(!Normalization { std: [0.2, 0.0, 0.2], ..Normalization::HALF }.is_usable());
        assert!(!Normalization { mean: [f32::NAN; 3], ..Normalization::HALF }.is_usable());
    }
}
