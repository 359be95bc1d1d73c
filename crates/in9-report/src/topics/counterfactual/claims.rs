//! Claims about counterfactual attribution.

use crate::claims::{Claim, NOT_MEASURED, Rule, Statement, Worth};
use crate::context::Context;
use crate::error::Result;
use in9_analysis::probes::counterfactual::read_effects;
use std::collections::BTreeMap;
use std::path::Path;

/// Claims about the effects on the main data set.
pub(crate) fn claims(context: &Context) -> Result<Vec<Claim>> {
    let main = context.main_dataset();
    let of_network = |trained: &str| {
        let mut all = context.probes.counterfactual.iter();
        all.find(|(_, s)| s.source.dataset == main && s.source.trained_on == trained)
    };
    let (Some((a, _)), Some((b, _))) = (of_network("original"), of_network("mixed-rand")) else {
        return Ok(Vec::new());
    };
    let of = |folder: &Path| -> Result<BTreeMap<String, f64>> {
        Ok(read_effects(folder)?.into_iter().map(|e| (e.image, e.background_effect)).collect())
    };
    let label = "background effect: original-trained − mixed-rand-trained, paired by image";
    let apart = context.bootstrap.paired("counterfactual", &of(a)?, &of(b)?);
    let relies = apart.map(|i| (label.to_owned(), i.scaled(100.0)));
    Ok(RELIES.judge("", relies.into_iter().collect()).into_iter().collect())
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 1] = [RELIES];

const RELIES: Statement = Statement {
    id: "mixed-rand-relies-less",
    statement: "A mixed-rand-trained network relies less on the background, image by image.",
    source: "follows from section 4",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "the counterfactual probe of an original-trained and a mixed-rand-trained network",
};
