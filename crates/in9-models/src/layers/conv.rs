//! The description of a convolution, shared by the layers that hold one.

use candle_core::Tensor;

use crate::error::Result;
use crate::init::Init;
use crate::ops::Conv2dConfig;
use crate::params::{Kind, Params};

/// Zeros around the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// `[top, bottom, left, right]` pixels.
    Fixed([usize; 4]),
    /// TensorFlow's "same": an output of `ceil(input / stride)`, the odd zero at the end.
    TensorFlow,
}

/// A two-dimensional convolution: sizes, stride, padding, dilation, groups.
///
/// Starts as PyTorch's "same" for odd kernels: stride 1, padding `(kernel - 1) / 2`.
///
/// ```
/// use in9_models::layers::Conv;
/// let depthwise = Conv::new(64, 64, 3).stride(2).groups(64);
/// assert_eq!(depthwise.weight_shape(), [64, 1, 3, 3]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: Padding,
    dilation: usize,
    groups: usize,
    init: Init,
}

impl Conv {
    /// A square kernel from `inputs` to `outputs` channels.
    pub fn new(inputs: usize, outputs: usize, kernel: usize) -> Self {
        Self {
            inputs,
            outputs,
            kernel,
            stride: 1,
            padding: Padding::Fixed([kernel.saturating_sub(1) / 2; 4]),
            dilation: 1,
            groups: 1,
            init: Init::KaimingFanOut,
        }
    }

    /// The same with this stride on both axes.
    pub fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    /// The same with this many zeros on all four sides.
    pub fn padding(self, pixels: usize) -> Self {
        Self { padding: Padding::Fixed([pixels; 4]), ..self }
    }

    /// The same with TensorFlow's padding.
    pub fn tensorflow_padding(self) -> Self {
        Self { padding: Padding::TensorFlow, ..self }
    }

    /// The same with this distance between the kernel's taps.
    pub fn dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// The same with channels split into this many groups.
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same with other initial weights (the default is [`Init::KaimingFanOut`]).
    pub fn init(self, init: Init) -> Self {
        Self { init, ..self }
    }

    /// Number of output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// `[outputs, inputs / groups, kernel, kernel]`.
    pub fn weight_shape(&self) -> [usize; 4] {
        let inputs = self.inputs / self.groups;
        [self.outputs, inputs, self.kernel, self.kernel]
    }

    /// The parameter `name.weight`.
    pub(crate) fn weight(&self, params: &Params, name: &str) -> Result<Tensor> {
        let shape = self.weight_shape();
        let params = params.at(name);
        Ok(params.get("weight", &shape, Kind::Weight, self.init)?.value)
    }

    /// The kernels' settings for a picture of this size.
    pub(crate) fn config(&self, x: &Tensor) -> Result<Conv2dConfig> {
        let padding = match self.padding {
            Padding::Fixed(padding) => padding,
            Padding::TensorFlow => {
                let (_, _, height, width) = x.dims4()?;
                let (top, bottom) = self.same(height);
                let (left, right) = self.same(width);
                [top, bottom, left, right]
            }
        };
        Ok(Conv2dConfig {
            stride: [self.stride; 2],
            padding,
            dilation: [self.dilation; 2],
            groups: self.groups,
        })
    }

    fn same(&self, size: usize) -> (usize, usize) {
        let reach = (size.div_ceil(self.stride).max(1) - 1) * self.stride
            + self.dilation * self.kernel.saturating_sub(1)
            + 1;
        let total = reach.saturating_sub(size);
        (total / 2, total - total / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensorflow_padding_puts_the_odd_zero_last() {
        let conv = Conv::new(3, 8, 3).stride(2);
        assert_eq!(conv.same(224), (0, 1));
        assert_eq!(conv.same(225), (1, 1));
        assert_eq!(Conv::new(3, 8, 5).same(7), (2, 2));
        assert_eq!(Conv::new(3, 8, 1).stride(2).same(9), (0, 0));
    }
}
