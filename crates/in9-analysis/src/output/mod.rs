//! Results as text: aligned tables, CSV files and JSON.

pub mod csv_files;
mod grid;
pub mod json;
mod latex;
pub mod number;
mod picture;
pub mod tables;
pub mod text;

pub use grid::Grid;
pub use picture::png;
