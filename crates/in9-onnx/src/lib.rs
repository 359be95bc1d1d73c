//! Networks in ONNX files from anywhere, read under limits and run by tract.
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod error;
mod external_data;
mod memory;
mod network;
mod precision;
mod read;
pub mod signature;

pub use error::{Error, Result};
pub use network::{Asked, Network};
pub use precision::optimized;
pub use read::Contents;
/// The runtime, for those who look further into a graph.
pub use tract_onnx;
