//! Colour models: sums over sets of pixels, clusters to start from, Gaussian mixtures.

pub(crate) mod kmeans;
pub(crate) mod mixture;
pub(crate) mod moments;
pub(crate) mod palette;
