//! The section: who is vulnerable, what the search cost, which backgrounds fool.

use super::figures::{histogram, strongest};
use super::tables::{classes, cost, known, verdicts};
use crate::context::{Context, names};
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
            "Random errors alone are what a network would show that is wrong on as many composites, but independently of the \
             background: almost every foreground then falls to one of many backgrounds. So a large share of vulnerable \
             foregrounds is no evidence that backgrounds are read; that one network's is larger than another's of the same \
             accuracy, or larger than at ρ = 0, is. \
             A foreground that is misclassified even on its own tiled background is an ordinary error. The share of \
             vulnerable foregrounds grows with the number of backgrounds tried, so compare only searches over \
             equally many. Intervals cover the choice of foregrounds, for the given backgrounds."
                .into(),
        ),
        Block::Details(
            "What the searches cost".into(),
            vec![
                Block::Table(cost(&summaries)),
                Block::Prose(
                    "Only when every background has been tried is it known that none fools a foreground, so on those \
                     foregrounds no order saves a pass; the last column is what the best order could save in all. The \
                     rows for the vulnerable foregrounds show what the order saves there. The search also classifies \
                     each background alone to find its order; those passes are counted."
                        .into(),
                ),
            ],
        ),
    ]);
    let main = context.main_dataset();
    let whole: Vec<&Summary> =
        summaries.iter().copied().filter(|s| s.exhaustive && s.dataset == main).collect();
    if !whole.is_empty() {
        let called = names(whole.iter().map(|s| (s.model.as_str(), s.trained_on.as_str())));
        let charts: Vec<Block> =
            whole.iter().zip(&called).filter_map(|(s, name)| histogram(s, name)).collect();
        if !charts.is_empty() {
            blocks.push(Block::Columns(charts));
        }
        for (s, name) in whole.into_iter().zip(&called) {
            blocks.push(Block::Table(classes(context, s, name)));
            blocks.extend(strongest(context, s, name)?);
        }
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
