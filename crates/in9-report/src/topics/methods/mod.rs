//! How the numbers were made, well enough to make them again.

mod paper;
mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    section: |context, _| Ok(section::section(context)),
    tables: &[
        ("methods.md", paper::methods),
        ("references.bib", |_, _| Ok(paper::REFERENCES.as_bytes().to_vec())),
    ],
    ..Topic::EMPTY
};
