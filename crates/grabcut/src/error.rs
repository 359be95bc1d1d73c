//! What can go wrong: every fault is in what the caller handed over.

use crate::Rect;

/// Why a photograph could not be segmented.
///
/// All variants describe the input; the algorithm itself has no failure. Nothing is written to
/// the workspace that a later call could see.
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
    /// The part of the box inside the image is empty.
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
    /// No pixel starts as background (the box covers the whole image, or the trimap has none), so
    /// the background's colours cannot be learnt.
    #[error("no background pixel to learn from: leave a margin outside the box")]
    NoBackground,
    /// No pixel starts as foreground, so the foreground's colours cannot be learnt.
    #[error("no foreground pixel to learn from")]
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
