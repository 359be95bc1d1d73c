//! The tests that show the foreground (Figure 5), over which a network is the steadier the less its accuracies differ.

use in9_data::View;

/// The five tests of Figure 5, which all show the foreground.
pub const FOREGROUND_VIEWS: [View; 5] =
    [View::Original, View::OnlyFg, View::MixedSame, View::MixedRand, View::MixedNext];

/// Highest minus lowest of some accuracies.
///
/// ```
/// assert_eq!(in9_analysis::metrics::spread(&[0.25, 0.75, 0.5]), 0.5);
/// ```
pub fn spread(accuracies: &[f64]) -> f64 {
    let (low, high) = accuracies
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), a| (low.min(*a), high.max(*a)));
    high - low
}
