//! cuDNN's descriptors, freed when they are dropped.

use cudarc::cudnn::{CudnnError, result, sys};

use super::super::{Error, Result};
use super::plans::{Key, Layout};
use crate::launch::Element;

/// An error with what was asked.
pub(super) fn asked(what: &str) -> impl FnOnce(CudnnError) -> Error + '_ {
    move |error| Error::Cudnn { what: what.to_owned(), error }
}

macro_rules! owned {
    ($name:ident, $raw:ty, $destroy:path) => {
        pub(super) struct $name(pub(super) $raw);

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: it was created once and is destroyed here only. Nothing can be done about a refusal.
                let _ = unsafe { $destroy(self.0) };
            }
        }
    };
}
owned!(TensorDescriptor, sys::cudnnTensorDescriptor_t, result::destroy_tensor_descriptor);
owned!(FilterDescriptor, sys::cudnnFilterDescriptor_t, result::destroy_filter_descriptor);
owned!(ConvolutionDescriptor, sys::cudnnConvolutionDescriptor_t, result::destroy_convolution_descriptor);
owned!(Handle, sys::cudnnHandle_t, result::destroy_handle);

/// Image, filters, result and settings of a convolution.
pub(super) struct Descriptors {
    pub(super) x: TensorDescriptor,
    pub(super) w: FilterDescriptor,
    pub(super) y: TensorDescriptor,
    pub(super) bias: TensorDescriptor,
    pub(super) conv: ConvolutionDescriptor,
}

impl Descriptors {
    pub(super) fn new(key: &Key, layout: Layout, tf32: bool) -> Result<Self> {
        let (c, what) = (&key.conv, "describing a convolution");
        let format = match layout {
            Layout::Last => sys::cudnnTensorFormat_t::CUDNN_TENSOR_NHWC,
            Layout::First => sys::cudnnTensorFormat_t::CUDNN_TENSOR_NCHW,
        };
        let (data, math) = match key.element {
            Element::Bf16 => {
                (sys::cudnnDataType_t::CUDNN_DATA_BFLOAT16, sys::cudnnMathType_t::CUDNN_TENSOR_OP_MATH)
            }
            _ if tf32 => (sys::cudnnDataType_t::CUDNN_DATA_FLOAT, sys::cudnnMathType_t::CUDNN_DEFAULT_MATH),
            _ => (sys::cudnnDataType_t::CUDNN_DATA_FLOAT, sys::cudnnMathType_t::CUDNN_FMA_MATH),
        };
        let int = |v: usize| v as i32;
        let tensor = |sizes: [usize; 4]| -> Result<TensorDescriptor> {
            let descriptor = TensorDescriptor(result::create_tensor_descriptor().map_err(asked(what))?);
            // SAFETY: the descriptor was just created.
            unsafe { result::set_tensor4d_descriptor(descriptor.0, format, data, sizes.map(int)) }
                .map_err(asked(what))?;
            Ok(descriptor)
        };
        let x = tensor([c.n, c.channels[0], c.input[0], c.input[1]])?;
        let y = tensor([c.n, c.channels[1], c.output[0], c.output[1]])?;
        let bias = tensor([1, c.channels[1], 1, 1])?;
        let w = FilterDescriptor(result::create_filter_descriptor().map_err(asked(what))?);
        let sizes = [c.channels[1], c.channels[0] / c.groups, c.kernel[0], c.kernel[1]];
        let conv = ConvolutionDescriptor(result::create_convolution_descriptor().map_err(asked(what))?);
        // SAFETY: both descriptors were just created.
        unsafe {
            result::set_filter4d_descriptor(w.0, data, format, sizes.map(int)).map_err(asked(what))?;
            result::set_convolution2d_descriptor(
                conv.0,
                int(c.padding[0]),
                int(c.padding[2]),
                int(c.stride[0]),
                int(c.stride[1]),
                int(c.dilation[0]),
                int(c.dilation[1]),
                sys::cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION,
                sys::cudnnDataType_t::CUDNN_DATA_FLOAT,
            )
            .map_err(asked(what))?;
            result::set_convolution_group_count(conv.0, int(c.groups)).map_err(asked(what))?;
            result::set_convolution_math_type(conv.0, math).map_err(asked(what))?;
        }
        Ok(Self { x, w, y, bias, conv })
    }
}
