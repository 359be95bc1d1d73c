//! Estimates with their uncertainty, on plain numbers: nothing here knows of images or classes.
//!
//! Each method's source is named where it stands; all are checked against SciPy and statsmodels in
//! `tests/statistics_oracle.rs` and by coverage simulations in `tests/coverage.rs`.

pub mod bootstrap;
pub mod interval;
pub mod mcnemar;
pub mod mean;
pub mod proportion;
pub mod regression;
pub mod special;

pub use bootstrap::Bootstrap;
pub use interval::Interval;

/// Confidence level used wherever none is asked for.
pub const LEVEL: f64 = 0.95;
