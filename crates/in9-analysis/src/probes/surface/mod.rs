//! Bias surfaces: accuracy and gap over where an object is pasted, how large, with how soft an edge, and before how like a
//! background.
//!
//! Every object is pasted in every way of a grid, each time on the background of its class and on a random one, so that every
//! cell of the surface is about the same photographs; what differs between cells is the pasting alone. Objects and backgrounds
//! of mixed pictures differ in all of this at once.

mod grid;
mod run;
mod summary;

pub use grid::{Axis, Cell, Grid, Position, Side};
pub use run::{Answers, answers};
pub use summary::{Level, Point, Surface, surface};
