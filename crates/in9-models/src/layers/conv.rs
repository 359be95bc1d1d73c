//! The description of a convolution, shared by the layers that hold one.

use candle_core::Tensor;
use in9_kernels::Conv2dConfig;

use crate::error::Result;
use crate::init::Init;
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
        let (stride, dilation) = ([self.stride; 2], [self.dilation; 2]);
        let config = match self.padding {
            Padding::Fixed(padding) => Conv2dConfig { stride, padding, dilation, groups: 1 },
            Padding::TensorFlow => {
                let size = match x.dims() {
                    // In blocks of channels.
                    &[_, _, height, width, _] => [height, width],
                    _ => x.dims4().map(|(_, _, height, width)| [height, width])?,
                };
                Conv2dConfig::same(size, [self.kernel; 2], stride, dilation)
            }
        };
        Ok(config.with_groups(self.groups))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn tensorflow_padding_puts_the_odd_zero_last() {
        let x = Tensor::zeros((1, 3, 224, 225), DType::F32, &Device::Cpu).unwrap();
        let conv = Conv::new(3, 8, 3).stride(2).tensorflow_padding();
        assert_eq!(conv.config(&x).unwrap().padding, [0, 1, 1, 1]);
    }
}
