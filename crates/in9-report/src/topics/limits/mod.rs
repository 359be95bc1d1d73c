//! What a referee could still object to.

mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic =
    Topic { section: |context, claims| Ok(section::section(context, claims)), ..Topic::EMPTY };
