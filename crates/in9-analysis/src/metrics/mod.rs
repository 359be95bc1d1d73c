//! What the paper measures, each with its uncertainty. Accuracies and shares are fractions in `0..=1`, differences of them
//! fractions in `-1..=1`.

mod accuracy;
mod categories;
mod compare;
mod confusion;
mod gap;
mod ladder;
mod leak;
mod missing;
pub mod progress;
mod seeds;
mod spread;
mod summary;

pub use accuracy::{Accuracy, Recall, accuracy};
pub use categories::{Categories, Category, categories, fools, fools_alike};
pub(crate) use compare::two_sided;
pub use compare::{Comparison, GapDifference, ViewComparison, compare};
pub use confusion::Confusion;
pub use gap::{Cell, Gap, difference, gap};
pub use ladder::{LADDER, Ladder, PASTED, Step, ladder, taken};
pub use leak::{Leak, leak};
pub use missing::{Missing, Reason, missing};
pub use seeds::{SeedGroup, seed_groups, seed_groups_of};
pub use spread::{FOREGROUND_VIEWS, spread};
pub use summary::{ModelSummary, main_arch, summarise, summarise_model};
