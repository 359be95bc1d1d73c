//! What can go wrong, sorted by who is at fault.

use in9_data::View;
use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the analysis, worded so that it can be shown as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- what the caller asked for ----
    /// No prediction table was given.
    #[error("no prediction table given (expected at least one)")]
    NoTables,
    /// Table 5 of the paper has no network trained on this.
    #[error(
        "no network of the paper's Table 5 was trained on {trained_on} (expected one of its eight views)"
    )]
    NotInPaper {
        /// What was asked for.
        trained_on: String,
    },
    /// Saliency was asked for on a view that needs a second photograph.
    #[error("saliency on {view} would need a pairing (expected a view of one photograph, such as original)")]
    NeedsPairing {
        /// The view.
        view: View,
    },
    /// A network has no layer whose activations have places.
    #[error("no layer with places to tap (expected one of the network's, found {})", taps.join(", "))]
    NoTap {
        /// The layers that the network offers.
        taps: Vec<String>,
    },
    /// The cost of an order was asked of a search that did not try every pair.
    #[error("foreground {foreground} was not tried on background {background}; search exhaustively first")]
    PairNotTried {
        /// The foreground.
        foreground: u32,
        /// The background.
        background: u32,
    },

    // ---- what a file says ----
    /// A file could not be read or written, or a table has mistakes or too much of something.
    #[error(transparent)]
    File(#[from] in9_base::Error),
    /// A prediction table holds no prediction.
    #[error("{}: holds a header and no prediction (expected one row a model, view and image)", path.display())]
    EmptyTable {
        /// The table.
        path: PathBuf,
    },
    /// Prediction tables name more photographs than are kept.
    #[error(
        "the prediction tables name more than {limit} photographs (foregrounds, backgrounds and pictures); score fewer at a time"
    )]
    TooManyNames {
        /// Names that are kept.
        limit: usize,
    },
    /// Two tables name different classes, or the same in another order.
    #[error(
        "{second}: names other classes than {first} (expected {}, found {}); score them apart",
        listed(expected),
        listed(found)
    )]
    DifferentClasses {
        /// The table that named the classes first.
        first: String,
        /// The table that names others.
        second: String,
        /// The first table's classes.
        expected: Vec<String>,
        /// The second table's classes.
        found: Vec<String>,
    },
    /// A foreground has two true classes.
    #[error("{model}: foreground {foreground} has two classes (expected {expected}, found {found})")]
    TwoClasses {
        /// The model whose rows disagree.
        model: String,
        /// The foreground.
        foreground: String,
        /// Index of the class that a row gave first.
        expected: u16,
        /// Index of the class that another row gives.
        found: u16,
    },
    /// A prediction is of a class that its table does not name.
    #[error(
        "{model}: image {image} is of class {found}, and there are {classes} (expected an index below that)"
    )]
    NoSuchClass {
        /// The model.
        model: String,
        /// The image.
        image: String,
        /// The index.
        found: u16,
        /// How many classes there are.
        classes: usize,
    },
    /// Two tables hold the same prediction.
    #[error("{model}: image {image} on {view} is predicted twice, in two tables; give each prediction once")]
    PredictedTwice {
        /// The model.
        model: String,
        /// The view.
        view: View,
        /// The image.
        image: String,
    },
    /// Two models were tested on no image in common, so that they cannot be paired.
    #[error(
        "{first} and {second} share no image, so they cannot be paired (expected predictions on the same views of the \
         same foregrounds, found {foregrounds:?} foregrounds without a common one)"
    )]
    NothingShared {
        /// The first model.
        first: String,
        /// The second model.
        second: String,
        /// How many foregrounds each was tested on.
        foregrounds: [usize; 2],
    },
    /// A foreground has one true class by one model's rows and another by the other's.
    #[error(
        "foreground {foreground} has different classes in the two tables (expected {expected}, found {found})"
    )]
    ClassesDisagree {
        /// The foreground.
        foreground: String,
        /// Index of its class by the first model's rows.
        expected: u16,
        /// Index of its class by the second model's.
        found: u16,
    },
    /// A list of accuracies on ImageNet names a model that has no predictions.
    #[error(
        "{}: line {line}: model {model} has no predictions (expected one of {})",
        path.display(),
        known.join(", ")
    )]
    UnknownModel {
        /// The list.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The model that it names.
        model: String,
        /// The models with predictions.
        known: Vec<String>,
    },
    /// Two datasets hold different pictures by one id, so that their masks cannot be compared.
    #[error(
        "{}: another photograph {id} (expected {expected}, found {found}); build both alike from the same photographs",
        path.display()
    )]
    OtherPhotograph {
        /// The photograph's id.
        id: String,
        /// The dataset that differs.
        path: PathBuf,
        /// What the dataset that was named first holds, and its place.
        expected: String,
        /// What the other holds.
        found: String,
    },
    /// A dataset has no masks.
    #[error("{}: holds photographs only (expected masks, found none)", path.display())]
    NoMasks {
        /// The dataset.
        path: PathBuf,
    },
    /// No photograph is in all of several datasets.
    #[error(
        "no photograph is in all of {} (expected the same ids, found none in common)",
        paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    NoCommonPhotograph {
        /// The datasets.
        paths: Vec<PathBuf>,
    },
    /// A probe's table is not what the probe writes.
    #[error("{}: {source}", path.display())]
    Csv {
        /// The table.
        path: PathBuf,
        /// What the reader met, with its line.
        source: csv::Error,
    },
    /// The log of an earlier search holds other pairs than these settings try.
    #[error(
        "the log of an earlier search does not fit (expected the pairs that these settings try, found others); remove it"
    )]
    OtherPairs,
    /// The data library refused something.
    #[error(transparent)]
    Data(#[from] in9_data::Error),

    // ---- who is under the probe ----
    /// The classifier under a probe failed.
    #[error("classifier: {0}")]
    Classifier(String),
    /// The network under a probe failed.
    #[cfg(feature = "probes")]
    #[error("classifier: {0}")]
    Network(#[source] Box<in9_models::Error>),

    // ---- this crate ----
    /// The paper's numbers that are built in cannot be read: a fault of this crate.
    #[error("the built-in numbers of the paper: {0}")]
    Paper(#[from] toml::de::Error),
    /// A result could not be encoded, which only running out of memory can cause.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// The kind of file, such as "CSV".
        what: &'static str,
        /// What the encoder said.
        reason: String,
    },
    /// An arithmetic identity of the protocol does not hold: a fault of this crate.
    #[error(
        "identity violated: {model}: required {required} − fools {fools} is not original {original} − mixed-rand {mixed_rand}; please report this"
    )]
    Identity {
        /// The model.
        model: String,
        /// Images that need their background.
        required: u64,
        /// Images that their background fools.
        fools: u64,
        /// Images right in full.
        original: i64,
        /// Images right on a random background.
        mixed_rand: i64,
    },
}

#[cfg(feature = "probes")]
impl From<in9_models::Error> for Error {
    fn from(error: in9_models::Error) -> Self {
        Self::Network(Box::new(error))
    }
}

impl Error {
    /// Attaches `path` to an error of the CSV reader; shaped for `map_err`.
    pub(crate) fn csv(path: &Path) -> impl Fn(csv::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Csv { path: path.clone(), source }
    }

    /// A result that cannot be encoded; shaped for `map_err`.
    pub(crate) fn encode<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> Self {
        move |reason| Self::Encode { what, reason: reason.to_string() }
    }
}

/// Names in a row, the first ten of many.
fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(10)].join(" ");
    if names.len() > 10 { format!("{shown} … ({} in all)", names.len()) } else { shown }
}
