//! Figures about cells of the train-on-X, test-on-Y matrix, for the claims of several topics.

use crate::context::{Context, TestSet};
use in9_analysis::ModelFrame;
use in9_analysis::metrics::spread_difference;
use in9_analysis::metrics::{Gap, difference, gap};
use in9_analysis::stats::Interval;
use in9_data::View;

/// What was measured, and its value.
pub(crate) type Named = (String, Interval);

/// The cells of one test set.
pub(crate) struct Cells<'a> {
    pub(crate) context: &'a Context,
    pub(crate) set: &'a TestSet<'a>,
}

impl Cells<'_> {
    fn model(&self, trained_on: &str) -> Option<&ModelFrame> {
        self.set.trained_on(trained_on).map(|(m, _)| m)
    }

    /// Balanced accuracy minus one over the number of classes, in points.
    pub(crate) fn above_chance(&self, trained_on: &str, tested_on: &str) -> Option<Named> {
        let (_, summary) = self.set.trained_on(trained_on)?;
        let accuracy = summary.accuracy(tested_on.parse().ok()?)?;
        let label = format!("{trained_on} → {tested_on}: balanced accuracy − chance");
        Some((label, accuracy.balanced.shifted(self.context.frame.chance()).scaled(100.0)))
    }

    pub(crate) fn gap(&self, trained_on: &str) -> Vec<Named> {
        let gap =
            self.model(trained_on).and_then(|m| gap(m, self.context.classes(), &self.context.bootstrap));
        self.figures(&format!("BG-gap, trained on {trained_on}"), gap)
    }

    /// Accuracy in one cell minus accuracy in another, in points.
    pub(crate) fn apart(&self, a: (&str, &str), b: (&str, &str)) -> Vec<Named> {
        let cell = |(trained, tested): (&str, &str)| -> Option<(&ModelFrame, View)> {
            Some((self.model(trained)?, tested.parse().ok()?))
        };
        let both = cell(a).zip(cell(b));
        let classes = self.context.classes();
        let apart = both.and_then(|(a, b)| difference(a, b, classes, &self.context.bootstrap));
        let label = if a.0 == b.0 {
            format!("{} → {} − {}", a.0, a.1, b.1)
        } else {
            format!("{} → {} − {} → {}", a.0, a.1, b.0, b.1)
        };
        self.figures(&label, apart)
    }

    /// A difference by plain accuracy and, where the classes are not about equally frequent as in the paper, by
    /// balanced accuracy too.
    fn figures(&self, label: &str, apart: Option<Gap>) -> Vec<Named> {
        let Some(Gap { gap, balanced, .. }) = apart.map(|a| a.scaled(100.0)) else { return Vec::new() };
        if self.is_balanced() {
            return vec![(label.to_owned(), gap)];
        }
        vec![(format!("{label}: plain"), gap), (format!("{label}: balanced"), balanced)]
    }

    /// Whether all classes of the test set are equally frequent, within a tenth.
    fn is_balanced(&self) -> bool {
        let mut counts = vec![0u64; self.context.classes()];
        let foregrounds = self.set.models.first().map_or(&[][..], |(m, _)| &m.foregrounds[..]);
        foregrounds.iter().for_each(|f| counts[usize::from(f.class)] += 1);
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        least.zip(most).is_none_or(|(least, most)| 10 * most <= 11 * least)
    }

    /// Spread over the five tests that show the foreground: original-trained minus mixed-rand-trained.
    pub(crate) fn spreads(&self) -> Option<Named> {
        let (a, b) = (self.model("original")?, self.model("mixed-rand")?);
        let apart = spread_difference(a, b, &self.context.bootstrap)?;
        Some(("spread of original-trained − spread of mixed-rand-trained".into(), apart.scaled(100.0)))
    }
}
