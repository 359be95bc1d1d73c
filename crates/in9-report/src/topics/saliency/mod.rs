//! Where networks look: Figure 6.

mod claims;
mod difference;
mod figure;
mod overlays;
mod section;

use super::Topic;
use crate::context::results;
use in9_analysis::probes::saliency::summary::MethodSummary;
use in9_analysis::probes::written::Saliency;

/// What the page says on it.
pub(crate) const TOPIC: Topic = Topic {
    statements: &[&claims::STATEMENTS],
    judge: claims::claims,
    section: |context, _| section::section(context),
    results: |context, _| results("saliency", &context.probes.saliency),
    ..Topic::EMPTY
};

/// Tap of a method's maps; `None` for a method without. Runs that name one tap for all leave the methods' own out.
fn tap<'a>(s: &'a Saliency, m: &'a MethodSummary) -> Option<&'a str> {
    m.method.at_tap().then_some(if m.tap.is_empty() { s.tap.as_str() } else { m.tap.as_str() })
}
