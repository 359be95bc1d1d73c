//! GrabCut: a colour image and a box or trimap in, an exact minimum-energy foreground mask out.
#![deny(missing_docs)]

mod colour;
mod error;
mod image;
mod init;
mod maxflow;
mod params;
mod planes;
mod random;
mod segment;
mod segmentation;
mod simd;
mod workspace;

pub use colour::mixture::{Component, Mixture};
pub use error::Error;
pub use image::{Rect, RgbView};
pub use init::{Init, Label};
pub use params::{MAX_COMPONENTS, Params};
pub use segment::segment;
pub use segmentation::Segmentation;
pub use workspace::Workspace;
