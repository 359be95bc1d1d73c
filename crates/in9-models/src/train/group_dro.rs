//! Group DRO: the loss of the groups that are answered worst counts the most.
//!
//! A group is a class on one kind of background. Each has a weight `q`, at first the same. In every batch, the weight of each
//! group is multiplied by `exp(step_size · loss)` of the mean loss of its pictures there, all are divided by their sum, and
//! what is minimised is the sum of the groups' mean losses times their weights. A group that a batch has no picture of has the
//! loss 0 in it.
//!
//! With an adjustment `C`, `C / √n` is added to the loss of a group of `n` training pictures before the weights move: the fewer
//! pictures, the more what is learnt by heart is worth on others.
//!
//! Source: S. Sagawa, P. W. Koh, T. B. Hashimoto, P. Liang, "Distributionally robust neural networks for group shifts", ICLR
//! 2020 (arXiv 1911.08731), Algorithm 1 and equation 5. There groups are drawn alike for batches; here batches are those of
//! any training, so that a rare group's weight moves seldom, and large batches are better than small ones.

use candle_core::{DType, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Settings of group DRO, and the groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupDro {
    /// Step of the groups' weights, above 0; 0.01 in the paper.
    pub step_size: f64,
    /// Adjustment for the size of groups, at least 0; 0 is none.
    #[serde(default)]
    pub adjustment: f64,
    /// BLAKE3 of which photograph is of which group; [`Plan::run`](crate::train::Plan::run) fills it in.
    #[serde(default)]
    pub digest: String,
    /// The groups; [`Plan::run`](crate::train::Plan::run) fills them in.
    #[serde(default)]
    pub group: Vec<TrainedGroup>,
}

/// A group of training pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainedGroup {
    /// The class.
    pub class: String,
    /// The kind of background.
    pub name: String,
    /// Training pictures.
    pub samples: usize,
}

/// What group DRO makes of a batch.
pub(crate) struct Robust {
    /// The sum of the groups' losses times their weights.
    pub(crate) loss: f64,
    /// Its gradient with respect to the logits, `[n, classes]`, of their type and device.
    pub(crate) gradient: Tensor,
}

impl GroupDro {
    /// The settings of the paper for groups that are not known yet.
    pub fn new() -> Self {
        Self { step_size: 0.01, adjustment: 0.0, digest: String::new(), group: Vec::new() }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn check(&self) -> Result<()> {
        if !(self.step_size.is_finite() && self.step_size > 0.0) {
            return Err(Error::setting("group_step", "a number above 0", self.step_size));
        }
        if !(self.adjustment.is_finite() && self.adjustment >= 0.0) {
            return Err(Error::setting("group_adjustment", "at least 0", self.adjustment));
        }
        Ok(())
    }

    /// The weights of the groups before the first batch.
    pub(crate) fn start(&self) -> Vec<f64> {
        vec![1.0 / self.group.len().max(1) as f64; self.group.len()]
    }

    /// Moves the groups' `weights` by a batch, and weighs its losses by them.
    ///
    /// # Shapes
    /// - `logits`: `[n, classes]`
    /// - `labels`, `groups`: of each picture, below the classes and the groups
    ///
    /// # Errors
    /// [`Error::Shape`] when these do not fit each other; [`Error::Tensor`].
    pub(crate) fn weigh(
        &self,
        logits: &Tensor,
        labels: &[u32],
        groups: &[u32],
        smoothing: f64,
        weights: &mut [f64],
    ) -> Result<Robust> {
        let (n, classes) = logits.dims2()?;
        let rows = logits.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let fits = labels.len() == n && groups.len() == n && weights.len() == self.group.len();
        let known = labels.iter().all(|label| (*label as usize) < classes)
            && groups.iter().all(|group| (*group as usize) < weights.len());
        if !fits || !known {
            let expected =
                format!("a class below {classes} and a group below {} for each of {n}", weights.len());
            return Err(Error::Shape {
                what: "groups of a batch".into(),
                expected,
                found: vec![groups.len()],
            });
        }
        let pictures: Vec<(f64, Vec<f64>)> = rows
            .iter()
            .zip(labels)
            .map(|(row, label)| cross_entropy(row, *label as usize, smoothing))
            .collect();
        let (mut sums, mut counts) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
        for ((loss, _), group) in pictures.iter().zip(groups) {
            sums[*group as usize] += loss;
            counts[*group as usize] += 1.0;
        }
        let means: Vec<f64> =
            sums.iter().zip(&counts).map(|(sum, count)| sum / f64::max(*count, 1.0)).collect();
        for ((weight, mean), group) in weights.iter_mut().zip(&means).zip(&self.group) {
            let adjusted = mean + self.adjustment / (group.samples.max(1) as f64).sqrt();
            *weight *= (self.step_size * adjusted).exp();
        }
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let slopes = pictures.into_iter().zip(groups).flat_map(|((_, slope), group)| {
            let share = weights[*group as usize] / counts[*group as usize];
            slope.into_iter().map(move |slope| share * slope)
        });
        let slopes: Vec<f64> = slopes.collect();
        let gradient = Tensor::from_vec(slopes, (n, classes), logits.device())?.to_dtype(logits.dtype())?;
        Ok(Robust { loss: weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum(), gradient })
    }
}

impl Default for GroupDro {
    /// [`GroupDro::new`].
    fn default() -> Self {
        Self::new()
    }
}

/// Cross-entropy of a picture with this share of the target spread over all classes, and its gradient.
fn cross_entropy(logits: &[f64], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    let log_sum = largest + sum.ln();
    let spread = smoothing / logits.len() as f64;
    let target = |class: usize| if class == label { 1.0 - smoothing + spread } else { spread };
    let loss = logits.iter().enumerate().map(|(class, logit)| target(class) * (log_sum - logit)).sum();
    let slope =
        logits.iter().enumerate().map(|(class, logit)| (logit - log_sum).exp() - target(class)).collect();
    (loss, slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn dro(step_size: f64, adjustment: f64, samples: &[usize]) -> GroupDro {
        let group = |samples: &usize| TrainedGroup { class: "c".into(), name: "g".into(), samples: *samples };
        GroupDro { step_size, adjustment, digest: String::new(), group: samples.iter().map(group).collect() }
    }

    fn logits(rows: &[[f64; 2]]) -> Tensor {
        Tensor::from_vec(rows.concat(), (rows.len(), 2), &Device::Cpu).unwrap()
    }

    #[test]
    fn weights_move_to_the_group_of_the_larger_loss_as_by_hand() {
        // Logits 0 0 have the loss ln 2; ln 3 for the other class, ln 4.
        let dro = dro(0.5, 0.0, &[9, 9, 9]);
        let rows = [[0.0, 0.0], [0.0, 0.0], [3f64.ln(), 0.0]];
        let mut weights = dro.start();
        assert_eq!(weights, [1.0 / 3.0; 3]);
        let found = dro.weigh(&logits(&rows), &[0, 1, 1], &[0, 0, 1], 0.0, &mut weights).unwrap();
        // exp(0.5 · ln 2) = √2, exp(0.5 · ln 4) = 2, and 1 for the group that is not there.
        let sum = 2f64.sqrt() + 2.0 + 1.0;
        let expected = [2f64.sqrt() / sum, 2.0 / sum, 1.0 / sum];
        assert!(weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{weights:?}");
        let loss = expected[0] * 2f64.ln() + expected[1] * 4f64.ln();
        assert!((found.loss - loss).abs() < 1e-12, "{} {loss}", found.loss);
        let gradient = found.gradient.to_vec2::<f64>().unwrap();
        let by_hand = [
            [-0.25 * expected[0], 0.25 * expected[0]],
            [0.25 * expected[0], -0.25 * expected[0]],
            [0.75 * expected[1], -0.75 * expected[1]],
        ];
        for (row, expected) in gradient.iter().zip(by_hand) {
            assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{gradient:?}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss_with_smoothing() {
        let dro = dro(1e-12, 0.0, &[2, 1]);
        let rows = [[0.3, -1.0], [0.2, 0.9], [-0.4, 0.1]];
        let loss = |rows: &[[f64; 2]]| {
            dro.weigh(&logits(rows), &[0, 1, 0], &[0, 1, 0], 0.1, &mut dro.start()).unwrap()
        };
        let gradient = loss(&rows).gradient.to_vec2::<f64>().unwrap();
        for (picture, class) in [(0, 0), (1, 0), (2, 1)] {
            let moved = |by: f64| {
                let mut rows = rows;
                rows[picture][class] += by;
                loss(&rows).loss
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((slope - gradient[picture][class]).abs() < 1e-8, "{slope} {gradient:?}");
        }
    }

    #[test]
    fn the_adjustment_favours_small_groups_and_nonsense_is_refused() {
        let (plain, adjusted) = (dro(0.01, 0.0, &[100, 4]), dro(0.01, 2.0, &[100, 4]));
        let rows = logits(&[[0.0, 0.0], [0.0, 0.0]]);
        let weights = |dro: &GroupDro| {
            let mut weights = dro.start();
            dro.weigh(&rows, &[0, 1], &[0, 1], 0.0, &mut weights).unwrap();
            weights
        };
        assert_eq!(weights(&plain), [0.5, 0.5]);
        // exp(0.01 · (2 / 2 − 2 / 10)).
        let ratio = weights(&adjusted)[1] / weights(&adjusted)[0];
        assert!((ratio - (0.01f64 * 0.8).exp()).abs() < 1e-12, "{ratio}");
        assert!(plain.weigh(&rows, &[0, 1], &[0, 2], 0.0, &mut plain.start()).is_err());
        assert!(plain.weigh(&rows, &[0, 2], &[0, 1], 0.0, &mut plain.start()).is_err());
        for wrong in [dro(0.0, 0.0, &[]), dro(f64::NAN, 0.0, &[]), dro(0.1, -1.0, &[])] {
            assert!(wrong.check().is_err());
        }
    }
}
