//! Who is taken for whom.

use crate::frame::Outcome;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Classes up to which a confusion matrix is serialised: a square of thousands would be larger than everything else.
const MOST_SERIALISED: usize = 256;

/// How often each class was predicted for each true class. Only what occurred takes memory.
///
/// Serialised as `matrix[true][predicted]`, whose last column counts answers outside the taxonomy; as null beyond 256
/// classes (`confusion.csv` lists what occurred for any number).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// By true and predicted class; the number of classes stands for outside the taxonomy.
    counts: BTreeMap<(usize, usize), u64>,
}

impl Confusion {
    /// Counts `outcomes` among `classes` classes.
    pub fn of(outcomes: &[Outcome], classes: usize) -> Self {
        let mut counts = BTreeMap::new();
        for outcome in outcomes {
            let predicted = outcome.predicted.map_or(classes, usize::from).min(classes);
            *counts.entry((usize::from(outcome.class), predicted)).or_insert(0) += 1;
        }
        Self { classes, counts }
    }

    /// How often `predicted` (`None` for an answer outside the taxonomy) was answered for class `truth`.
    pub fn count(&self, truth: usize, predicted: Option<usize>) -> u64 {
        self.counts.get(&(truth, predicted.unwrap_or(self.classes))).copied().unwrap_or(0)
    }

    /// What occurred, as (true class, predicted class, count), by ascending true class and then predicted class, outside
    /// the taxonomy (`None`) last.
    pub fn occurred(&self) -> impl Iterator<Item = (usize, Option<usize>, u64)> {
        self.counts.iter().map(|(&(truth, predicted), &n)| {
            let predicted = (predicted < self.classes).then_some(predicted);
            (truth, predicted, n)
        })
    }

    /// (right, all) of each class, in class order.
    pub fn per_class(&self) -> Vec<(u64, u64)> {
        let mut counts = vec![(0, 0); self.classes];
        for (truth, predicted, n) in self.occurred() {
            counts[truth].0 += if predicted == Some(truth) { n } else { 0 };
            counts[truth].1 += n;
        }
        counts
    }

    /// Answers outside the taxonomy.
    pub fn outside(&self) -> u64 {
        self.occurred().filter(|(_, predicted, _)| predicted.is_none()).map(|(.., n)| n).sum()
    }
}

impl Serialize for Confusion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.classes > MOST_SERIALISED {
            return serializer.serialize_none();
        }
        let row = |truth| (0..=self.classes).map(move |p| self.counts.get(&(truth, p)).copied().unwrap_or(0));
        serializer.collect_seq((0..self.classes).map(|truth| row(truth).collect::<Vec<u64>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(foreground: u32, class: u16, predicted: Option<u16>) -> Outcome {
        Outcome { foreground, class, predicted, background: u32::MAX, background_class: u16::MAX }
    }

    #[test]
    fn answers_outside_the_taxonomy_stand_in_the_last_column() {
        let confusion =
            Confusion::of(&[outcome(0, 0, Some(0)), outcome(1, 1, None), outcome(2, 1, Some(0))], 2);
        assert_eq!(serde_json::to_string(&confusion).unwrap(), "[[1,0,0],[1,0,1]]");
        assert_eq!((confusion.count(1, Some(0)), confusion.count(1, None), confusion.outside()), (1, 1, 1));
        assert_eq!(confusion.per_class(), [(1, 1), (0, 2)]);
    }

    #[test]
    fn ten_thousand_classes_take_the_memory_of_their_outcomes() {
        let confusion = Confusion::of(&[outcome(0, 9_999, Some(3))], 10_000);
        assert_eq!(confusion.counts.len(), 1);
        assert_eq!(serde_json::to_string(&confusion).unwrap(), "null");
    }
}
