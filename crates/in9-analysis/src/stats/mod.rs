//! Estimates with their uncertainty, on plain numbers: nothing here knows of images or classes.
//!
//! Each method's source is named where it stands; all are checked against SciPy and statsmodels in
//! `tests/statistics_oracle.rs` and by coverage simulations in `tests/coverage.rs`.

mod bands;
mod bootstrap;
mod interval;
mod mcnemar;
mod mean;
mod multiplicity;
pub(crate) mod proportion;
mod rank;
mod ranking;
pub mod regression;
pub mod special;

pub use bands::{Bands, Values, simultaneous};
pub use bootstrap::{Bootstrap, quantile};
pub use interval::Interval;
pub use mcnemar::{McNemar, mcnemar};
pub use mean::student;
pub use multiplicity::{false_discovery, holm};
pub use proportion::{mean_of_proportions, wilson, wilson_in_clusters};
pub use rank::spearman;
pub use ranking::{Rank, ranks};

/// Confidence level used wherever none is asked for.
pub const LEVEL: f64 = 0.95;
