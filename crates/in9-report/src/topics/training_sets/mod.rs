//! Size, granularity and origin of the training: Figures 10 to 12, and Table 2's pre-trained networks.

mod claims;
mod curve;
mod origin;
mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS, &origin::STATEMENTS],
    judge_test_set: |context, set| Ok([claims::claims(context, set), origin::claims(context, set)].concat()),
    section: |context, _| Ok(section::section(context)),
    ..Topic::EMPTY
};
