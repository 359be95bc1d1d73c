//! Results as text: aligned tables, CSV files, JSON, and folders that appear whole.

pub mod csv_files;
mod folder;
mod grid;
pub mod json;
pub mod number;
mod picture;
pub mod tables;

pub use folder::Folder;
pub use grid::Grid;
pub use picture::png;
