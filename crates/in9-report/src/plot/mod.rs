//! Charts as SVG text: the same numbers always give the same bytes.
//!
//! Colours are CSS variables (`--s0` … `--s8` for series, `--ink`, `--grid`, `--heat`) that the page
//! defines for its light and dark schemes; a chart holds no colour of its own until it is taken out of the page
//! ([`standalone()`]). A chart without anything to draw is `None`, so that the page has no empty figure.

mod axes;
mod bars;
mod dots;
mod heatmap;
mod histogram;
mod lines;
mod palette;
mod pdf;
mod scale;
mod scatter;
mod standalone;
mod svg;

pub(crate) use axes::Width;
pub(crate) use bars::{Bar, Bars, Group, balanced_mark};
pub(crate) use dots::Dots;
pub(crate) use heatmap::Heatmap;
pub(crate) use histogram::Histogram;
pub(crate) use lines::{Lines, Series};
pub(crate) use pdf::pdf;
pub(crate) use scatter::{Cloud, Scatter};
pub(crate) use standalone::standalone;
