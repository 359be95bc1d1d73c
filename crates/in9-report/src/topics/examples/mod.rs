//! One photograph of each class in all its views.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic { section: |context, _| section::section(context), ..Topic::EMPTY };
