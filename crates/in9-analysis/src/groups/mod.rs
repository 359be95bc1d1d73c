//! Accuracy by group, for tests like Waterbirds: a group is a class of photographs on one kind of background, and a
//! classifier is judged by the group that it is worst at.
//!
//! Which kind of background a photograph has stands in a metadata table ([`Labels`]), in the layout of Waterbirds and WILDS
//! or with words of one's own; predictions are those of any prediction table.

mod labels;
mod measure;
mod output;

pub use labels::Labels;
pub use measure::{Group, Grouped, grouped, of_frame};
pub use output::{csv, table};
