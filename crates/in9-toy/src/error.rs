//! What can go wrong, sorted by who is at fault.

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. Each prints as one line that says what was expected, what was found, and what to
/// do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// ρ is not a share.
    #[error("rho out of range (expected 0 to 1, found {found}); give a share between 0 and 1")]
    Rho {
        /// What was asked for.
        found: f64,
    },
    /// A leak is not a share.
    #[error("{dial} leak out of range (expected 0 to 1, found {found}); give a share between 0 and 1")]
    Leak {
        /// `size` or `place`.
        dial: &'static str,
        /// What was asked for.
        found: f64,
    },
    /// No photograph of a class was asked for, or more than names can number.
    #[error("{split} photographs per class (expected 1 to {most}, found {found}); choose another number")]
    PhotographsPerClass {
        /// `training` or `test`.
        split: &'static str,
        /// [`MAX_PER_CLASS`](crate::MAX_PER_CLASS).
        most: u32,
        /// What was asked for.
        found: u32,
    },
    /// Another world, with other settings, stands where this one is wanted.
    #[error(
        "{}: a world with other settings (expected {expected}, found {found}); \
         remove it or choose another folder", path.display()
    )]
    OtherWorld {
        /// The folder.
        path: std::path::PathBuf,
        /// The settings that were asked for, on one line.
        expected: String,
        /// The settings of the world that is there, on one line.
        found: String,
    },
    /// A picture could not be encoded; never seen.
    #[error("cannot encode {photograph}: {source}; report this as a bug")]
    Encode {
        /// Its name.
        photograph: String,
        /// What the encoder said.
        source: image::ImageError,
    },
    /// A file or folder could not be read or written, or is not ours to replace.
    #[error(transparent)]
    Files(#[from] in9_base::Error),
}
