//! Adversarial backgrounds: which foregrounds has some background that turns the answer?
//!
//! Two rules (§3.7 of the protocol). *Untargeted*, the challenge's: some background makes the answer
//! wrong. *Targeted*, the paper's: some background of another class makes the answer its own class.
//!
//! A verdict needs only one success, so the [`search()`] tries the most promising background of each
//! foreground first and stops a foreground at its last wanted success; [`matrix`] tries every pair.

mod answers;
pub mod matrix;
pub mod order;
pub mod pairs;
pub mod rules;
pub mod search;
pub mod summary;
pub mod write;

pub use pairs::{Pair, PairLog};
pub use rules::Rule;
pub use search::{Search, SearchSettings, own_answers, search, search_known};
pub use summary::{Summary, summarise};
