//! Charts as SVG text: the same numbers always give the same bytes.
//!
//! Colours are CSS variables (`--s0` … `--s8` for series, `--ink`, `--grid`, `--heat`) that the page
//! defines for its light and dark schemes; a chart holds no colour of its own.

mod axes;
mod bars;
mod heatmap;
mod histogram;
mod lines;
mod scale;
mod scatter;
mod svg;

pub(crate) use bars::{Bar, Bars, Group, balanced_mark};
pub(crate) use heatmap::Heatmap;
pub(crate) use histogram::Histogram;
pub(crate) use lines::{Lines, Series};
pub(crate) use scatter::{Cloud, Scatter};
