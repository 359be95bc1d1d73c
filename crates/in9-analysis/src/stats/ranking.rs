//! Ranks of several means with intervals.

use super::special::normal_quantile;
use super::{Bootstrap, Interval, quantile};
use serde::Serialize;

/// The place of a mean among several; the largest is the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rank {
    /// Place by the means themselves, from 1; equal means share one.
    pub rank: usize,
    /// Lowest place that the data do not rule out.
    pub low: usize,
    /// Highest such place.
    pub high: usize,
    /// The largest mean minus this one, at least 0, with limits that hold all such differences at once.
    pub behind: Interval,
}

/// Ranks of the means of `columns`, each a value a thing, the same things in the same order; none for no columns.
///
/// The intervals hold all true ranks together with the bootstrap's level, however the columns depend on each other: a mean
/// is certainly below as many others as lie above it in simultaneous bands of all differences of two means (max-t, whole
/// rows resampled). Limits of places therefore widen with the number of columns, as they must when the best of many is
/// looked for. Differences lie in `-most..=most`; two rows, one at either end, are added to each, so that one whose values
/// are all alike has a band too.
///
/// Sources: M. Mogstad, J. P. Romano, A. M. Shaikh, D. Wilhelm, "Inference for ranks with applications to mobility across
/// neighbourhoods and academic achievement across countries", Review of Economic Studies 2024; J. P. Romano, M. Wolf, "Exact
/// and approximate stepdown methods for multiple hypothesis testing", JASA 2005; A. Agresti, Y. Min, "Simple improved
/// confidence intervals for comparing matched proportions", Statistics in Medicine 2005 (the added rows).
///
/// # Panics
/// If the columns differ in length.
pub fn ranks(bootstrap: &Bootstrap, purpose: &str, columns: &[Vec<f64>], most: f64) -> Vec<Rank> {
    let Some(n) = columns.first().map(Vec::len) else { return Vec::new() };
    assert!(columns.iter().all(|column| column.len() == n), "columns of different lengths");
    let count = columns.len();
    let means: Vec<f64> = columns.iter().map(|column| column.iter().sum::<f64>() / n as f64).collect();
    let bands = Bands::new(bootstrap, purpose, columns, &means, most);
    let best = (0..count).fold(0, |best, at| if means[at] > means[best] { at } else { best });
    let place = |at: usize| {
        let others = (0..count).filter(|other| *other != at);
        let above = others.clone().filter(|other| bands.between(*other, at).low > 0.0).count();
        let below = others.clone().filter(|other| bands.between(at, *other).low > 0.0).count();
        let behind = if at == best { Interval::exact(0.0) } else { bands.between(best, at) };
        Rank {
            rank: 1 + others.filter(|other| means[*other] > means[at]).count(),
            low: 1 + above,
            high: count - below,
            behind,
        }
    };
    (0..count).map(place).collect()
}

/// Bands around all differences of two means.
struct Bands<'a> {
    means: &'a [f64],
    /// Mean squared difference of each two columns.
    squares: Vec<f64>,
    rows: f64,
    most: f64,
    /// Standard errors between a difference and its limits.
    critical: f64,
}

impl<'a> Bands<'a> {
    fn new(bootstrap: &Bootstrap, purpose: &str, columns: &[Vec<f64>], means: &'a [f64], most: f64) -> Self {
        let (count, n) = (columns.len(), columns[0].len());
        let mut squares = vec![0.0; count * count];
        for (a, first) in columns.iter().enumerate() {
            for (b, second) in columns.iter().enumerate().skip(a + 1) {
                let sum: f64 = first.iter().zip(second).map(|(x, y)| (x - y).powi(2)).sum();
                (squares[a * count + b], squares[b * count + a]) = (sum / n as f64, sum / n as f64);
            }
        }
        let mut bands = Self { means, squares, rows: n as f64, most, critical: f64::NAN };
        if n < 2 || count < 2 {
            return bands;
        }
        let errors: Vec<f64> =
            (0..count * count).map(|pair| bands.shrunk(pair / count, pair % count).1).collect();
        let largest = |counts: &[u32]| {
            let again: Vec<f64> = columns
                .iter()
                .map(|column| {
                    counts.iter().zip(column).map(|(&c, v)| f64::from(c) * v).sum::<f64>() / n as f64
                })
                .collect();
            let moved: Vec<f64> = again.iter().zip(means).map(|(again, mean)| again - mean).collect();
            let mut most = 0.0f64;
            for (a, first) in moved.iter().enumerate() {
                for (b, second) in moved.iter().enumerate().skip(a + 1) {
                    most = most.max((first - second).abs() / errors[a * count + b]);
                }
            }
            most
        };
        let mut found = bootstrap.replicates(purpose, n, largest);
        found.sort_by(f64::total_cmp);
        // A resample varies by (n − 1)/n of what the rows do; one difference alone would need the normal quantile.
        let short = (n as f64 / (n as f64 - 1.0)).sqrt();
        let single = normal_quantile(0.5 + bootstrap.level / 2.0);
        bands.critical = (quantile(&found, bootstrap.level) * short).max(single);
        bands
    }

    /// The difference of two means and its standard error, with a row at either end of the range added.
    fn shrunk(&self, a: usize, b: usize) -> (f64, f64) {
        let all = self.rows + 2.0;
        let mean = self.rows * (self.means[a] - self.means[b]) / all;
        let square = (self.rows * self.squares[a * self.means.len() + b] + 2.0 * self.most.powi(2)) / all;
        (mean, ((square - mean * mean).max(0.0) / all).sqrt())
    }

    /// The first mean minus the second, between its limits.
    fn between(&self, a: usize, b: usize) -> Interval {
        let value = self.means[a] - self.means[b];
        if self.critical.is_nan() {
            return Interval::new(value, f64::NAN, f64::NAN);
        }
        let (centre, error) = self.shrunk(a, b);
        let (low, high) = (centre - self.critical * error, centre + self.critical * error);
        Interval::new(value, low.max(-self.most).min(value), high.min(self.most).max(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_base::rng;

    /// Right or wrong answers of networks with these chances, which find the same photographs hard.
    fn world(n: usize, chances: &[f64], seed: u64) -> Vec<Vec<f64>> {
        let mut columns = vec![Vec::with_capacity(n); chances.len()];
        for photograph in 0..n {
            let mut random = rng::stream(seed, "ranks", photograph as u64, 0);
            let hard = f64::from(rng::unit(&mut random));
            for (column, chance) in columns.iter_mut().zip(chances) {
                let own = f64::from(rng::unit(&mut random));
                let by = if rng::unit(&mut random) < 0.5 { hard } else { own };
                column.push(f64::from(u8::from(by < *chance)));
            }
        }
        columns
    }

    #[test]
    fn all_true_ranks_lie_in_their_intervals_in_95_percent_of_worlds() {
        // Two networks are equally good, so that each is second.
        let chances = [0.80, 0.76, 0.76, 0.71, 0.60, 0.52];
        let truth = [1, 2, 2, 4, 5, 6];
        let bootstrap = Bootstrap { replicates: 300, ..Bootstrap::default() };
        let (worlds, mut together, mut width) = (300, 0, 0);
        for seed in 0..worlds {
            let found = ranks(&bootstrap, "ranks", &world(300, &chances, seed), 1.0);
            let held = found.iter().zip(truth).all(|(rank, truth)| (rank.low..=rank.high).contains(&truth));
            together += u32::from(held);
            width += found.iter().map(|rank| rank.high - rank.low).sum::<usize>();
        }
        let share = f64::from(together) / worlds as f64;
        assert!(share >= 0.93, "{share}");
        // They say something: of the five places that an interval could span, it spans fewer than two and a half.
        let mean = width as f64 / (worlds as f64 * 6.0);
        assert!(mean < 2.5, "{mean}");
    }

    #[test]
    fn ranks_by_hand() {
        // All right, half right, none right: nobody can be taken for another.
        let half: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        let columns = vec![vec![0.0; 200], half.clone(), vec![1.0; 200], half];
        let found = ranks(&Bootstrap::default(), "ranks", &columns, 1.0);
        let places: Vec<_> = found.iter().map(|r| (r.rank, r.low, r.high)).collect();
        assert_eq!(places, [(4, 4, 4), (2, 2, 3), (1, 1, 1), (2, 2, 3)]);
        assert_eq!(found[2].behind, Interval::exact(0.0));
        assert!(found[0].behind.value == 1.0 && found[0].behind.low > 0.9, "{found:?}");
        assert!(found[1].behind.contains(0.5) && found[1].behind.low > 0.3, "{found:?}");
    }

    #[test]
    fn what_is_alike_or_alone_cannot_be_told_apart() {
        let places = |columns: &[Vec<f64>]| -> Vec<_> {
            let found = ranks(&Bootstrap::default(), "ranks", columns, 1.0);
            found.iter().map(|r| (r.rank, r.low, r.high)).collect()
        };
        assert_eq!(places(&[vec![1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0]]), [(1, 1, 2), (1, 1, 2)]);
        // One photograph says nothing of others.
        assert_eq!(places(&[vec![1.0], vec![0.0]]), [(1, 1, 2), (2, 1, 2)]);
        assert_eq!(places(&[vec![1.0, 0.0]]), [(1, 1, 1)]);
        assert!(places(&[]).is_empty());
    }
}
