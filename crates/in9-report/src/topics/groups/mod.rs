//! Accuracy by group, and of the group that a network is worst at.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    results: |context, _| match context.groups.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(vec![("groups".to_owned(), serde_json::to_value(&context.groups)?)]),
    },
    ..Topic::EMPTY
};
