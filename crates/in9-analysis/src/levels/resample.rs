//! Each level resampled by itself, as a check of the fitted components.

use super::study::{Study, Weighing};
use crate::stats::Bootstrap;
use std::collections::BTreeMap;

/// What is resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Photographs, each with all its answers.
    Photographs,
    /// Trainings of each configuration, each with all its answers; with what their interaction with photographs makes.
    Trainings,
    /// Backgrounds, each with all photographs before it; with what single answers before it make.
    Backgrounds,
}

impl Study {
    /// Variance of the figure when `level` alone is drawn with replacement, all others as they are; 0 where there is one
    /// thing to draw.
    ///
    /// Of n things the variance is that of the bootstrap times n / (n − 1), which it falls short by: with three trainings
    /// it would be a third too small.
    pub fn resampled(
        &self,
        weighing: Weighing,
        level: Level,
        bootstrap: &Bootstrap,
        statistic: impl Fn(&[f64]) -> f64 + Sync,
    ) -> f64 {
        match level {
            Level::Photographs => {
                let weights = self.weights(weighing);
                let n = weights.len();
                let drawn = bootstrap.replicates("photographs", n, |counts| {
                    let w: Vec<f64> = counts.iter().zip(&weights).map(|(&c, w)| f64::from(c) * w).collect();
                    statistic(&self.weighted(weighing, &w))
                });
                inflated(&drawn, n)
            }
            Level::Trainings => {
                let groups = self.columns.iter().map(|c| c.group + 1).max().unwrap_or(0);
                let size =
                    |g: usize| self.columns.iter().find(|c| c.group == g).map_or(0, |c| c.values.len());
                let of = |g: usize| {
                    let drawn = bootstrap.replicates(&format!("trainings {g}"), size(g), |counts| {
                        statistic(&self.of_trainings(weighing, g, counts))
                    });
                    inflated(&drawn, size(g))
                };
                (0..groups).filter(|&g| size(g) > 1).map(of).sum()
            }
            Level::Backgrounds => {
                let mut places: BTreeMap<u32, usize> = BTreeMap::new();
                for (background, _) in self.columns.iter().flat_map(|c| c.draws.iter().flatten()) {
                    let next = places.len();
                    places.entry(*background).or_insert(next);
                }
                let drawn = bootstrap.replicates("backgrounds", places.len(), |counts| {
                    statistic(&self.before(weighing, |b| f64::from(counts[places[&b]])))
                });
                if places.len() > 1 { inflated(&drawn, places.len()) } else { 0.0 }
            }
        }
    }

    /// Means with other weights of the photographs; where classes weigh the same, within each class.
    fn weighted(&self, weighing: Weighing, weights: &[f64]) -> Vec<f64> {
        let mut sizes: BTreeMap<u16, f64> = BTreeMap::new();
        for (class, w) in self.classes.iter().zip(weights) {
            *sizes.entry(if weighing == Weighing::Balanced { *class } else { 0 }).or_default() += w;
        }
        sizes.retain(|_, size| *size > 0.0);
        let mean = |column: &super::Column| -> f64 {
            let mut sums: BTreeMap<u16, f64> = BTreeMap::new();
            for (i, class) in self.classes.iter().enumerate() {
                let x = column.values.iter().map(|t| t[i]).sum::<f64>() / column.values.len() as f64;
                let class = if weighing == Weighing::Balanced { *class } else { 0 };
                *sums.entry(class).or_default() += weights[i] * x;
            }
            sizes.iter().map(|(class, size)| sums[class] / size).sum::<f64>() / sizes.len() as f64
        };
        self.columns.iter().map(mean).collect()
    }

    /// Means where the trainings of a group were drawn as often as `counts` says.
    fn of_trainings(&self, weighing: Weighing, group: usize, counts: &[u32]) -> Vec<f64> {
        let mut drawn = self.clone();
        for column in drawn.columns.iter_mut().filter(|c| c.group == group) {
            let chosen = counts.iter().zip(&column.values);
            column.values = chosen.flat_map(|(&c, t)| std::iter::repeat_n(t.clone(), c as usize)).collect();
        }
        drawn.means(weighing)
    }

    /// Means where answers before each background count as often as it was drawn.
    fn before(&self, weighing: Weighing, times: impl Fn(u32) -> f64) -> Vec<f64> {
        let weights = self.weights(weighing);
        let plain = self.means(weighing);
        let mean = |(column, mean): (&super::Column, f64)| {
            if column.draws.is_empty() {
                return mean;
            }
            let (mut sum, mut all) = (0.0, 0.0);
            for (drawn, w) in column.draws.iter().zip(&weights) {
                for (background, x) in drawn {
                    let w = w * times(*background) / drawn.len() as f64;
                    (sum, all) = (sum + w * x, all + w);
                }
            }
            sum / all
        };
        self.columns.iter().zip(plain).map(mean).collect()
    }
}

/// Variance over replicates, as that of `n` things falls short of the truth.
fn inflated(replicates: &[f64], n: usize) -> f64 {
    let kept: Vec<f64> = replicates.iter().copied().filter(|v| v.is_finite()).collect();
    let mean = kept.iter().sum::<f64>() / kept.len() as f64;
    let variance = kept.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (kept.len() as f64 - 1.0);
    variance * n as f64 / (n as f64 - 1.0)
}
