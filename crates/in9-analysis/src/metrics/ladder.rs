//! What the drop from photographs to mixed-rand is made of: pasting, and the background.
//!
//! A mixed picture differs from its photograph in two ways: another background stands behind the object, and the object was
//! cut out and pasted. On the rungs between, the object is pasted on backgrounds made of its own photograph, each of which
//! keeps one thing less of it. Neighbouring rungs are compared photograph by photograph, and the differences add up to the
//! whole drop.

use crate::frame::ModelFrame;
use crate::stats::{Bootstrap, Interval};
use in9_data::View;
use serde::{Deserialize, Serialize};

/// The rungs, from the photograph down.
pub const LADDER: [View; 7] = [
    View::Original,
    View::BgInpainted,
    View::BgTiled,
    View::BgFlat,
    View::BgNoise,
    View::MixedSame,
    View::MixedRand,
];

/// The last rung on which the object still stands in its own scene: above it only pasting can cost anything.
pub const PASTED: View = View::BgTiled;

/// From one rung to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The rung above.
    pub from: View,
    /// The rung below.
    pub to: View,
    /// Accuracy above minus accuracy below, a fraction in `-1..=1`.
    pub cost: Interval,
}

/// The drop from photographs to mixed-rand, divided. Fractions in `-1..=1`; all over the same photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ladder {
    /// Photographs that were tested on every rung.
    pub photographs: usize,
    /// Accuracy on each rung, in order.
    pub accuracy: Vec<(View, Interval)>,
    /// From each rung to the next that was tested.
    pub steps: Vec<Step>,
    /// What pasting costs: accuracy on photographs minus accuracy on the same objects on their own tiled backgrounds.
    pub pasting: Interval,
    /// What the background costs, pasted in either case: accuracy on own tiled backgrounds minus accuracy on mixed-rand.
    pub background: Interval,
    /// The whole drop, the sum of both.
    pub total: Interval,
}

/// What a step takes away.
pub fn taken(from: View, to: View) -> &'static str {
    match (from, to) {
        (View::Original, View::BgInpainted) => "the pixels around the object's outline",
        (View::BgInpainted, View::BgTiled) => "the rest of the box, for strips of background",
        (View::Original, View::BgTiled) => "the box around the object, for strips of background",
        (View::BgTiled | View::BgInpainted, View::BgFlat) => "all of the background but its mean colour",
        (View::BgFlat, View::BgNoise) => "nothing: texture without a scene is added",
        (_, View::BgNoise) => "all of the background but its power spectrum",
        (_, View::MixedSame) => "its own scene, for another of its class",
        (View::MixedSame, View::MixedRand) => "the class of the scene: the BG-gap",
        (_, View::MixedRand) => "its own scene, for any other",
        _ => "",
    }
}

/// The ladder of `model`; `None` unless some photograph was tested as it is, on its own tiled background and in mixed-rand.
///
/// Rungs that were not tested are left out. Photographs are resampled whole, so that intervals gain from the pairing.
pub fn ladder(model: &ModelFrame, bootstrap: &Bootstrap) -> Option<Ladder> {
    let tested = LADDER.into_iter().filter(|&view| !model.view(view).is_empty());
    let rungs: Vec<(View, Vec<Option<f64>>)> = tested.map(|view| (view, model.shares(view))).collect();
    let at = |view: View| rungs.iter().position(|(rung, _)| *rung == view);
    let (top, pasted, bottom) = (at(View::Original)?, at(PASTED)?, at(View::MixedRand)?);
    let rows: Vec<Vec<f64>> = (0..model.foregrounds.len())
        .filter_map(|i| rungs.iter().map(|(_, shares)| shares[i]).collect())
        .collect();
    if rows.is_empty() {
        return None;
    }
    let over = |of: &(dyn Fn(&[f64]) -> f64 + Sync)| {
        let values: Vec<f64> = rows.iter().map(|row| of(row)).collect();
        bootstrap.mean("ladder", &values)
    };
    let apart = |above: usize, below: usize| over(&|row| row[above] - row[below]);
    let step =
        |below: usize| Step { from: rungs[below - 1].0, to: rungs[below].0, cost: apart(below - 1, below) };
    Some(Ladder {
        photographs: rows.len(),
        accuracy: rungs.iter().enumerate().map(|(rung, (view, _))| (*view, over(&|row| row[rung]))).collect(),
        steps: (1..rungs.len()).map(step).collect(),
        pasting: apart(top, pasted),
        background: apart(pasted, bottom),
        total: apart(top, bottom),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;

    #[test]
    fn steps_add_up_over_the_photographs_that_stand_on_every_rung() {
        let rows = [
            ("a", 0, View::Original, 0),
            ("b", 0, View::Original, 0),
            ("c", 1, View::Original, 0),
            ("d", 1, View::Original, 1),
            ("a", 0, View::BgTiled, 0),
            ("b", 0, View::BgTiled, 1),
            ("c", 1, View::BgTiled, 1),
            ("a", 0, View::MixedSame, 1),
            ("b", 0, View::MixedSame, 1),
            ("c", 1, View::MixedSame, 1),
            ("a", 0, View::MixedRand, 1),
            ("b", 0, View::MixedRand, 1),
            ("c", 1, View::MixedRand, 0),
        ];
        let found = ladder(&frame(2, &rows).models[0], &Bootstrap::default()).unwrap();
        // d was not tested on every rung.
        assert_eq!(found.photographs, 3);
        let value = |i: &Interval| (i.value * 3.0).round();
        assert_eq!(found.accuracy.iter().map(|(_, i)| value(i)).collect::<Vec<_>>(), [2.0, 2.0, 1.0, 0.0]);
        let steps: Vec<_> = found.steps.iter().map(|s| (s.from, s.to, value(&s.cost))).collect();
        assert_eq!(
            steps,
            [
                (View::Original, View::BgTiled, 0.0),
                (View::BgTiled, View::MixedSame, 1.0),
                (View::MixedSame, View::MixedRand, 1.0)
            ]
        );
        assert_eq!([found.pasting, found.background, found.total].map(|i| value(&i)), [0.0, 2.0, 2.0]);
        assert!(found.steps.iter().all(|step| !taken(step.from, step.to).is_empty()));
        assert_eq!(ladder(&frame(2, &rows[..7]).models[0], &Bootstrap::default()), None);
    }
}
