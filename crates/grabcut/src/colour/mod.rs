//! Colour models: moments of sets of pixels, clusters, Gaussian mixtures.

pub(crate) mod counts;
pub(crate) mod kmeans;
pub(crate) mod mixture;
pub(crate) mod moments;
pub(crate) mod palette;
