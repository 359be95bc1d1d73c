//! Every topic's claims with their verdicts.

mod section;
mod table;
mod unjudged;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: section::section,
    tables: &[("claims.csv", |_, claims| table::csv(claims))],
    results: |_, claims| table::results(claims),
    ..Topic::EMPTY
};
