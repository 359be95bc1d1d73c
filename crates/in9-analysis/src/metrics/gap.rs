//! Differences of accuracy paired by foreground; first of all the BG-gap, mixed-same − mixed-rand.

use crate::frame::{ModelFrame, Outcome};
use crate::stats::{Bootstrap, Interval};
use in9_data::View;
use serde::Serialize;
use std::collections::BTreeMap;

/// A difference of accuracies, as fractions in `-1..=1`. As a BG-gap, nearer to zero is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Difference of accuracies with a cluster-bootstrap interval over foregrounds.
    pub gap: Interval,
    /// The same of balanced accuracies.
    pub balanced: Interval,
    /// Foregrounds, the clusters of the bootstrap.
    pub foregrounds: usize,
}

impl Gap {
    /// Both differences times `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        Self { gap: self.gap.scaled(factor), balanced: self.balanced.scaled(factor), ..self }
    }
}

/// One cell of the train-on-X, test-on-Y matrix: a model on a view.
pub type Cell<'a> = (&'a ModelFrame, View);

/// Correct and total counts of one foreground in two cells.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    class: u16,
    first: (f64, f64),
    second: (f64, f64),
}

/// The BG-gap of `model`; `None` unless it was tested on both views of a photograph.
///
/// The two views share their foregrounds, so whole foregrounds are resampled: the interval gains
/// from the pairing and stays honest when a foreground was tested on several backgrounds.
pub fn gap(model: &ModelFrame, classes: usize, bootstrap: &Bootstrap) -> Option<Gap> {
    difference((model, View::MixedSame), (model, View::MixedRand), classes, bootstrap)
}

/// Accuracy in the first cell minus accuracy in the second over the foregrounds that both have, paired by id; `None` if
/// they share none.
pub fn difference(first: Cell<'_>, second: Cell<'_>, classes: usize, bootstrap: &Bootstrap) -> Option<Gap> {
    let pairs = pairs(first, second)?;
    let n = pairs.len();
    Some(Gap {
        gap: bootstrap.interval("gap", n, |counts| plain(&pairs, counts)),
        balanced: bootstrap.interval("gap", n, |counts| balanced(&pairs, counts, classes)),
        foregrounds: n,
    })
}

fn pairs((a, a_view): Cell<'_>, (b, b_view): Cell<'_>) -> Option<Vec<Pair>> {
    let mut pairs: BTreeMap<&str, Pair> = BTreeMap::new();
    let add = |slot: &mut (f64, f64), outcome: &Outcome| {
        slot.0 += f64::from(u8::from(outcome.correct()));
        slot.1 += 1.0;
    };
    for outcome in a.view(a_view) {
        let pair = pairs.entry(&a.foregrounds[outcome.foreground as usize].id).or_default();
        pair.class = outcome.class;
        add(&mut pair.first, outcome);
    }
    for outcome in b.view(b_view) {
        let pair = pairs.entry(&b.foregrounds[outcome.foreground as usize].id).or_default();
        pair.class = outcome.class;
        add(&mut pair.second, outcome);
    }
    // A foreground that one cell lacks has no pair, and would make the two means ones of different photographs.
    let both = pairs.into_values().filter(|p| p.first.1 > 0.0 && p.second.1 > 0.0);
    let pairs: Vec<Pair> = both.collect();
    (!pairs.is_empty()).then_some(pairs)
}

/// Difference of plain accuracies under resampling counts.
fn plain(pairs: &[Pair], counts: &[u32]) -> f64 {
    let mut sums = [0.0; 4];
    for (pair, &count) in pairs.iter().zip(counts) {
        add_to(&mut sums, pair, count);
    }
    sums[0] / sums[1] - sums[2] / sums[3]
}

/// Difference of balanced accuracies; classes that a resample leaves empty drop out of it.
fn balanced(pairs: &[Pair], counts: &[u32], classes: usize) -> f64 {
    let mut sums = vec![[0.0; 4]; classes];
    for (pair, &count) in pairs.iter().zip(counts) {
        add_to(&mut sums[usize::from(pair.class)], pair, count);
    }
    let mean = |k: usize, n: usize| {
        let recalls = sums.iter().filter(|s| s[n] > 0.0).map(|s| s[k] / s[n]);
        let (sum, seen) = recalls.fold((0.0, 0.0), |(sum, seen), r| (sum + r, seen + 1.0));
        sum / seen
    };
    mean(0, 1) - mean(2, 3)
}

fn add_to(sums: &mut [f64; 4], pair: &Pair, count: u32) {
    let w = f64::from(count);
    sums[0] += w * pair.first.0;
    sums[1] += w * pair.first.1;
    sums[2] += w * pair.second.0;
    sums[3] += w * pair.second.1;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;

    #[test]
    fn gap_is_the_difference_of_the_two_accuracies() {
        // Class 0 twice, class 1 once: same 1, 1, 0; rand 1, 0, 0.
        let rows = [
            ("a", 0, View::MixedSame, 0),
            ("b", 0, View::MixedSame, 0),
            ("c", 1, View::MixedSame, 0),
            ("a", 0, View::MixedRand, 0),
            ("b", 0, View::MixedRand, 1),
            ("c", 1, View::MixedRand, 0),
        ];
        let frame = frame(2, &rows);
        let gap = gap(&frame.models[0], 2, &Bootstrap::default()).unwrap();
        assert!((gap.gap.value - 1.0 / 3.0).abs() < 1e-12);
        assert!((gap.balanced.value - 0.25).abs() < 1e-12);
        assert_eq!(gap.foregrounds, 3);
        assert!(gap.gap.low <= gap.gap.value && gap.gap.value <= gap.gap.high);
    }

    #[test]
    fn mixed_views_of_different_photographs_have_no_gap() {
        let frame = frame(2, &[("a", 0, View::MixedSame, 0), ("b", 0, View::MixedRand, 1)]);
        assert!(gap(&frame.models[0], 2, &Bootstrap::default()).is_none());
    }

    #[test]
    fn a_photograph_that_one_view_lacks_is_in_neither_mean() {
        let rows = [("a", 0, View::MixedSame, 0), ("b", 0, View::MixedSame, 1), ("a", 0, View::MixedRand, 0)];
        let gap = gap(&frame(2, &rows).models[0], 2, &Bootstrap::default()).unwrap();
        assert_eq!((gap.gap.value, gap.foregrounds), (0.0, 1));
    }

    #[test]
    fn one_photograph_has_a_gap_without_an_interval() {
        let frame = frame(2, &[("a", 0, View::MixedSame, 0), ("a", 0, View::MixedRand, 1)]);
        let gap = gap(&frame.models[0], 2, &Bootstrap::default()).unwrap();
        assert!(gap.gap.value == 1.0 && gap.gap.low.is_nan() && gap.gap.high.is_nan());
        assert!(gap.balanced.low.is_nan());
    }

    #[test]
    fn a_missing_view_has_no_gap() {
        let frame = frame(2, &[("a", 0, View::MixedSame, 0)]);
        assert!(gap(&frame.models[0], 2, &Bootstrap::default()).is_none());
    }
}
