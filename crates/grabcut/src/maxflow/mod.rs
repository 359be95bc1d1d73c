//! Exact minimum cut on an implicit 8-neighbour grid.

mod boykov_kolmogorov;
pub(crate) mod grid;

pub(crate) use boykov_kolmogorov::BoykovKolmogorov;
