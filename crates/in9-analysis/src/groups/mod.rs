//! Accuracy by group, for tests like Waterbirds: a group is a class of photographs on one kind of background, and a
//! classifier is judged by the group that it is worst at.
//!
//! Which kind of background a photograph has stands in a metadata table, in the layout of Waterbirds and WILDS or with words of
//! one's own, or is the class of the background of a mixed view ([`Grouping`]); predictions are those of any prediction table.

mod measure;
mod output;
mod paired;

pub use in9_data::groups::Grouping;
pub use measure::{Group, Grouped, grouped, of_frame};
pub use output::{csv, paired_table, table};
pub use paired::{GroupDifference, WorstDifference, paired};
