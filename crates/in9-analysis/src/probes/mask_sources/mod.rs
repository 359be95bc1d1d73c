//! The BG-gap with masks from several sources: how much of what it may come out as is which source drew the masks.
//!
//! Several datasets hold the same photographs, each with the masks of another source; or the masks of one are drawn otherwise
//! ([`in9_data::MaskChange`]). Each photograph is put on the same
//! two backgrounds (mixed-same and mixed-rand) with each of its masks, so that nothing differs but the mask. A photograph's
//! difference of right answers then has three parts beside the gap: of the photograph, of the source, and of both together
//! (one source errs on this photograph, another on that).

mod estimate;
mod pictures;
mod run;

pub use estimate::{Components, MaskSources, estimate};
pub use pictures::{Shown, picture_name, pictures};
pub use run::{SourceDifferences, Sources, differences};
