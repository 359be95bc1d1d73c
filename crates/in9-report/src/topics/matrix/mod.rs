//! Trained on one view, tested on another: the paper's Table 5.

mod claims;
mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS],
    judge_test_set: |context, set| Ok(claims::claims(context, set)),
    section: |context, _| Ok(section::section(context)),
    ..Topic::EMPTY
};
