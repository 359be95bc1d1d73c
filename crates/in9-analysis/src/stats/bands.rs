//! Simultaneous bands around many means of the same things.

use super::special::normal_quantile;
use super::{Bootstrap, Interval};

/// Means with limits that hold all of them at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands {
    /// Each mean between its limits, in the order of the columns.
    pub means: Vec<Interval>,
    /// Standard errors between a mean and its limits: about 1.96 for a single one, more for several.
    pub critical: f64,
}

/// What the values of a column are, which says how far the normal distribution is trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Values {
    /// Right or wrong, or means of such: 0 to 1.
    Shares,
    /// Differences of shares, from −`most` to `most`.
    Differences {
        /// The largest.
        most: f64,
    },
}

impl Values {
    fn range(self) -> (f64, f64) {
        match self {
            Self::Shares => (0.0, 1.0),
            Self::Differences { most } => (-most, most),
        }
    }

    /// How many rows are added, half at each end of the range, for a band of so many standard errors.
    fn added(self, critical: f64) -> f64 {
        match self {
            // Shares near 0 or 1 are skewed: as many as make a band of this width Wilson's, but for its centre.
            Self::Shares => critical * critical,
            Self::Differences { .. } => 2.0,
        }
    }
}

/// Means of the columns of `rows` (things × columns) with bands that all true means lie in together with the bootstrap's
/// level, however the columns depend on each other; `None` without rows or columns. Of fewer than two rows the limits are
/// NaN.
///
/// Whole rows are resampled; the largest deviation of any mean, in its standard errors, gives the critical value (max-t).
/// Bands are those of the rows and some more at both ends of the range, so that a column whose values are all alike has one,
/// too, and a share near 0 or 1 a longer one towards the middle. Limits stay in the range.
///
/// Sources: J. P. Romano, M. Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing", JASA 2005 (the
/// bootstrap of the maximum); A. Agresti, B. A. Coull, "Approximate is better than 'exact' for interval estimation of
/// binomial proportions", The American Statistician 1998, and A. Agresti, Y. Min, "Simple improved confidence intervals for
/// comparing matched proportions", Statistics in Medicine 2005 (the added values).
pub fn simultaneous(
    bootstrap: &Bootstrap,
    purpose: &str,
    rows: &[Vec<f64>],
    values: Values,
) -> Option<Bands> {
    let (n, columns) = (rows.len(), rows.first()?.len());
    if columns == 0 {
        return None;
    }
    let many = n as f64;
    let (mut means, mut squares) = (vec![0.0; columns], vec![0.0; columns]);
    for row in rows {
        add(&mut means, 1.0, row.iter().copied());
        add(&mut squares, 1.0, row.iter().map(|value| value * value));
    }
    means.iter_mut().chain(&mut squares).for_each(|sum| *sum /= many);
    if n < 2 {
        let means = means.into_iter().map(|mean| Interval::new(mean, f64::NAN, f64::NAN)).collect();
        return Some(Bands { means, critical: f64::NAN });
    }
    let (low, high) = values.range();
    // Mean and its standard error with so many rows added, half at each end.
    let with = |column: usize, added: f64| {
        let all = many + added;
        let mean = (many * means[column] + added * (low + high) / 2.0) / all;
        let square = (many * squares[column] + added * (low * low + high * high) / 2.0) / all;
        (mean, ((square - mean * mean).max(0.0) / all).sqrt())
    };
    let errors: Vec<f64> = (0..columns).map(|column| with(column, 2.0).1).collect();
    let largest = |counts: &[u32]| {
        let mut again = vec![0.0; columns];
        for (row, &count) in rows.iter().zip(counts).filter(|(_, count)| **count > 0) {
            add(&mut again, f64::from(count) / many, row.iter().copied());
        }
        let away =
            again.iter().zip(&means).zip(&errors).map(|((again, mean), error)| (again - mean).abs() / error);
        away.fold(0.0, f64::max)
    };
    let mut found = bootstrap.replicates(purpose, n, largest);
    found.sort_by(f64::total_cmp);
    // Standard errors above are those of n + 2 rows, and a resample varies by (n − 1)/n of what the rows do. One mean alone
    // would need the normal quantile.
    let short = (many / (many - 1.0)).sqrt();
    let single = normal_quantile(0.5 + bootstrap.level / 2.0);
    let critical = (super::quantile(&found, bootstrap.level) * short).max(single);
    let limits = |(column, mean): (usize, &f64)| {
        let (centre, error) = with(column, values.added(critical));
        let (below, above) = ((centre - critical * error).max(low), (centre + critical * error).min(high));
        Interval::new(*mean, below.min(*mean), above.max(*mean))
    };
    Some(Bands { means: means.iter().enumerate().map(limits).collect(), critical })
}

fn add(sums: &mut [f64], weight: f64, row: impl Iterator<Item = f64>) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += weight * value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_base::rng;

    /// Rows of `columns` right or wrong answers whose chances differ, and which share how hard a photograph is.
    fn world(n: usize, chances: &[f64], seed: u64) -> Vec<Vec<f64>> {
        (0..n)
            .map(|i| {
                let mut random = rng::stream(seed, "bands", i as u64, 0);
                let hard = f64::from(rng::unit(&mut random));
                let row = chances.iter().map(|chance| {
                    // Half of the answers hang on the photograph, half on the cell alone.
                    let own = f64::from(rng::unit(&mut random));
                    let by = if rng::unit(&mut random) < 0.5 { hard } else { own };
                    f64::from(u8::from(by < *chance))
                });
                row.collect()
            })
            .collect()
    }

    #[test]
    fn bands_hold_every_true_mean_at_once_in_95_percent_of_worlds_and_single_limits_do_not() {
        let chances: Vec<f64> = (0..12).map(|cell| 0.35 + 0.05 * f64::from(cell)).collect();
        let bootstrap = Bootstrap { replicates: 300, ..Bootstrap::default() };
        let worlds = 400;
        let (mut together, mut singly) = (0, 0);
        for seed in 0..worlds {
            let rows = world(150, &chances, seed);
            let bands = simultaneous(&bootstrap, "bands", &rows, Values::Shares).unwrap();
            let each = |column: usize| {
                let right = rows.iter().filter(|row| row[column] == 1.0).count() as u64;
                crate::stats::wilson(right, rows.len() as u64, 0.95)
            };
            together += u32::from(bands.means.iter().zip(&chances).all(|(i, truth)| i.contains(*truth)));
            singly += u32::from(chances.iter().enumerate().all(|(c, truth)| each(c).contains(*truth)));
        }
        let share = |count: u32| f64::from(count) / worlds as f64;
        assert!((0.93..=0.98).contains(&share(together)), "{}", share(together));
        assert!(share(singly) < share(together) - 0.1, "{} against {}", share(singly), share(together));
    }

    #[test]
    fn bands_of_differences_hold_every_true_difference_at_once_in_95_percent_of_worlds() {
        let chances: Vec<f64> =
            (0..16).map(|cell| if cell < 8 { 0.8 } else { 0.5 + 0.03 * f64::from(cell - 8) }).collect();
        let truth: Vec<f64> = (0..8).map(|cell| chances[cell] - chances[cell + 8]).collect();
        let bootstrap = Bootstrap { replicates: 300, ..Bootstrap::default() };
        let (worlds, mut together) = (400, 0);
        for seed in 0..worlds {
            let apart = |row: Vec<f64>| (0..8).map(|cell| row[cell] - row[cell + 8]).collect();
            let rows: Vec<Vec<f64>> = world(150, &chances, seed).into_iter().map(apart).collect();
            let bands = simultaneous(&bootstrap, "bands", &rows, Values::Differences { most: 1.0 }).unwrap();
            together += u32::from(bands.means.iter().zip(&truth).all(|(i, truth)| i.contains(*truth)));
        }
        let share = f64::from(together) / worlds as f64;
        assert!((0.92..=0.98).contains(&share), "{share}");
    }

    #[test]
    fn columns_that_are_all_alike_have_bands_in_the_range() {
        let rows = vec![vec![1.0, 0.0]; 20];
        let bands = simultaneous(&Bootstrap::default(), "bands", &rows, Values::Shares).unwrap();
        assert!((bands.critical - 1.96).abs() < 0.01);
        assert!(
            bands.means[0].high == 1.0 && bands.means[0].low < 0.96 && bands.means[0].low > 0.8,
            "{bands:?}"
        );
        assert!(bands.means[1].low == 0.0 && bands.means[1].high > 0.04, "{bands:?}");
        let one = simultaneous(&Bootstrap::default(), "bands", &rows[..1], Values::Shares).unwrap();
        assert!(one.means[0].value == 1.0 && one.means[0].low.is_nan());
        assert_eq!(simultaneous(&Bootstrap::default(), "bands", &[], Values::Shares), None);
    }

    #[test]
    fn a_mean_keeps_its_band_when_columns_are_copied() {
        // The same column twice deviates no further than once.
        let single = world(80, &[0.6], 1);
        let double: Vec<Vec<f64>> = single.iter().map(|row| vec![row[0]; 2]).collect();
        let of =
            |rows: &[Vec<f64>]| simultaneous(&Bootstrap::default(), "bands", rows, Values::Shares).unwrap();
        assert_eq!(of(&single).means[0], of(&double).means[1]);
    }
}
