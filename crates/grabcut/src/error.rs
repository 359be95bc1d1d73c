//! What can go wrong: every fault is in the input.

use crate::Rect;

/// Why a image could not be segmented.
///
/// All variants describe the input; the algorithm itself cannot fail. After an error the workspace can be used
/// as before.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The pixel buffer does not hold `width × height × 3` bytes.
    #[error("pixel buffer of a {width}x{height} image must have {expected} bytes, found {found}")]
    BufferSize {
        /// Width given, in pixels.
        width: usize,
        /// Height given, in pixels.
        height: usize,
        /// Bytes that an interleaved RGB image of this size has.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// A side of the image is zero.
    #[error("image of {width}x{height} has no pixels")]
    EmptyImage {
        /// Width given, in pixels.
        width: usize,
        /// Height given, in pixels.
        height: usize,
    },
    /// The image has more pixels than [`Params::max_pixels`](crate::Params::max_pixels) allows.
    #[error("image of {pixels} pixels is over the limit of {limit}")]
    TooManyPixels {
        /// Pixels of the image.
        pixels: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The box has no pixel inside the image.
    #[error(
        "box x {}..{}, y {}..{} has no pixel inside the {width}x{height} image",
        rect.x0, rect.x1, rect.y0, rect.y1
    )]
    EmptyBox {
        /// The box as given.
        rect: Rect,
        /// Width of the image, in pixels.
        width: usize,
        /// Height of the image, in pixels.
        height: usize,
    },
    /// The trimap does not have one label per pixel.
    #[error("trimap must have {expected} labels, found {found}")]
    TrimapSize {
        /// Pixels of the image.
        expected: usize,
        /// Labels found.
        found: usize,
    },
    /// No pixel starts as background (the box covers the whole image, or the trimap has none), so its colour
    /// model cannot be fitted.
    #[error("no background pixel to learn from: the box covers the whole image, or the trimap has none")]
    NoBackground,
    /// No pixel starts as foreground, so its colour model cannot be fitted.
    #[error("no foreground pixel to learn from: the trimap has none")]
    NoForeground,
    /// A parameter is out of its range.
    #[error("parameter {name} must be {expected}, found {found}")]
    Parameter {
        /// Name of the field of [`Params`](crate::Params).
        name: &'static str,
        /// Allowed range, in words.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
}
