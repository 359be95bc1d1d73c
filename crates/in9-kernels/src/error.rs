//! What can go wrong, sorted by who is at fault.

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate.
///
/// All variants but [`Error::Candle`] are faults of the caller, found before anything is computed. The
/// type converts into [`candle_core::Error`], so `?` works inside Candle's own traits too.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use in9_kernels::{Conv2dConfig, Error, conv2d};
///
/// let x = Tensor::zeros((1, 3, 8, 8), DType::F32, &Device::Cpu)?;
/// let w = Tensor::zeros((4, 2, 3, 3), DType::F32, &Device::Cpu)?;
/// match conv2d(&x, &w, None, &Conv2dConfig::new(1, 1)) {
///     Err(Error::Shape { argument, found, .. }) => assert_eq!((argument, found), ("w", vec![4, 2, 3, 3])),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The shape of an argument does not fit the others, or the operation.
    #[error("{op}: {argument} has shape {found:?}, expected {expected}")]
    Shape {
        /// The function that was called.
        op: &'static str,
        /// The argument at fault.
        argument: &'static str,
        /// What would fit, as a shape or in words.
        expected: String,
        /// The shape that was passed.
        found: Vec<usize>,
    },
    /// A real parameter is out of its range (or NaN).
    #[error("{op}: {parameter} is {found}, expected {allowed}")]
    Range {
        /// The function that was called.
        op: &'static str,
        /// The parameter at fault.
        parameter: &'static str,
        /// The values that are allowed, in words.
        allowed: &'static str,
        /// The value that was passed.
        found: f64,
    },
    /// A size or distance that must be at least 1 is 0.
    #[error("{op}: {parameter} is 0, expected at least 1")]
    Zero {
        /// The function that was called.
        op: &'static str,
        /// The parameter at fault.
        parameter: &'static str,
    },
    /// The padding of a pooling layer is as wide as its kernel, so that a window may hold padding only.
    #[error("{op}: padding {padding:?} is not less than the kernel {kernel:?}")]
    Padding {
        /// The function that was called.
        op: &'static str,
        /// The padding: `[top, bottom, left, right]`.
        padding: [usize; 4],
        /// The kernel: `[vertical, horizontal]`.
        kernel: [usize; 2],
    },
    /// [`assemble_channels`](crate::assemble_channels) was asked for a channel that an input does not have.
    #[error("assemble_channels: {argument} has no channel {channel}, only {channels} channels")]
    Channel {
        /// The input, `a` or `b`.
        argument: &'static str,
        /// The channel that was asked for.
        channel: usize,
        /// The number of channels of the input.
        channels: usize,
    },
    /// [`assemble_channels`](crate::assemble_channels) was asked to use a channel twice.
    #[error("assemble_channels: channel {channel} of {argument} is used twice")]
    RepeatedChannel {
        /// The input, `a` or `b`.
        argument: &'static str,
        /// The channel that was asked for.
        channel: usize,
    },
    /// A target of [`cross_entropy`](crate::cross_entropy) is a class that the logits do not have.
    #[error("cross_entropy: target {index} is class {found}, expected less than {classes}")]
    Target {
        /// Position in the batch.
        index: usize,
        /// The class found there.
        found: u32,
        /// The number of classes.
        classes: usize,
    },
    /// Candle failed: data types or devices differ, or memory ran out.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(error) => error,
            other => candle_core::Error::wrap(other),
        }
    }
}

impl Error {
    pub(crate) fn shape(
        op: &'static str,
        argument: &'static str,
        expected: impl Into<String>,
        found: &[usize],
    ) -> Self {
        Self::Shape { op, argument, expected: expected.into(), found: found.to_vec() }
    }
}
