//! Curves over trainings that differ in one thing only: the size (Figure 11) or the granularity (Figure 10) of the
//! training set.

use crate::context::{Context, Run, TestSet};
use crate::spec::CurveKind;
use in9_analysis::ModelFrame;
use in9_analysis::levels::{Estimate, Shown, Trainings, Weighing, study};
use in9_analysis::metrics::ModelSummary;
use in9_analysis::stats::Interval;
use in9_data::View;

/// Title of a curve's horizontal axis.
pub(crate) fn title(axis: CurveKind) -> &'static str {
    match axis {
        CurveKind::Size => "share of the training photographs",
        CurveKind::Granularity => "training classes",
    }
}

/// Place of a run on an axis; `None` if it varies something else.
fn place(axis: CurveKind, run: &Run) -> Option<f64> {
    match axis {
        CurveKind::Size if !run.fine => Some(run.fraction),
        CurveKind::Granularity if run.fraction == 1.0 => Some(run.classes as f64),
        _ => None,
    }
}

/// A network on a curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network<'a> {
    /// Seed of its training, if its run is known.
    pub(crate) seed: Option<u64>,
    /// Its predictions.
    pub(crate) frame: &'a ModelFrame,
    /// Its measures.
    pub(crate) summary: &'a ModelSummary,
}

/// The networks at one place of a curve: one, or one training from several seeds.
#[derive(Debug, Clone)]
pub(crate) struct Point<'a> {
    /// Place on the axis.
    pub(crate) x: f64,
    /// At least one.
    pub(crate) networks: Vec<Network<'a>>,
}

/// A curve on one test set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Curve<'a> {
    /// Points by ascending place.
    pub(crate) points: Vec<Point<'a>>,
    /// Networks that were left out, or joined although they were trained differently, each with the first
    /// setting that differs.
    pub(crate) notes: Vec<String>,
}

/// The curve on a test set: of the models that the list names, or else of the original-trained runs on the main
/// data set that were trained alike. Of several such groups the one with the most places makes the curve.
pub(crate) fn curve<'a>(context: &'a Context, axis: CurveKind, set: &TestSet<'a>) -> Curve<'a> {
    let (members, notes) = match listed(context, axis) {
        Some(listed) => listed,
        None => from_runs(context, axis),
    };
    let mut points: Vec<Point<'a>> = Vec::new();
    for (x, model, run) in members {
        let named = || set.models.iter().copied().find(|(m, _)| m.key.model == model);
        let tested = run.and_then(|run| set.of_run(run)).or_else(named);
        let Some((frame, summary)) = tested else { continue };
        let network = Network { seed: run.map(|r| r.seed), frame, summary };
        match points.iter_mut().find(|p| p.x == x) {
            Some(point) => point.networks.push(network),
            None => points.push(Point { x, networks: vec![network] }),
        }
    }
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    Curve { points, notes }
}

/// Place, model and run of each network of a curve.
type Members<'a> = Vec<(f64, &'a str, Option<&'a Run>)>;

fn listed(context: &Context, axis: CurveKind) -> Option<(Members<'_>, Vec<String>)> {
    let entries = context.spec.curve.iter().filter(|c| c.kind == axis);
    let points: Vec<(f64, &str)> = entries.flat_map(|c| &c.point).map(|p| (p.x, p.model.as_str())).collect();
    let main = context.main_dataset();
    let run = |model: &str| context.runs.iter().find(|r| r.model == model && r.dataset == main);
    let first = points.iter().find_map(|(_, model)| run(model));
    let apart = |model: &str| Some(format!("{model} ({})", first?.difference(run(model)?)?));
    let notes: Vec<String> = points.iter().filter_map(|(_, model)| apart(model)).collect();
    let note = |n: String| format!("Joined as listed although trained differently: {n}.");
    let members = points.iter().map(|&(x, model)| (x, model, run(model))).collect();
    (!points.is_empty()).then(|| (members, notes.into_iter().map(note).collect()))
}

fn from_runs(context: &Context, axis: CurveKind) -> (Members<'_>, Vec<String>) {
    let main = context.main_dataset();
    let placed = context.runs.iter().filter(|r| r.dataset == main && r.view == "original");
    let mut groups: Vec<Vec<(f64, &Run)>> = Vec::new();
    for (x, run) in placed.filter_map(|r| Some((place(axis, r)?, r))) {
        match groups.iter_mut().find(|g| g[0].1.difference(run).is_none()) {
            Some(group) => group.push((x, run)),
            None => groups.push(vec![(x, run)]),
        }
    }
    let places = |group: &[(f64, &Run)]| {
        let mut xs: Vec<f64> = group.iter().map(|(x, _)| *x).collect();
        xs.sort_by(f64::total_cmp);
        xs.dedup();
        xs.len()
    };
    // The first among equals, as the list orders them.
    let Some(chosen) = groups.iter().rev().max_by_key(|g| places(g)) else { return Default::default() };
    let apart =
        |run: &Run| Some(format!("Not on the curve: {} ({}).", run.model, chosen[0].1.difference(run)?));
    let notes = groups.iter().flatten().filter_map(|(_, run)| apart(run)).collect();
    (chosen.iter().map(|(x, run)| (*x, run.model.as_str(), Some(*run))).collect(), notes)
}

impl Point<'_> {
    /// Accuracy on a view, a fraction: the network's with its interval, or over several seeds their mean between
    /// the lowest and the highest. `None` unless every network was tested on the view.
    pub(crate) fn accuracy(&self, view: View) -> Option<Interval> {
        self.over_seeds(|n| Some(n.summary.accuracy(view)?.accuracy))
    }

    /// BG-gap as a fraction, in the same way.
    pub(crate) fn gap(&self) -> Option<Interval> {
        self.over_seeds(|n| Some(n.summary.gap?.gap))
    }

    fn over_seeds(&self, of: impl Fn(&Network<'_>) -> Option<Interval>) -> Option<Interval> {
        let all: Vec<Interval> = self.networks.iter().map(of).collect::<Option<_>>()?;
        if let [one] = all[..] {
            return Some(one);
        }
        let values = || all.iter().map(|i| i.value);
        let mean = values().sum::<f64>() / all.len() as f64;
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        Some(Interval::new(mean, low, high))
    }

    fn trainings(&self) -> Trainings<'_> {
        Trainings(self.networks.iter().map(|n| n.frame).collect())
    }
}

/// Accuracy on a view at one point minus that at another, as a fraction, over the trainings at each and the foregrounds
/// they share.
pub(crate) fn accuracy_difference(a: &Point<'_>, b: &Point<'_>, view: View) -> Option<Estimate> {
    let (a, b) = (a.trainings(), b.trainings());
    let shown = Shown::Right(view);
    study(&[(&a, shown), (&b, shown)])?.estimate(Weighing::Plain, |m| m[0] - m[1])
}

/// What the first of two views is above the second (the BG-gap for mixed-same and mixed-rand) at one point minus
/// the same at another, in the same way.
pub(crate) fn gap_difference(
    a: &Point<'_>,
    b: &Point<'_>,
    (first, second): (View, View),
) -> Option<Estimate> {
    let (a, b) = (a.trainings(), b.trainings());
    let (one, other) = (Shown::Right(first), Shown::Right(second));
    let gaps = study(&[(&a, one), (&a, other), (&b, one), (&b, other)])?;
    gaps.estimate(Weighing::Plain, |m| (m[0] - m[1]) - (m[2] - m[3]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_analysis::Frame;
    use in9_analysis::metrics::compare;
    use in9_analysis::metrics::summarise;
    use in9_analysis::stats::Bootstrap;
    use in9_data::predictions::{Row, Table, Training};

    /// A frame of one model of two classes, from (foreground, class, view, predicted).
    fn frame(rows: &[(&str, u16, View, u16)]) -> Frame {
        let row = |&(id, class, view, predicted): &(&str, u16, View, u16)| Row {
            model: "m".into(),
            arch: "a".into(),
            trained_on: "original".into(),
            dataset: "d".into(),
            split: "test".into(),
            view,
            image: id.into(),
            foreground: id.into(),
            background: String::new(),
            class,
            background_class: None,
            predicted: Some(predicted),
            scores: vec![0.0; 2],
            training: Training::default(),
        };
        let classes = vec!["class0".into(), "class1".into()];
        Frame::new(&[Table { classes, rows: rows.iter().map(row).collect() }]).unwrap()
    }

    /// Three networks on four foregrounds of one class; the answers on mixed-same, then on mixed-rand.
    fn networks() -> Vec<Frame> {
        let ids = ["a", "b", "c", "d"];
        let rows = |same: [u16; 4], rand: [u16; 4]| {
            let of =
                |view, answers: [u16; 4]| ids.into_iter().zip(answers).map(move |(id, p)| (id, 0, view, p));
            let rows: Vec<_> = of(View::MixedSame, same).chain(of(View::MixedRand, rand)).collect();
            frame(&rows)
        };
        vec![
            rows([0, 0, 0, 1], [0, 1, 1, 1]),
            rows([0, 0, 0, 0], [0, 0, 1, 1]),
            rows([0, 1, 1, 1], [0, 1, 1, 1]),
        ]
    }

    #[test]
    fn seeds_are_averaged_and_their_range_is_kept() {
        let frames = networks();
        let bootstrap = Bootstrap::default();
        let summaries: Vec<_> = frames.iter().map(|f| summarise(f, &bootstrap).unwrap()).collect();
        let point = |which: &[usize]| Point {
            x: 1.0,
            networks: which
                .iter()
                .map(|&i| Network {
                    seed: Some(i as u64),
                    frame: &frames[i].models[0],
                    summary: &summaries[i][0],
                })
                .collect(),
        };
        let (two, one) = (point(&[0, 1]), point(&[2]));
        assert_eq!(two.accuracy(View::MixedSame), Some(Interval::new(0.875, 0.75, 1.0)));
        assert_eq!(two.gap(), Some(Interval::new(0.5, 0.5, 0.5)));
        assert_eq!(
            one.accuracy(View::MixedRand),
            summaries[2][0].accuracy(View::MixedRand).map(|a| a.accuracy)
        );
        assert_eq!(two.accuracy(View::Original), None);
        let mixed = (View::MixedSame, View::MixedRand);
        // Gaps 0.5 and 0.5 against 0; accuracies 0.75 and 1 against 0.25.
        let gaps = gap_difference(&two, &one, mixed).unwrap();
        assert!((gaps.value - 0.5).abs() < 1e-12 && gaps.trainings == 1 && gaps.photographs == 4);
        let same = accuracy_difference(&two, &one, View::MixedSame).unwrap();
        assert!((same.value - 0.625).abs() < 1e-12);
        // With one network at either end it is the paired comparison of the two.
        let single = point(&[0]);
        let paired = compare(&frames[0].models[0], &frames[2].models[0], &bootstrap).unwrap();
        let gap = gap_difference(&single, &one, mixed).unwrap().value;
        assert!((gap - paired.gap.unwrap().difference.value).abs() < 1e-12);
        let same = accuracy_difference(&single, &one, View::MixedSame).unwrap().value;
        let paired = paired.views.iter().find(|v| v.view == View::MixedSame).unwrap().difference.value;
        assert!((same - paired).abs() < 1e-12);
    }
}
