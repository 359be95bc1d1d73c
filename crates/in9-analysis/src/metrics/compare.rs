//! Paired tests of two models on the same images.

use crate::error::{Error, Result};
use crate::frame::ModelFrame;
use crate::stats::{Bootstrap, Interval};
use crate::stats::{McNemar, mcnemar};
use in9_data::View;
use serde::Serialize;
use std::collections::BTreeMap;

/// Comparison of two models, first minus second.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Name of the first model.
    pub first: String,
    /// Name of the second model.
    pub second: String,
    /// Paired comparison of accuracies, view by view.
    pub views: Vec<ViewComparison>,
    /// Difference of the two BG-gaps with a paired bootstrap interval, if both can be had.
    pub gap: Option<GapDifference>,
}

/// Paired comparison on one view.
#[derive(Debug, Clone, Serialize)]
pub struct ViewComparison {
    /// The view.
    pub view: View,
    /// Foregrounds that both models were tested on.
    pub foregrounds: usize,
    /// Accuracy of the first minus accuracy of the second, paired bootstrap over foregrounds.
    pub difference: Interval,
    /// McNemar's test on the same foregrounds; one that was tested on several backgrounds counts by its first.
    pub mcnemar: McNemar,
}

/// Difference of two BG-gaps.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct GapDifference {
    /// Gap of the first minus gap of the second.
    pub difference: Interval,
    /// Two-sided bootstrap p-value of no difference; NaN for one foreground.
    pub p: f64,
    /// Shared foregrounds.
    pub foregrounds: usize,
}

/// Compares two models on the foregrounds they share.
///
/// # Errors
/// [`Error::NothingShared`] when they share no foreground on any view, [`Error::ClassesDisagree`] when a shared
/// foreground has different true classes.
pub fn compare(first: &ModelFrame, second: &ModelFrame, bootstrap: &Bootstrap) -> Result<Comparison> {
    let shared = shared(first, second)?;
    let mut views = Vec::new();
    for &view in first.views.keys() {
        let (a, b) = (first.by_foreground(view), second.by_foreground(view));
        let pairs: Vec<(bool, bool)> = shared
            .iter()
            .filter_map(|&(i, j)| Some((a[i].as_ref()?.correct(), b[j].as_ref()?.correct())))
            .collect();
        if pairs.is_empty() {
            continue;
        }
        let (a, b) = (first.shares(view), second.shares(view));
        let apart: Vec<f64> = shared.iter().filter_map(|&(i, j)| Some(a[i]? - b[j]?)).collect();
        let count = |wanted: (bool, bool)| pairs.iter().filter(|&&p| p == wanted).count() as u64;
        views.push(ViewComparison {
            view,
            foregrounds: pairs.len(),
            difference: bootstrap.mean("compare", &apart),
            mcnemar: mcnemar(count((true, false)), count((false, true))),
        });
    }
    if views.is_empty() {
        return Err(Error::NothingShared {
            first: first.key.model.clone(),
            second: second.key.model.clone(),
            foregrounds: [first.foregrounds.len(), second.foregrounds.len()],
        });
    }
    let gap = gap_difference(first, second, &shared, bootstrap);
    Ok(Comparison { first: first.key.model.clone(), second: second.key.model.clone(), views, gap })
}

/// Indices of the foregrounds that both models know.
fn shared(first: &ModelFrame, second: &ModelFrame) -> Result<Vec<(usize, usize)>> {
    let index: BTreeMap<&str, usize> =
        second.foregrounds.iter().enumerate().map(|(i, f)| (&*f.id, i)).collect();
    let mut shared = Vec::new();
    for (i, foreground) in first.foregrounds.iter().enumerate() {
        let Some(&j) = index.get(&*foreground.id) else { continue };
        if second.foregrounds[j].class != foreground.class {
            return Err(Error::ClassesDisagree {
                foreground: foreground.id.to_string(),
                expected: foreground.class,
                found: second.foregrounds[j].class,
            });
        }
        shared.push((i, j));
    }
    Ok(shared)
}

fn gap_difference(
    first: &ModelFrame,
    second: &ModelFrame,
    shared: &[(usize, usize)],
    bootstrap: &Bootstrap,
) -> Option<GapDifference> {
    let aligned = |m: &ModelFrame| [m.shares(View::MixedSame), m.shares(View::MixedRand)];
    let (a, b) = (aligned(first), aligned(second));
    let apart: Vec<f64> =
        shared.iter().filter_map(|&(i, j)| Some((a[0][i]? - a[1][i]?) - (b[0][j]? - b[1][j]?))).collect();
    if apart.is_empty() {
        return None;
    }
    if let [only] = apart[..] {
        let difference = Interval::new(only, f64::NAN, f64::NAN);
        return Some(GapDifference { difference, p: f64::NAN, foregrounds: 1 });
    }
    let n = apart.len() as f64;
    let statistic =
        |counts: &[u32]| counts.iter().zip(&apart).map(|(&c, v)| f64::from(c) * v).sum::<f64>() / n;
    let replicates = bootstrap.replicates("compare", apart.len(), statistic);
    let p = two_sided(&replicates);
    let value = statistic(&vec![1; apart.len()]);
    Some(GapDifference { difference: bootstrap.percentile(value, replicates), p, foregrounds: apart.len() })
}

/// Two-sided p-value by inverting the percentile interval, never below 1 / (replicates + 1).
pub(crate) fn two_sided(replicates: &[f64]) -> f64 {
    let n = replicates.len() as f64;
    let below = replicates.iter().filter(|v| **v <= 0.0).count() as f64;
    let above = replicates.iter().filter(|v| **v >= 0.0).count() as f64;
    (2.0 * (below.min(above) + 1.0) / (n + 1.0)).min(1.0)
}
