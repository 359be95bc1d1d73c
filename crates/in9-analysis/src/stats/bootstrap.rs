//! The bootstrap over clusters.

use super::{Interval, LEVEL};
use in9_base::rng;
use rand::RngExt;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Settings of a bootstrap: how often, at which level, from which seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples; 2000 puts the limits of a gap within about 0.1 points.
    pub replicates: u32,
    /// Confidence level in `0..1`.
    pub level: f64,
    /// Seed of every resample; the same seed gives the same limits for any number of threads.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { replicates: 2000, level: LEVEL, seed: 0 }
    }
}

impl Bootstrap {
    /// Values of `statistic` over resamples of `clusters` things drawn with replacement.
    ///
    /// The statistic receives how often each cluster was drawn (length `clusters`, sum `clusters`).
    /// Two calls with the same `purpose` and number of clusters see the same resamples, which is
    /// what pairs two models on the same foregrounds.
    pub fn replicates(
        &self,
        purpose: &str,
        clusters: usize,
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Vec<f64> {
        self.run(purpose, &[clusters], statistic)
    }

    /// As [`Bootstrap::replicates`], resampling inside each stratum.
    ///
    /// Clusters are numbered stratum by stratum; `strata` holds the stratum sizes.
    pub fn stratified_replicates(
        &self,
        purpose: &str,
        strata: &[usize],
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Vec<f64> {
        self.run(purpose, strata, statistic)
    }

    fn run(&self, purpose: &str, strata: &[usize], statistic: impl Fn(&[u32]) -> f64 + Sync) -> Vec<f64> {
        let clusters: usize = strata.iter().sum();
        (0..self.replicates)
            .into_par_iter()
            .map_init(
                || vec![0u32; clusters],
                |counts, replicate| {
                    // Keyed by the replicate, so threads change nothing.
                    let mut random = rng::stream(self.seed, purpose, u64::from(replicate), 0);
                    counts.fill(0);
                    let mut start = 0;
                    for &size in strata {
                        for _ in 0..size {
                            counts[start + random.random_range(0..size)] += 1;
                        }
                        start += size;
                    }
                    statistic(counts)
                },
            )
            .collect()
    }

    /// Percentile interval from replicates around `value`; NaN replicates are left out.
    ///
    /// Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    pub fn percentile(&self, value: f64, replicates: Vec<f64>) -> Interval {
        let mut sorted: Vec<f64> = replicates.into_iter().filter(|v| !v.is_nan()).collect();
        if sorted.is_empty() {
            return Interval::new(value, f64::NAN, f64::NAN);
        }
        sorted.sort_by(f64::total_cmp);
        let tail = (1.0 - self.level) / 2.0;
        Interval::new(value, quantile(&sorted, tail), quantile(&sorted, 1.0 - tail))
    }

    /// Interval of `statistic` under resampling of `clusters` things; of fewer than two the limits are NaN, because one
    /// thing says nothing about how others would vary.
    pub fn interval(
        &self,
        purpose: &str,
        clusters: usize,
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Interval {
        let value = statistic(&vec![1; clusters]);
        if clusters < 2 {
            return Interval::new(value, f64::NAN, f64::NAN);
        }
        let replicates = self.replicates(purpose, clusters, statistic);
        self.percentile(value, replicates)
    }

    /// Interval of `statistic` under resampling inside strata; the limits are NaN if all hold fewer than two things.
    pub fn stratified_interval(
        &self,
        purpose: &str,
        strata: &[usize],
        statistic: impl Fn(&[u32]) -> f64 + Sync,
    ) -> Interval {
        let value = statistic(&vec![1; strata.iter().sum()]);
        if strata.iter().all(|size| *size < 2) {
            return Interval::new(value, f64::NAN, f64::NAN);
        }
        let replicates = self.stratified_replicates(purpose, strata, statistic);
        self.percentile(value, replicates)
    }

    /// Interval of the plain mean of `values`, each its own cluster.
    pub fn mean(&self, purpose: &str, values: &[f64]) -> Interval {
        self.interval(purpose, values.len(), |counts| {
            let sum: f64 = counts.iter().zip(values).map(|(&c, v)| f64::from(c) * v).sum();
            sum / values.len() as f64
        })
    }

    /// Interval of the mean of `first` minus `second` over the keys that both have, each its own cluster; `None` if
    /// there is none.
    pub fn paired<K: Ord>(
        &self,
        purpose: &str,
        first: &BTreeMap<K, f64>,
        second: &BTreeMap<K, f64>,
    ) -> Option<Interval> {
        let apart: Vec<f64> = first.iter().filter_map(|(key, v)| Some(v - second.get(key)?)).collect();
        (!apart.is_empty()).then(|| self.mean(purpose, &apart))
    }
}

/// Quantile `q` in `0..=1` of ascending `sorted` values (not empty), linear between ranks.
///
/// This is the default rule of NumPy and R (Hyndman and Fan's type 7).
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_the_keys_of_both() {
        let of = |values: &[(u8, f64)]| values.iter().copied().collect::<BTreeMap<u8, f64>>();
        let (first, second) = (of(&[(1, 3.0), (2, 5.0), (3, 9.0)]), of(&[(1, 1.0), (2, 1.0), (4, 0.0)]));
        let bootstrap = Bootstrap::default();
        assert_eq!(bootstrap.paired("pairs", &first, &second), Some(bootstrap.mean("pairs", &[2.0, 4.0])));
        assert_eq!(bootstrap.paired("pairs", &first, &of(&[(4, 0.0)])), None);
    }

    #[test]
    fn quantiles_interpolate() {
        let v = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&v, 0.0), 1.0);
        assert_eq!(quantile(&v, 0.5), 2.5);
        assert_eq!(quantile(&v, 1.0), 4.0);
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
    }

    #[test]
    fn same_seed_same_limits_for_any_thread_count() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let wide = Bootstrap::default().mean("test", &values);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| Bootstrap::default().mean("test", &values)), wide);
        let other = Bootstrap { seed: 1, ..Bootstrap::default() }.mean("test", &values);
        assert_ne!(other, wide);
        assert!(wide.low < 24.5 && 24.5 < wide.high);
    }

    #[test]
    fn strata_keep_their_size() {
        let sums = Bootstrap::default().stratified_replicates("test", &[3, 5], |c| {
            assert_eq!(c[..3].iter().sum::<u32>(), 3);
            f64::from(c[3..].iter().sum::<u32>())
        });
        assert!(sums.iter().all(|&s| s == 5.0));
    }

    #[test]
    fn one_thing_has_no_limits() {
        let bootstrap = Bootstrap::default();
        for i in [bootstrap.mean("test", &[2.0]), bootstrap.stratified_interval("test", &[1, 1], |_| 2.0)] {
            assert!(i.value == 2.0 && i.low.is_nan() && i.high.is_nan());
        }
    }

    #[test]
    fn constant_values_have_a_point_interval() {
        assert_eq!(Bootstrap::default().mean("test", &[2.0; 9]), Interval::exact(2.0));
    }
}
