//! Two models side by side.

use std::collections::BTreeMap;

use in9_analysis::ModelFrame;
use in9_analysis::metrics::compare;
use in9_analysis::stats::wilson;
use in9_data::View;
use serde_json::{Value, json};

use super::contents::interval;
use crate::collection::Collection;
use crate::error::Result;

/// McNemar's table and the difference of accuracies of every view that both models were tested on, the difference of
/// their gaps, and both recalls of every class; first minus second throughout.
pub(crate) fn comparison(collection: &Collection, set: usize, first: usize, second: usize) -> Result<Value> {
    let set = collection.set(set)?;
    let bootstrap = &collection.bootstrap;
    let (a, b) = (set.model(first)?.frame(&set.photographs), set.model(second)?.frame(&set.photographs));
    let compared = compare(&a, &b, bootstrap)?;
    let views: Vec<Value> = compared
        .views
        .iter()
        .map(|view| {
            let pairs = pairs(&a, &b, view.view);
            let count = |wanted| pairs.iter().filter(|(_, answers)| *answers == wanted).count();
            let classes: Vec<Value> = (0..set.classes.len())
                .map(|class| {
                    let of: Vec<(bool, bool)> =
                        pairs.iter().filter(|p| usize::from(p.0) == class).map(|p| p.1).collect();
                    let apart: Vec<f64> =
                        of.iter().map(|&(x, y)| f64::from(u8::from(x)) - f64::from(u8::from(y))).collect();
                    let recall =
                        |right: usize| interval(&wilson(right as u64, of.len() as u64, bootstrap.level));
                    let difference =
                        (!apart.is_empty()).then(|| interval(&bootstrap.mean("compare", &apart)));
                    let only = |wanted| of.iter().filter(|&&answers| answers == wanted).count();
                    json!({
                        "total": of.len(),
                        "onlyFirst": only((true, false)),
                        "onlySecond": only((false, true)),
                        "first": recall(of.iter().filter(|p| p.0).count()),
                        "second": recall(of.iter().filter(|p| p.1).count()),
                        "difference": difference,
                    })
                })
                .collect();
            json!({
                "view": view.view.name(),
                "foregrounds": view.foregrounds,
                "difference": interval(&view.difference),
                "p": view.mcnemar.p_exact,
                "both": count((true, true)),
                "onlyFirst": count((true, false)),
                "onlySecond": count((false, true)),
                "neither": count((false, false)),
                "classes": classes,
            })
        })
        .collect();
    let gap = compared.gap.map(
        |gap| json!({ "difference": interval(&gap.difference), "p": gap.p, "foregrounds": gap.foregrounds }),
    );
    Ok(json!({ "views": views, "gap": gap }))
}

/// Class and correctness by both models of each photograph that both were tested on in a view.
fn pairs(a: &ModelFrame, b: &ModelFrame, view: View) -> Vec<(u16, (bool, bool))> {
    let ids = b.foregrounds.iter().map(|foreground| &*foreground.id);
    let second: BTreeMap<&str, bool> =
        ids.zip(b.by_foreground(view)).filter_map(|(id, outcome)| Some((id, outcome?.correct()))).collect();
    a.foregrounds
        .iter()
        .zip(a.by_foreground(view))
        .filter_map(|(foreground, outcome)| {
            let outcome = outcome?;
            Some((outcome.class, (outcome.correct(), *second.get(&*foreground.id)?)))
        })
        .collect()
}
