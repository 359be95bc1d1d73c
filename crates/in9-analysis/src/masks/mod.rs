//! Masks of the same photographs from several sources: how good they are, and how far they agree.

mod agreement;
mod confidence;
mod joined;

pub use agreement::{Agreement, ClassAgreement, Pair, agreement, classes};
pub use confidence::{Confidence, Confidences, confidence, confidences};
pub use joined::Joined;
