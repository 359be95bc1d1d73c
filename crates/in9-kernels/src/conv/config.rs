//! The settings of a convolution.

use crate::{Error, Result};

/// Stride, padding, dilation and groups of a convolution.
///
/// ```
/// use in9_kernels::Conv2dConfig;
/// let config = Conv2dConfig::new(2, 1).with_groups(32);
/// assert_eq!(config.stride, [2, 2]);
/// assert_eq!(config.padding, [1, 1, 1, 1]);
/// // TensorFlow's "same" padding for a 3×3 kernel with stride 2 on an image of even size:
/// assert_eq!(Conv2dConfig::same([224, 224], [3, 3], [2, 2], [1, 1]).padding, [0, 1, 0, 1]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dConfig {
    /// Stride in pixels, `[vertical, horizontal]`, at least 1.
    pub stride: [usize; 2],
    /// Pixels of zeros around the image, `[top, bottom, left, right]`.
    pub padding: [usize; 4],
    /// Distance of neighbouring kernel taps in pixels, `[vertical, horizontal]`, at least 1.
    pub dilation: [usize; 2],
    /// Number of groups that the channels are split into, at least 1.
    pub groups: usize,
}

impl Default for Conv2dConfig {
    /// Stride 1, no padding, no dilation, one group.
    fn default() -> Self {
        Self { stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 }
    }
}

impl Conv2dConfig {
    /// The same stride on both axes and the same padding on all four sides.
    pub fn new(stride: usize, padding: usize) -> Self {
        Self { stride: [stride; 2], padding: [padding; 4], ..Self::default() }
    }

    /// TensorFlow's "same" padding, which gives `ceil(size / stride)` outputs. If the padding of an axis is
    /// odd, the larger half is at the bottom or right.
    ///
    /// `size` (of the image), `kernel`, `stride` and `dilation` are `[vertical, horizontal]`.
    pub fn same(size: [usize; 2], kernel: [usize; 2], stride: [usize; 2], dilation: [usize; 2]) -> Self {
        let pad = |axis: usize| {
            let step = stride[axis].max(1);
            let reach = (size[axis].div_ceil(step).max(1) - 1) * step
                + dilation[axis] * (kernel[axis].max(1) - 1)
                + 1;
            let total = reach.saturating_sub(size[axis]);
            [total / 2, total - total / 2]
        };
        let ([top, bottom], [left, right]) = (pad(0), pad(1));
        Self { stride, padding: [top, bottom, left, right], dilation, groups: 1 }
    }

    /// The same configuration with this many groups.
    pub fn with_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same configuration with this dilation on both axes.
    pub fn with_dilation(self, dilation: usize) -> Self {
        Self { dilation: [dilation; 2], ..self }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let positive = [
            ("stride", self.stride[0].min(self.stride[1])),
            ("dilation", self.dilation[0].min(self.dilation[1])),
            ("groups", self.groups),
        ];
        match positive.into_iter().find(|&(_, value)| value == 0) {
            Some((parameter, _)) => Err(Error::Zero { op: "conv2d", parameter }),
            None => Ok(()),
        }
    }
}
