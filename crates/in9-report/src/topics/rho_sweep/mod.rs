//! Calibration on toy worlds of several ρ, where the truth is known.

mod claims;
mod leak;
mod measures;
mod section;

use super::Topic;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    // Its claims are not the paper's, so none is missed where there is no such world.
    judge: |context| Ok([claims::claims(context), leak::claims(context)].concat()),
    section: |context, _| Ok(section::section(context)),
    ..Topic::EMPTY
};
