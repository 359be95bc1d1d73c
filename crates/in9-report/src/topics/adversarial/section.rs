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
            "A foreground that is misclassified even on its own tiled background is an ordinary error. The share of \
             vulnerable foregrounds grows with the number of backgrounds tried, so compare only searches over \
             equally many. Intervals cover the choice of foregrounds, for the given backgrounds."
                .into(),
        ),
        Block::Table(cost(&summaries)),
        Block::Prose(
            "Only when every background has been tried is it known that none fools a foreground, so on those \
             foregrounds no order saves a pass; the last column is what the best order could save in all. The rows \
             for the vulnerable foregrounds show what the order saves there. The search also classifies each \
             background alone to find its order; those passes are counted."
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
               (untargeted, the challenge's rule), or makes it the background's class (targeted, the paper's \
               rule). Paper, IN-9L ResNet-50: 88 % untargeted, 87.5 % targeted."
            .into(),
        blocks,
    }))
}
