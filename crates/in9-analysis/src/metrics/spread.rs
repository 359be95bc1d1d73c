//! How far a model's accuracies lie apart over the tests that show the foreground (Figure 5).

use crate::frame::ModelFrame;
use crate::stats::{Bootstrap, Interval};
use in9_data::View;

/// The five tests of Figure 5, which all show the foreground.
pub const FOREGROUND_VIEWS: [View; 5] =
    [View::Original, View::OnlyFg, View::MixedSame, View::MixedRand, View::MixedNext];

/// Spread (highest minus lowest accuracy over [`FOREGROUND_VIEWS`]) of `a` minus that of `b`.
///
/// Whole foregrounds are resampled, the same for both models. `None` unless both models were tested
/// on the same number of foregrounds on all five views.
pub fn spread_difference(a: &ModelFrame, b: &ModelFrame, bootstrap: &Bootstrap) -> Option<Interval> {
    let (a, b) = (hits(a)?, hits(b)?);
    let n = a[0].len();
    if n == 0 || b[0].len() != n {
        return None;
    }
    Some(bootstrap.interval("spread", n, |counts| spread(&a, counts) - spread(&b, counts)))
}

/// Correctness (0 or 1) of each foreground on each of the five views.
fn hits(model: &ModelFrame) -> Option<Vec<Vec<f64>>> {
    FOREGROUND_VIEWS
        .iter()
        .map(|view| {
            let outcomes = model.by_foreground(*view).into_iter();
            outcomes.map(|o| o.map(|o| f64::from(u8::from(o.correct())))).collect()
        })
        .collect()
}

fn spread(hits: &[Vec<f64>], counts: &[u32]) -> f64 {
    let n = counts.len() as f64;
    let accuracies =
        hits.iter().map(|h| h.iter().zip(counts).map(|(v, &c)| v * f64::from(c)).sum::<f64>() / n);
    let (low, high) =
        accuracies.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), a| (low.min(a), high.max(a)));
    high - low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;

    #[test]
    fn a_steady_model_has_no_spread() {
        let ids = ["a", "b"];
        let rows = |wrong: Option<View>| -> Vec<(&str, u16, View, u16)> {
            FOREGROUND_VIEWS
                .iter()
                .flat_map(|v| ids.map(|id| (id, 0, *v, u16::from(Some(*v) == wrong))))
                .collect()
        };
        let (steady, torn) = (frame(2, &rows(None)), frame(2, &rows(Some(View::MixedNext))));
        let apart = spread_difference(&torn.models[0], &steady.models[0], &Bootstrap::default()).unwrap();
        assert_eq!(apart, Interval::exact(1.0));
    }
}
