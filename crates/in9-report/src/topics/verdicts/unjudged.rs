//! Claims of the paper that the inputs say nothing about: they are shown too, so that none is passed over.

use crate::claims::Claim;
use crate::topics::TOPICS;
use serde::Serialize;

/// A claim that the inputs say nothing about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Unjudged {
    /// Stable name.
    pub(crate) id: &'static str,
    /// The claim in one sentence.
    pub(crate) statement: &'static str,
    /// Place in the paper.
    pub(crate) source: &'static str,
    /// What the paper found.
    pub(crate) published: &'static str,
    /// Inputs that would speak about it.
    pub(crate) needs: &'static str,
}

/// The paper's claims that are not among `claims`.
pub(crate) fn unjudged(claims: &[Claim]) -> Vec<Unjudged> {
    let statements = TOPICS.iter().flat_map(|topic| topic.statements).copied().flatten();
    let missing = statements.filter(|s| !claims.iter().any(|c| c.id == s.id));
    missing
        .map(|s| Unjudged {
            id: s.id,
            statement: s.statement,
            source: s.source,
            published: s.published,
            needs: s.needs,
        })
        .collect()
}
