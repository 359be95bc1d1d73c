//! How unequal the backgrounds' success rates are.

use in9_analysis::probes::adversarial::write::Rate;
use in9_analysis::stats::quantile;
use in9_analysis::stats::{Bootstrap, Interval};
use std::collections::BTreeMap;

/// Ratio of the 99th centile of the success rates to their median, with a bootstrap interval over
/// backgrounds; `None` without rates or with a median of zero.
pub(crate) fn tail(rates: &[f64], bootstrap: &Bootstrap) -> Option<Interval> {
    let ratio = |counts: &[u32]| {
        let mut drawn: Vec<f64> =
            counts.iter().zip(rates).flat_map(|(&c, &r)| std::iter::repeat_n(r, c as usize)).collect();
        drawn.sort_by(f64::total_cmp);
        let median = quantile(&drawn, 0.5);
        if median > 0.0 { quantile(&drawn, 0.99) / median } else { f64::NAN }
    };
    let defined = !rates.is_empty() && ratio(&vec![1; rates.len()]).is_finite();
    defined.then(|| bootstrap.interval("tail", rates.len(), ratio))
}

/// Standard deviation of the success rates around their class's, over that which chance alone gives equally strong
/// backgrounds, with a bootstrap interval over backgrounds.
pub(crate) fn spread(rates: &[Rate], bootstrap: &Bootstrap) -> Option<Interval> {
    let ratio = |counts: &[u32]| {
        let mut classes: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (&c, r) in counts.iter().zip(rates) {
            let sum = classes.entry(&r.class).or_default();
            *sum = [sum[0] + f64::from(c) * r.won, sum[1] + f64::from(c) * r.tried];
        }
        let (mut seen, mut chance) = (0.0, 0.0);
        for (&c, r) in counts.iter().zip(rates) {
            let [won, tried] = classes[r.class.as_str()];
            let p = won / tried;
            seen += f64::from(c) * (r.won - r.tried * p).powi(2);
            chance += f64::from(c) * r.tried * p * (1.0 - p);
        }
        (seen / chance).sqrt()
    };
    let defined = !rates.is_empty() && ratio(&vec![1; rates.len()]).is_finite();
    defined.then(|| bootstrap.interval("spread", rates.len(), ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_measured_against_chance_within_each_class() {
        let rate = |class: &str, won| Rate { class: class.into(), won, tried: 4.0 };
        // Around ½: (2² + 2²) against 2 · 4 · ¼.
        let apart = [rate("a", 0.0), rate("a", 4.0)];
        assert_eq!(spread(&apart, &Bootstrap::default()).unwrap().value, 2.0);
        // Classes that differ are no spread within them.
        let alike = [rate("a", 1.0), rate("a", 1.0), rate("b", 3.0), rate("b", 3.0)];
        assert_eq!(spread(&alike, &Bootstrap::default()).unwrap().value, 0.0);
        assert!(spread(&[rate("a", 0.0)], &Bootstrap::default()).is_none());
    }
}
