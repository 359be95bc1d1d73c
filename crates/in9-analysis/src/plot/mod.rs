//! Charts as SVG text: the same numbers always give the same bytes.
//!
//! Colours are CSS variables (`--s0` … `--s8` for series, `--ink`, `--grid`, `--heat`) that the page
//! defines for its light and dark schemes; a chart holds no colour of its own.

pub mod axes;
pub mod bars;
pub mod heatmap;
pub mod histogram;
pub mod lines;
pub mod scale;
pub mod scatter;
pub mod svg;

pub use bars::{Bar, Bars, Group};
pub use heatmap::Heatmap;
pub use histogram::Histogram;
pub use lines::{Lines, Series};
pub use scatter::{Cloud, Scatter};
