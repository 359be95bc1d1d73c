//! One table of any number of networks: those that were measured alike are ranked with intervals, those that were not stand
//! apart, with the first thing that differs named.
//!
//! What was measured alike is decided by the rows of the prediction tables (which pictures were asked for) and by the cards
//! beside them (everything else). A table without a card has an unknown protocol, and is ranked with others only if the
//! caller trusts it.

mod board;
mod csv;
mod pictures;
mod protocol;
pub mod tables;

pub use board::{Board, Group, Measure, Rules, Standing};
pub use csv::csv;
pub use protocol::{Across, Difference, Field, Protocol};
