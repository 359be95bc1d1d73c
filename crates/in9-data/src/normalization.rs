//! Pixels to network input.

/// Mean and standard deviation of each channel (RGB, pixel values scaled to 0..=1): a channel value
/// v becomes (v / 255 − mean) / std.
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

    /// Factor and offset of each channel: value = byte · factor + offset.
    pub(crate) fn linear(&self) -> [(f32, f32); 3] {
        std::array::from_fn(|c| (1.0 / (255.0 * self.std[c]), -self.mean[c] / self.std[c]))
    }
}
