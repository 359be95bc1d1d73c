//! Correlation of ranks.

/// Spearman's correlation of pairs of numbers, `-1..=1`: Pearson's of their ranks, equal values sharing the mean of theirs;
/// NaN for fewer than two pairs, or if either side is all alike.
///
/// ```
/// let rises = [(1.0, 10.0), (2.0, 11.0), (5.0, 90.0)];
/// assert!((in9_analysis::stats::spearman(&rises) - 1.0).abs() < 1e-12);
/// ```
pub fn spearman(pairs: &[(f64, f64)]) -> f64 {
    let (first, second): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (first, second) = (ranks(&first), ranks(&second));
    let middle = (pairs.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    product(&first, &second) / (product(&first, &first) * product(&second, &second)).sqrt()
}

/// Ranks from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let alike =
            order[start..].iter().take_while(|&&at| values[at] == values[order[start]]).count().max(1);
        for &at in &order[start..start + alike] {
            ranks[at] = (2 * start + alike + 1) as f64 / 2.0;
        }
        start += alike;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(spearman(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]), -1.0);
        // By hand: ranks 1 2.5 2.5 4 against 1 3 2 4, products 4.5, squares 4.5 and 5.
        let found = spearman(&[(1.0, 0.0), (2.0, 5.0), (2.0, 4.0), (9.0, 8.0)]);
        assert!((found - 4.5 / (4.5f64 * 5.0).sqrt()).abs() < 1e-12, "{found}");
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert!(spearman(&[]).is_nan() && spearman(&[(1.0, 2.0)]).is_nan());
        assert!(spearman(&[(1.0, 2.0), (1.0, 3.0)]).is_nan());
    }
}
