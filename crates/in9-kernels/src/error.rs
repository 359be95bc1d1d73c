//! What can go wrong, sorted by who is at fault.

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate.
///
/// It converts into [`candle_core::Error`], so `?` works inside Candle's own traits too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller passed tensors whose shapes do not fit each other.
    #[error("{op}: {what} has shape {found:?}, expected {expected}")]
    Shape {
        /// The operation that refused.
        op: &'static str,
        /// The argument that does not fit.
        what: &'static str,
        /// What would fit, in words or as a shape.
        expected: String,
        /// The shape that was passed.
        found: Vec<usize>,
    },
    /// The caller passed a setting out of its range.
    #[error("{op}: {what} is {found}, expected {expected}")]
    Setting {
        /// The operation that refused.
        op: &'static str,
        /// The setting.
        what: &'static str,
        /// The values that are allowed.
        expected: &'static str,
        /// The value that was passed.
        found: String,
    },
    /// The caller passed a target class that the logits do not have.
    #[error("cross_entropy: target {index} is class {found}, expected less than {classes}")]
    Target {
        /// Position in the batch.
        index: usize,
        /// The class found there.
        found: u32,
        /// The number of classes.
        classes: usize,
    },
    /// Candle refused: the data types or devices differ, or memory ran out.
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
        what: &'static str,
        expected: impl Into<String>,
        found: &[usize],
    ) -> Self {
        Self::Shape { op, what, expected: expected.into(), found: found.to_vec() }
    }
}
