//! Many tests at once.

/// Holm's adjusted p-values, in the order of `p`: all tests with one of at most α together reject a true hypothesis with a
/// probability of at most α, however they depend on each other.
///
/// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.
///
/// ```
/// assert_eq!(in9_analysis::stats::holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, &at) in order.iter().enumerate() {
        largest = largest.max((p[at] * (p.len() - rank) as f64).min(1.0));
        adjusted[at] = largest;
    }
    adjusted
}

/// Benjamini and Yekutieli's adjusted p-values, in the order of `p`: of the tests with one of at most q, the expected share
/// that rejects a true hypothesis is at most q, however they depend on each other.
///
/// Source: Y. Benjamini, D. Yekutieli, "The control of the false discovery rate in multiple testing under dependency",
/// Annals of Statistics 2001.
pub fn false_discovery(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let n = p.len() as f64;
    let harmonic: f64 = (1..=p.len()).map(|k| 1.0 / k as f64).sum();
    let mut adjusted = vec![1.0; p.len()];
    let mut smallest = 1.0f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[at] * n * harmonic / (rank as f64 + 1.0));
        adjusted[at] = smallest;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_test_is_not_adjusted() {
        assert_eq!((holm(&[0.04]), false_discovery(&[0.04])), (vec![0.04], vec![0.04]));
        assert!(holm(&[]).is_empty() && false_discovery(&[]).is_empty());
    }

    #[test]
    fn benjamini_and_yekutieli_by_hand() {
        // Three tests: the harmonic sum is 11/6.
        let q = false_discovery(&[0.03, 0.001, 0.02]);
        for (found, expected) in q.iter().zip([0.03 * 11.0 / 6.0, 0.001 * 5.5, 0.03 * 11.0 / 6.0]) {
            assert!((found - expected).abs() < 1e-12, "{q:?}");
        }
    }

    proptest! {
        #[test]
        fn adjusted_values_keep_the_order_and_never_fall(p in prop::collection::vec(0.0f64..1.0, 1..40)) {
            for adjusted in [holm(&p), false_discovery(&p)] {
                for (i, a) in adjusted.iter().enumerate() {
                    prop_assert!(*a >= p[i] && *a <= 1.0);
                    prop_assert!(adjusted.iter().zip(&p).all(|(b, q)| *q < p[i] || b >= a));
                }
            }
        }
    }
}
