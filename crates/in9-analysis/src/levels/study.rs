//! The numbers that a figure is made of, and the figure taken apart.

use super::between::BetweenTrainings;
use super::column::Column;
use super::estimate::{Components, Estimate};
use std::collections::BTreeMap;

/// How photographs are weighed in a column's mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighing {
    /// Each photograph the same.
    Plain,
    /// Each class the same, and each photograph of a class.
    Balanced,
}

/// Columns over the same photographs: everything that a figure is computed from.
#[derive(Debug, Clone)]
pub struct Study {
    /// Class of each photograph.
    pub classes: Vec<u16>,
    /// The columns.
    pub columns: Vec<Column>,
}

/// What each level moves a figure by, to first order.
pub(super) struct Parts {
    /// Of each group of trainings: `[training][photograph]`.
    pub(super) groups: Vec<Vec<Vec<f64>>>,
    /// Each answer before a drawn background.
    pub(super) draws: Vec<Draw>,
}

/// An answer before a drawn background.
pub(super) struct Draw {
    photograph: usize,
    column: usize,
    background: u32,
    /// The answer minus its centre.
    answer: f64,
    /// What the figure moves by for each of it.
    scale: f64,
}

impl Study {
    /// The figure `statistic`, a smooth function of the columns' means, with its standard error and degrees of freedom;
    /// `None` without photographs or where the figure is no number.
    pub fn estimate(&self, weighing: Weighing, statistic: impl Fn(&[f64]) -> f64) -> Option<Estimate> {
        let n = self.classes.len();
        let value = statistic(&self.means(weighing));
        if n == 0 || !value.is_finite() {
            return None;
        }
        let parts = self.parts(weighing, &statistic);
        let sums = parts.by_photograph(n);
        let many = n as f64;
        let mut found =
            Components { photographs: squares(&sums) * many / (many - 1.0), ..Components::default() };
        found.pairings = pairings(&parts.draws);
        found.backgrounds = shared(&parts.draws).max(0.0);
        let seen = BetweenTrainings::of(&parts.groups, n);
        // Mean squares are added up as they are, without setting a negative difference to zero: only so is their sum right
        // on average. It is never below what is seen between trainings.
        let rest = (found.photographs + found.backgrounds - seen.crossed).max(0.0);
        found.trainings = rest + seen.between - found.photographs - found.backgrounds;
        let variance = found.total();
        let df = seen.df(variance, found.photographs.powi(2) / (many - 1.0));
        let trainings = parts.groups.iter().map(Vec::len).filter(|n| *n > 0).min().unwrap_or(0);
        // One photograph says nothing about how others would vary.
        let error = match variance.sqrt() {
            _ if n < 2 => f64::NAN,
            // Where all photographs are alike, the next one may still be otherwise: as if one of them had been.
            0.0 => 1.0 / n as f64,
            error => error,
        };
        Some(Estimate { value, error, df, photographs: n, trainings, parts: found })
    }

    /// Mean of each column over its trainings and photographs.
    pub(super) fn means(&self, weighing: Weighing) -> Vec<f64> {
        let weights = self.weights(weighing);
        let mean = |column: &Column| -> f64 {
            let over =
                |training: &Vec<f64>| -> f64 { training.iter().zip(&weights).map(|(x, w)| x * w).sum() };
            column.values.iter().map(over).sum::<f64>() / column.values.len() as f64
        };
        self.columns.iter().map(mean).collect()
    }

    /// Weight of each photograph; they sum to 1.
    pub(super) fn weights(&self, weighing: Weighing) -> Vec<f64> {
        let mut sizes: BTreeMap<u16, f64> = BTreeMap::new();
        self.classes.iter().for_each(|class| *sizes.entry(*class).or_default() += 1.0);
        let (n, classes) = (self.classes.len() as f64, sizes.len() as f64);
        let weight = |class: &u16| match weighing {
            Weighing::Plain => 1.0 / n,
            Weighing::Balanced => 1.0 / (classes * sizes[class]),
        };
        self.classes.iter().map(weight).collect()
    }

    /// The figure taken apart by its derivatives with respect to the columns' means.
    pub(super) fn parts(&self, weighing: Weighing, statistic: &impl Fn(&[f64]) -> f64) -> Parts {
        let (means, weights) = (self.means(weighing), self.weights(weighing));
        let slopes = slopes(&means, statistic);
        let count = self.columns.iter().map(|c| c.group + 1).max().unwrap_or(0);
        let mut groups: Vec<Vec<Vec<f64>>> = vec![Vec::new(); count];
        let mut draws = Vec::new();
        for (at, (column, slope)) in self.columns.iter().zip(slopes).enumerate() {
            let centres = self.centres(column, weighing, means[at]);
            let group = &mut groups[column.group];
            group.resize(column.values.len(), vec![0.0; self.classes.len()]);
            for (sums, training) in group.iter_mut().zip(&column.values) {
                for (i, x) in training.iter().enumerate() {
                    sums[i] += slope * weights[i] * (x - centres[i]);
                }
            }
            for (i, drawn) in column.draws.iter().enumerate() {
                let each = slope * weights[i] / drawn.len() as f64;
                let draw = |(background, x): &(u32, f64)| Draw {
                    photograph: i,
                    column: at,
                    background: *background,
                    answer: x - centres[i],
                    scale: each,
                };
                draws.extend(drawn.iter().map(draw));
            }
        }
        Parts { groups, draws }
    }

    /// What each photograph's value is measured from: the mean, of its class where classes weigh the same.
    fn centres(&self, column: &Column, weighing: Weighing, mean: f64) -> Vec<f64> {
        if weighing == Weighing::Plain {
            return vec![mean; self.classes.len()];
        }
        let mut sums: BTreeMap<u16, (f64, f64)> = BTreeMap::new();
        for training in &column.values {
            for (x, class) in training.iter().zip(&self.classes) {
                let sum = sums.entry(*class).or_default();
                *sum = (sum.0 + x, sum.1 + 1.0);
            }
        }
        self.classes.iter().map(|class| sums[class].0 / sums[class].1).collect()
    }
}

impl Parts {
    /// What each photograph moves the figure by, over all its answers.
    pub(super) fn by_photograph(&self, n: usize) -> Vec<f64> {
        let mut sums = vec![0.0; n];
        for group in &self.groups {
            for training in group {
                sums.iter_mut().zip(training).for_each(|(sum, x)| *sum += x / group.len() as f64);
            }
        }
        sums
    }
}

/// Derivative of `statistic` with respect to each mean, by central differences.
fn slopes(means: &[f64], statistic: &impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut moved = means.to_vec();
    (0..means.len())
        .map(|at| {
            moved[at] = means[at] + STEP;
            let above = statistic(&moved);
            moved[at] = means[at] - STEP;
            let below = statistic(&moved);
            moved[at] = means[at];
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

/// Sum of squares around the mean.
pub(super) fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum()
}

/// Variance within photographs that were tested on several backgrounds; `None` unless most were.
fn pairings(draws: &[Draw]) -> Option<f64> {
    let mut sets: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    for d in draws {
        sets.entry((d.photograph, d.column)).or_default().push(d.scale * d.answer);
    }
    let several = sets.values().filter(|parts| parts.len() > 1);
    let sum: f64 =
        several.clone().map(|parts| squares(parts) * parts.len() as f64 / (parts.len() as f64 - 1.0)).sum();
    let tested = several.count();
    (2 * tested > sets.len()).then(|| sum * sets.len() as f64 / tested as f64)
}

/// Covariance of different photographs before the same background.
///
/// Where a photograph stands before several backgrounds, what they have in common, its own difficulty, is taken off first:
/// it says nothing of backgrounds, and in a difference of views it is many times larger than what is sought.
fn shared(draws: &[Draw]) -> f64 {
    let mut photographs: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for d in draws {
        let sum = photographs.entry(d.photograph).or_default();
        *sum = (sum.0 + d.answer, sum.1 + 1.0);
    }
    let mut clusters: BTreeMap<u32, f64> = BTreeMap::new();
    let mut own: BTreeMap<(u32, usize), f64> = BTreeMap::new();
    for d in draws {
        let (sum, n) = photographs[&d.photograph];
        // Taking the mean off takes 1/n of the background's own effect with it.
        let answer = if n > 1.0 { (d.answer - sum / n) * n / (n - 1.0) } else { d.answer };
        *clusters.entry(d.background).or_default() += d.scale * answer;
        *own.entry((d.background, d.photograph)).or_default() += d.scale * answer;
    }
    clusters.values().map(|sum| sum * sum).sum::<f64>() - own.values().map(|sum| sum * sum).sum::<f64>()
}
