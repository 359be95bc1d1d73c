//! Saliency maps, and how well they fall on the true foreground.

pub mod attention;
pub mod cam;
pub mod curves;
pub mod gradients;
pub mod map;
pub mod measures;
pub mod null;
pub mod occlusion;
pub mod overlay;
pub mod run;
pub mod summary;
pub mod write;

pub use map::Map;
pub use measures::{Measures, measure};
pub use run::{ImageRow, Method, Settings, default_tap, run, run_in_batches, sort};
