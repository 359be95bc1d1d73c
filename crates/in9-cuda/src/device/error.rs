//! What can go wrong on a GPU.

/// The result of this module's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a GPU, its driver or its libraries.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device cannot be used; the line says why and what would help.
    #[error("{0}")]
    Device(String),
    /// The device's memory does not suffice.
    #[error("the GPU's memory is used up; a smaller batch needs less")]
    OutOfMemory,
    /// The driver reports something else.
    #[error("CUDA's driver: {0:?}")]
    Driver(cudarc::driver::DriverError),
    /// cuDNN reports something.
    #[error("cuDNN, {what}: {error:?}")]
    Cudnn {
        /// What was asked of it.
        what: String,
        /// What it answered.
        error: cudarc::cudnn::CudnnError,
    },
    /// A type or a size that no kernel is made for.
    #[error("{0}")]
    Unsupported(String),
    /// Candle reports something.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

impl Error {
    /// What would be made while launches are captured, and outlive the graph.
    pub(super) fn lasting(what: &str) -> Self {
        Self::Unsupported(format!("{what} would have to be made in a graph"))
    }
}

impl From<cudarc::driver::DriverError> for Error {
    fn from(error: cudarc::driver::DriverError) -> Self {
        if error.0 == cudarc::driver::sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
            return Self::OutOfMemory;
        }
        Self::Driver(error)
    }
}

impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(error) => error,
            other => Self::wrap(other),
        }
    }
}
