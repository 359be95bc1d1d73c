//! Everything that can go wrong in this crate, sorted by who is at fault.
//!
//! Nothing here names a flag of a program: those who offer a setting know what they call it.

use std::path::{Path, PathBuf};

use in9_data::Normalization;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the path or name concerned, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the caller ----
    /// No architecture has this name.
    #[error("{name}: no such architecture{}", suggestion(.close))]
    UnknownArchitecture {
        /// The name asked for.
        name: String,
        /// Known names that look alike, best first.
        close: Vec<String>,
    },
    /// Something that was left out when this program was compiled.
    #[error("{what}: needs the feature `{feature}` of in9-models, which this program was compiled without")]
    MissingFeature {
        /// What was asked for.
        what: String,
        /// The feature.
        feature: &'static str,
    },
    /// No published weights have this name.
    #[error("{name}: neither a run's folder, nor a weight file, nor published weights{}", known_weights(.known))]
    UnknownWeights {
        /// The name asked for.
        name: String,
        /// Published weights of the architecture, or architectures that are called alike.
        known: Vec<String>,
    },
    /// A setting is outside its range or does not fit another.
    #[error("{name}: not a usable setting (expected {expected}, found {found})")]
    Setting {
        /// The setting, by the name of its field.
        name: String,
        /// The values it may have.
        expected: String,
        /// The value it had.
        found: String,
    },
    /// A tensor does not have the shape that an operation needs.
    #[error("{what}: wrong shape (expected {expected}, found {found:?})")]
    Shape {
        /// The tensor.
        what: String,
        /// The shape in words or numbers.
        expected: String,
        /// The tensor's shape.
        found: Vec<usize>,
    },
    /// The model has no layer of this name whose activation can be asked for.
    #[error("{tap}: {arch} has no such layer (it has {})", .known.join(", "))]
    UnknownTap {
        /// The architecture.
        arch: String,
        /// The name asked for.
        tap: String,
        /// The layers there are.
        known: Vec<String>,
    },
    /// A model whose parameters are frozen was asked to train.
    #[error("{0}: its parameters are frozen; build it from trainable `Params` to train it")]
    Frozen(String),
    /// An architecture that can only be evaluated was asked to train.
    #[error("{0}: can only be evaluated here, not trained")]
    EvaluationOnly(String),
    /// The run's folder holds a run already, and nobody said to go on with it.
    #[error("{}: holds a run already (expected an empty folder, found run.toml)", .0.display())]
    RunExists(PathBuf),
    /// The run's folder holds a run with other settings.
    #[error("{}: a run with other settings (expected the same, found {difference})", .path.display())]
    OtherRun {
        /// Its `run.toml` or checkpoint.
        path: PathBuf,
        /// The first difference.
        difference: String,
    },

    // ---- weights that do not say enough, or something else than was asked for ----
    /// A weight file does not name its architecture, and neither did the caller.
    #[error("{}: does not say which architecture its weights are of", .0.display())]
    ArchitectureUnknown(PathBuf),
    /// A weight file is of another architecture than was asked for.
    #[error("{}: weights of another architecture (expected {asked}, found {found})", .path.display())]
    OtherArchitecture {
        /// The file.
        path: PathBuf,
        /// The architecture asked for.
        asked: String,
        /// What the file says, or is known to be by its digest.
        found: String,
    },
    /// Neither a weight file nor what is known of its architecture says how inputs are normalised.
    #[error("{}: does not say how its inputs are normalised, and {}", .path.display(), disagreement(.arch, .candidates))]
    NormalizationUnknown {
        /// The file.
        path: PathBuf,
        /// The architecture.
        arch: String,
        /// Published weights of the architecture that disagree, with what they need; none if there are none.
        candidates: Vec<(String, Normalization)>,
    },
    /// The outputs of a network are not the classes that it is asked about.
    #[error("{network}: its classes do not fit (expected {expected}, found {found})")]
    Classes {
        /// The network's name.
        network: String,
        /// The classes asked about.
        expected: String,
        /// The first difference.
        found: String,
    },
    /// A program that was asked for scores did not give them.
    #[error("{command}: the scorer {what} (found {found}); its protocol is in SCORER.md")]
    Scorer {
        /// The command that started it.
        command: String,
        /// What it did wrong.
        what: String,
        /// What was found, or how it ended.
        found: String,
    },
    /// A network answered with numbers that are infinite or none.
    #[error("{0}: its scores are not finite numbers: its weights are damaged")]
    NotFinite(String),

    // ---- files ----
    /// The ground under all crates refused: files, folders, ownership.
    #[error(transparent)]
    Base(#[from] in9_base::Error),
    /// Reading or writing failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is there but its contents are not usable.
    #[error("{}: {what} (expected {expected}, found {found})", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Published weights are not in the cache and could not be downloaded.
    #[cfg(feature = "download")]
    #[error("{}: {weights} is not in the cache and {fault}; put the file there by hand (expected {expected}, found no file)", .path.display())]
    Download {
        /// Where the file would be.
        path: PathBuf,
        /// The weights, `arch.tag`.
        weights: String,
        /// How the file is recognised.
        expected: String,
        /// Why they could not be had.
        fault: Box<crate::registry::DownloadFault>,
    },
    /// A weight file is not usable.
    #[error("{}: {fault}", .path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The rule that it breaks.
        fault: Box<crate::weights::Fault>,
    },
    /// A parameter is missing from the weights, or has another shape there.
    #[error("{name}: {what} (expected {expected}, found {found})")]
    Parameter {
        /// The parameter's full name.
        name: String,
        /// What is wrong.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },

    /// The dataset's library refused.
    #[error(transparent)]
    Data(Box<in9_data::Error>),

    // ---- the run ----
    /// The loss became infinite or not a number.
    #[error(
        "training diverged at step {step} (epoch {epoch}): the loss is {loss}; {}",
        .checkpoint.as_ref().map_or_else(
            || "no checkpoint had been written yet".to_owned(),
            |path| format!("the last good checkpoint is {}", path.display()),
        )
    )]
    Diverged {
        /// The step, counted from 0 over the whole run.
        step: u64,
        /// The epoch, counted from 0.
        epoch: u64,
        /// The loss.
        loss: f64,
        /// The newest checkpoint from before.
        checkpoint: Option<PathBuf>,
    },

    // ---- the machine ----
    /// The device is not there, or the program was built without it.
    #[error("{device}: {why}")]
    Device {
        /// The device asked for.
        device: String,
        /// What is missing, and what to do.
        why: String,
    },
    /// A kernel refused its tensors.
    #[error(transparent)]
    Kernel(#[from] in9_kernels::Error),
    /// Candle refused an operation.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl From<in9_data::Error> for Error {
    fn from(error: in9_data::Error) -> Self {
        Error::Data(Box::new(error))
    }
}

#[cfg(feature = "cuda")]
impl From<in9_cuda::device::Error> for Error {
    fn from(error: in9_cuda::device::Error) -> Self {
        Error::Tensor(error.into())
    }
}

impl Error {
    /// What a GPU's errors say when its memory is used up: in9-cuda's words and the driver's.
    pub(crate) const OUT_OF_MEMORY: &str = "CUDA_ERROR_OUT_OF_MEMORY";

    /// Whether a smaller batch may do.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        let text = self.to_string();
        matches!(self, Self::Device { .. } | Self::Kernel(_) | Self::Tensor(_))
            && (text.contains(Self::OUT_OF_MEMORY) || text.contains("the GPU's memory is used up"))
    }

    /// For `map_err`: an input/output error at `path`.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, source }
    }

    /// A file whose contents are not usable.
    pub(crate) fn file(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Error {
        Error::File {
            path: path.as_ref().to_path_buf(),
            what: what.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// A setting that is not usable.
    pub(crate) fn setting(
        name: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Error {
        Error::Setting { name: name.into(), expected: expected.into(), found: found.to_string() }
    }
}

fn suggestion(close: &[String]) -> String {
    if close.is_empty() { String::new() } else { format!(" (did you mean {}?)", close.join(" or ")) }
}

fn known_weights(known: &[String]) -> String {
    match known {
        [] => String::new(),
        known => format!(" (expected {})", known.join(", ")),
    }
}

fn disagreement(arch: &str, candidates: &[(String, Normalization)]) -> String {
    if arch.is_empty() {
        return "its architecture is not known".to_owned();
    }
    if candidates.is_empty() {
        return format!("there are no published weights of {arch} to go by");
    }
    let one = |(name, Normalization { mean, std }): &(String, Normalization)| {
        let three = |v: &[f32; 3]| v.map(|v| v.to_string()).join(" ");
        format!("{name}: mean {}, std {}", three(mean), three(std))
    };
    let all: Vec<String> = candidates.iter().map(one).collect();
    format!("published weights of {arch} differ ({})", all.join("; "))
}

#[cfg(feature = "onnx")]
impl From<in9_onnx::Error> for Error {
    fn from(error: in9_onnx::Error) -> Self {
        match error {
            in9_onnx::Error::Base(error) => Self::Base(error),
            in9_onnx::Error::File { path, what, expected, found } => {
                Self::File { path, what, expected, found }
            }
        }
    }
}
