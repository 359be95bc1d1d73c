//! Figures about cells of the train-on-X, test-on-Y matrix, for the claims of several topics.

use super::Measured;
use crate::context::{Context, Repeated, TestSet};
use in9_analysis::levels::{Estimate, Shown, Study, Trainings, Weighing, study};
use in9_analysis::metrics::{FOREGROUND_VIEWS, spread};
use in9_analysis::stats::Interval;
use in9_data::View;

/// The cells of one test set.
pub(crate) struct Cells<'a> {
    pub(crate) context: &'a Context,
    pub(crate) set: &'a TestSet<'a>,
}

/// A training view and a test view.
pub(crate) type Cell<'a> = (&'a str, &'a str);

impl Cells<'_> {
    /// The columns of some cells, and their rows in results.json; `None` unless all were trained and tested.
    pub(crate) fn study(&self, cells: &[Cell<'_>]) -> Option<(Study, Vec<String>)> {
        let trained: Option<Vec<(Trainings<'_>, View)>> = cells
            .iter()
            .map(|(trained, tested)| Some((self.set.trainings(trained)?, tested.parse().ok()?)))
            .collect();
        let trained = trained?;
        let wanted: Vec<_> = trained.iter().map(|(t, view)| (t, Shown::Right(*view))).collect();
        let rows = self.context.rows(&trained.iter().map(|(t, _)| t).collect::<Vec<_>>());
        Some((study(&wanted)?, rows))
    }

    /// Balanced accuracy minus one over the number of classes, in points.
    pub(crate) fn above_chance(&self, trained_on: &str, tested_on: &str) -> Option<Measured> {
        let chance = self.context.frame.chance();
        let (study, rows) = self.study(&[(trained_on, tested_on)])?;
        let estimate = study.estimate(Weighing::Balanced, |m| m[0] - chance)?;
        let label = format!("{trained_on} → {tested_on}: balanced accuracy − chance");
        Some(self.points(label, &estimate).resting_on(rows))
    }

    /// The BG-gap of a network, over all its trainings if there are several, by plain and by balanced accuracy; fractions.
    pub(crate) fn gap_of(&self, network: &Repeated<'_>) -> Option<[Interval; 2]> {
        let first = network.first();
        if !network.is_several() {
            return first.gap.map(|gap| [gap.gap, gap.balanced]);
        }
        let view = first.key.trained_on.as_str();
        let (study, _) = self.study(&[(view, "mixed-same"), (view, "mixed-rand")])?;
        let of = |weighing| {
            Some(study.estimate(weighing, |m| m[0] - m[1])?.interval(self.context.bootstrap.level))
        };
        Some([of(Weighing::Plain)?, of(Weighing::Balanced)?])
    }

    pub(crate) fn gap(&self, trained_on: &str) -> Vec<Measured> {
        let label = format!("BG-gap, trained on {trained_on}");
        self.figures(&label, &[(trained_on, "mixed-same"), (trained_on, "mixed-rand")], &|m| m[0] - m[1])
    }

    /// Accuracy in one cell minus accuracy in another, in points.
    pub(crate) fn apart(&self, a: Cell<'_>, b: Cell<'_>) -> Vec<Measured> {
        let label = if a.0 == b.0 {
            format!("{} → {} − {}", a.0, a.1, b.1)
        } else {
            format!("{} → {} − {} → {}", a.0, a.1, b.0, b.1)
        };
        self.figures(&label, &[a, b], &|m| m[0] - m[1])
    }

    /// A figure over some cells by plain accuracy and, where the classes are not about equally frequent as in the paper,
    /// by balanced accuracy too; times 100.
    pub(crate) fn figures(
        &self,
        label: &str,
        cells: &[Cell<'_>],
        statistic: &dyn Fn(&[f64]) -> f64,
    ) -> Vec<Measured> {
        let Some((study, rows)) = self.study(cells) else { return Vec::new() };
        let of = |weighing: Weighing, label: String| {
            Some(self.points(label, &study.estimate(weighing, statistic)?).resting_on(rows.clone()))
        };
        if self.is_balanced() {
            return of(Weighing::Plain, label.to_owned()).into_iter().collect();
        }
        let (plain, balanced) = (format!("{label}: plain"), format!("{label}: balanced"));
        of(Weighing::Plain, plain).into_iter().chain(of(Weighing::Balanced, balanced)).collect()
    }

    fn points(&self, label: String, estimate: &Estimate) -> Measured {
        Measured::of(label, &estimate.scaled(100.0), self.context.bootstrap.level)
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
    pub(crate) fn spreads(&self) -> Option<Measured> {
        let of = |trained: &'static str| FOREGROUND_VIEWS.map(|view| (trained, view.name()));
        let cells = [of("original"), of("mixed-rand")].concat();
        let n = FOREGROUND_VIEWS.len();
        let (study, rows) = self.study(&cells)?;
        let estimate = study.estimate(Weighing::Plain, |m| spread(&m[..n]) - spread(&m[n..]))?;
        let label = "spread of original-trained − spread of mixed-rand-trained";
        Some(self.points(label.into(), &estimate).resting_on(rows))
    }
}
