//! The section: who is vulnerable, what the search cost, which backgrounds fool.

use super::figures::{histogram, strongest};
use super::tables::{classes, cost, known, verdicts};
use crate::context::Context;
use crate::error::Result;
use crate::page::{Block, Section};
use in9_analysis::probes::adversarial::Summary;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let summaries: Vec<&Summary> = context.probes.adversarial.iter().map(|(_, s)| s).collect();
    if summaries.is_empty() {
        return Ok(None);
    }
    let mut blocks = vec![Block::Table(verdicts(context, &summaries))];
    let known = known(context, &summaries);
    if !known.rows.is_empty() {
        blocks.push(Block::Table(known));
    }
    blocks.extend([
        Block::Prose(
            "A foreground that is wrong even on its own tiled background is an ordinary error. Shares grow with the \
             number of backgrounds tried: compare only searches over equally many. Intervals are about the choice of foregrounds and take the backgrounds as they are."
                .into(),
        ),
        Block::Table(cost(&summaries)),
        Block::Prose(
            "A foreground that resists every background is known to resist only when all have been tried, in \
             whatever order: on it nothing can be saved, which bounds every order (the last column). The rows for \
             the foregrounds that fall show what the order is worth; the passes over the backgrounds alone, on \
             which it rests, are counted in full."
                .into(),
        ),
    ]);
    let main = context.main_dataset();
    let whole: Vec<&Summary> =
        summaries.iter().copied().filter(|s| s.exhaustive && s.dataset == main).collect();
    if !whole.is_empty() {
        blocks.push(Block::Columns(whole.iter().map(|s| histogram(s)).collect()));
    }
    for s in whole {
        blocks.push(Block::Table(classes(context, s)));
        blocks.extend(strongest(context, s)?);
    }
    Ok(Some(Section {
        id: "adversarial",
        title: "Adversarial backgrounds".into(),
        lead: "A foreground is vulnerable if some background of the test set makes the answer wrong \
               (untargeted, the challenge's rule), or turns it into the background's class (targeted, the \
               paper's). Paper, IN-9L ResNet-50: 88 % untargeted, 87.5 % targeted."
            .into(),
        blocks,
    }))
}
