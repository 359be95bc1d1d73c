//! What the paper measures, each with its uncertainty.

pub mod accuracy;
pub mod categories;
pub mod compare;
pub mod gap;
pub mod leak;
pub mod progress;
pub mod seeds;
pub mod spread;
pub mod summary;

pub use accuracy::{Accuracy, accuracy};
pub use categories::{Categories, categories};
pub use gap::{Gap, gap};
pub use summary::{ModelSummary, summarise};
