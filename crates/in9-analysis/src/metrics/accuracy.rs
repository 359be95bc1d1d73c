//! Accuracy, balanced accuracy, recall of each class and the confusion matrix of one view.

use crate::frame::Outcome;
use crate::metrics::confusion::Confusion;
use crate::stats::Interval;
use crate::stats::proportion::{mean_of_proportions, wilson, wilson_in_clusters};
use serde::Serialize;
use std::collections::BTreeMap;

/// Accuracy of a model on one view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// Correct images.
    pub correct: u64,
    /// All images.
    pub total: u64,
    /// Share of correct images with Wilson's interval, of fewer images where a foreground was tested on several
    /// backgrounds. Higher is better.
    pub accuracy: Interval,
    /// Mean of the classes' recalls: what a constant answer cannot push above 1 / classes.
    pub balanced: Interval,
    /// Recall of each class with Wilson's interval, in class order.
    pub recalls: Vec<Recall>,
    /// Who is taken for whom.
    pub confusion: Confusion,
}

/// Recall of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recall {
    /// Correct images of the class.
    pub correct: u64,
    /// Images of the class.
    pub total: u64,
    /// Share with Wilson's interval; the value is NaN for a class without images.
    pub recall: Interval,
}

/// Accuracy over `outcomes` among `classes` classes; `None` for no outcomes.
pub fn accuracy(outcomes: &[Outcome], classes: usize, level: f64) -> Option<Accuracy> {
    if outcomes.is_empty() {
        return None;
    }
    let confusion = Confusion::of(outcomes, classes);
    let counts = confusion.per_class();
    let correct = counts.iter().map(|c| c.0).sum();
    let total = outcomes.len() as u64;
    Some(Accuracy {
        correct,
        total,
        accuracy: wilson_in_clusters(&by_foreground(outcomes), level),
        balanced: mean_of_proportions(&counts, level),
        recalls: counts
            .iter()
            .map(|&(correct, total)| Recall { correct, total, recall: wilson(correct, total, level) })
            .collect(),
        confusion,
    })
}

/// (correct, tested) of each foreground.
fn by_foreground(outcomes: &[Outcome]) -> Vec<(u64, u64)> {
    let mut counts: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for outcome in outcomes {
        let (correct, tested) = counts.entry(outcome.foreground).or_default();
        *correct += u64::from(outcome.correct());
        *tested += 1;
    }
    counts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(foreground: u32, class: u16, predicted: Option<u16>) -> Outcome {
        Outcome { foreground, class, predicted, background: u32::MAX, background_class: u16::MAX }
    }

    #[test]
    fn balanced_accuracy_weighs_classes_equally() {
        // Three of class 0, all right; one of class 1, wrong and outside the taxonomy.
        let right = |foreground| outcome(foreground, 0, Some(0));
        let o = [right(0), right(1), right(2), outcome(3, 1, None)];
        let a = accuracy(&o, 2, 0.95).unwrap();
        assert_eq!((a.accuracy.value, a.balanced.value), (0.75, 0.5));
        assert_eq!(serde_json::to_string(&a.confusion).unwrap(), "[[3,0,0],[0,0,1]]");
        assert_eq!(a.recalls[1].total, 1);
    }

    #[test]
    fn a_class_without_images_does_not_count() {
        let a = accuracy(&[outcome(0, 0, Some(0)), outcome(1, 0, Some(1))], 3, 0.95).unwrap();
        assert_eq!(a.balanced.value, 0.5);
        assert!(a.recalls[2].recall.value.is_nan());
        assert!(accuracy(&[], 3, 0.95).is_none());
    }

    #[test]
    fn more_backgrounds_of_one_foreground_are_not_more_foregrounds() {
        let tested = |copies: u32| -> Vec<Outcome> {
            let of = |f: u32| outcome(f, 0, Some(u16::from(f.is_multiple_of(2))));
            (0..40).flat_map(|f| (0..copies).map(move |_| of(f))).collect()
        };
        let (once, often) = (accuracy(&tested(1), 2, 0.95).unwrap(), accuracy(&tested(5), 2, 0.95).unwrap());
        assert_eq!((once.total, often.total), (40, 200));
        assert_eq!(once.accuracy, wilson(20, 40, 0.95));
        assert!(
            (once.accuracy.low - often.accuracy.low).abs() < 0.01,
            "{:?} {:?}",
            once.accuracy,
            often.accuracy
        );
    }
}
