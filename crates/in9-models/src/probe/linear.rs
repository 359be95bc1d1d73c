//! Multinomial logistic regression on standardised features.

use rayon::prelude::*;

use super::answer;
use super::features::Features;
use super::lbfgs::{add, dot, minimise};
use crate::error::{Error, Result};
use crate::mapping::Answer;

/// Parts that the pictures are divided into, whose sums are added in their order: as many for any number of threads.
const PARTS: usize = 16;
/// No element of the gradient is larger where the search ends.
const TOLERANCE: f64 = 1e-8;
/// Most steps of a search.
const STEPS: usize = 1000;

/// A linear classifier of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    standard: Standard,
    classes: usize,
    /// Weights `[classes, width]` of standardised features, then biases `[classes]`.
    parameters: Vec<f64>,
    /// Steps of the search.
    pub steps: usize,
    /// Largest element of the gradient where the search ended.
    pub gradient: f64,
    /// Mean cross-entropy and penalty there.
    pub loss: f64,
}

/// What brings each feature to mean 0 and deviation 1; features that do not vary are left at 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standard {
    mean: Vec<f64>,
    /// One over the deviation.
    scale: Vec<f64>,
}

impl Standard {
    pub(super) fn of(features: &Features) -> Self {
        let (n, width) = (features.len() as f64, features.width());
        let mut mean = vec![0.0; width];
        for row in features.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut squares = vec![0.0; width];
        for row in features.rows() {
            for ((square, x), mean) in squares.iter_mut().zip(row).zip(&mean) {
                *square += (f64::from(*x) - mean).powi(2);
            }
        }
        let scale = squares.iter().zip(&mean).map(|(square, mean)| {
            let deviation = (square / n).sqrt();
            // Below the last digit of the values it is the rounding of their mean.
            if deviation > f64::from(f32::EPSILON) * mean.abs() { 1.0 / deviation } else { 1.0 }
        });
        Self { scale: scale.collect(), mean }
    }

    fn apply(&self, row: &[f32], to: &mut [f64]) {
        for (((to, x), mean), scale) in to.iter_mut().zip(row).zip(&self.mean).zip(&self.scale) {
            *to = (f64::from(*x) - mean) * scale;
        }
    }
}

impl Linear {
    /// Learns from `features` and the class of each, below `classes`, with a penalty of `l2 / 2` times the squared weights;
    /// the search begins at `start`, or else at zero.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not as many labels as pictures, or none, or one above the classes.
    pub fn fit(
        features: &Features,
        labels: &[u16],
        classes: usize,
        l2: f64,
        start: Option<&Self>,
    ) -> Result<Self> {
        // Of no feature there is no mean; what is wrong with it is told below.
        Self::fit_on(&Standard::of(features), features, labels, classes, l2, start)
    }

    /// As [`Linear::fit`], on features that `standard` brings to their size.
    pub(super) fn fit_on(
        standard: &Standard,
        features: &Features,
        labels: &[u16],
        classes: usize,
        l2: f64,
        start: Option<&Self>,
    ) -> Result<Self> {
        let usable = labels.len() == features.len() && !labels.is_empty();
        if !usable || labels.iter().any(|label| usize::from(*label) >= classes) {
            let expected = format!("one class below {classes} for each of {} pictures", features.len());
            return Err(Error::Shape { what: "labels".into(), expected, found: vec![labels.len()] });
        }
        let problem = Problem { features, labels, classes, l2, standard };
        let zero = || vec![0.0; classes * (features.width() + 1)];
        let start = start.map(|start| start.parameters.clone()).filter(|start| start.len() == zero().len());
        let found = minimise(start.unwrap_or_else(zero), TOLERANCE, STEPS, &|x| problem.evaluate(x));
        Ok(Self {
            classes,
            parameters: found.x,
            steps: found.steps,
            gradient: found.gradient,
            loss: found.value,
            standard: standard.clone(),
        })
    }

    /// The mean of the weights of classifiers on features of one standard, with the longest of their searches and the mean of
    /// their losses; `None` of none.
    pub(super) fn mean(all: &[Self]) -> Option<Self> {
        let (first, n) = (all.first()?, all.len() as f64);
        let mut mean = Self { parameters: vec![0.0; first.parameters.len()], loss: 0.0, ..first.clone() };
        for one in all {
            add(&mut mean.parameters, &one.parameters, 1.0 / n);
            mean.steps = mean.steps.max(one.steps);
            mean.gradient = mean.gradient.max(one.gradient);
            mean.loss += one.loss / n;
        }
        Some(mean)
    }

    /// Whether the search ended at a minimum, rather than after the last step that it may take.
    pub fn is_settled(&self) -> bool {
        self.gradient <= TOLERANCE || self.steps < STEPS
    }

    /// Probabilities of the classes, one answer a picture.
    pub(super) fn answers(&self, features: &Features) -> Result<Vec<Answer>> {
        if features.width() != self.standard.mean.len() {
            let expected = format!("[n, {}]", self.standard.mean.len());
            let found = vec![features.len(), features.width()];
            return Err(Error::Shape { what: "features".into(), expected, found });
        }
        let mut row = vec![0.0; features.width()];
        let one = |features: &[f32]| {
            self.standard.apply(features, &mut row);
            let mut scores = scores(&self.parameters, &row, self.classes);
            softmax(&mut scores);
            answer(&scores)
        };
        Ok(features.rows().map(one).collect())
    }

    /// Mean cross-entropy on other pictures, and the share of them that is right.
    pub(super) fn judge(&self, features: &Features, labels: &[u16]) -> (f64, f64) {
        let mut row = vec![0.0; features.width()];
        let (mut loss, mut right) = (0.0, 0);
        for (features, label) in features.rows().zip(labels) {
            self.standard.apply(features, &mut row);
            let mut scores = scores(&self.parameters, &row, self.classes);
            right += usize::from(answer(&scores).class == Some(usize::from(*label)));
            let own = scores[usize::from(*label)];
            loss += softmax(&mut scores) - own;
        }
        let n = labels.len().max(1) as f64;
        (loss / n, right as f64 / n)
    }
}

/// What is minimised.
struct Problem<'a> {
    features: &'a Features,
    labels: &'a [u16],
    classes: usize,
    l2: f64,
    standard: &'a Standard,
}

impl Problem<'_> {
    /// The loss at these parameters, and its gradient.
    fn evaluate(&self, parameters: &[f64]) -> (f64, Vec<f64>) {
        let n = self.labels.len();
        let parts: Vec<(f64, Vec<f64>)> = (0..PARTS)
            .into_par_iter()
            .map(|part| self.part(parameters, part * n / PARTS..(part + 1) * n / PARTS))
            .collect();
        let (mut loss, mut gradient) = (0.0, vec![0.0; parameters.len()]);
        for (of_part, slope) in parts {
            loss += of_part;
            add(&mut gradient, &slope, 1.0);
        }
        let n = n as f64;
        gradient.iter_mut().for_each(|slope| *slope /= n);
        let weights = &parameters[..self.classes * self.features.width()];
        add(&mut gradient[..weights.len()], weights, self.l2);
        (loss / n + 0.5 * self.l2 * dot(weights, weights), gradient)
    }

    /// Summed cross-entropy of these pictures, and its gradient.
    fn part(&self, parameters: &[f64], pictures: std::ops::Range<usize>) -> (f64, Vec<f64>) {
        let width = self.features.width();
        let (mut loss, mut gradient) = (0.0, vec![0.0; parameters.len()]);
        let mut row = vec![0.0; width];
        for index in pictures {
            let label = usize::from(self.labels[index]);
            self.standard.apply(self.features.row(index), &mut row);
            let mut errors = scores(parameters, &row, self.classes);
            let own = errors[label];
            loss += softmax(&mut errors) - own;
            errors[label] -= 1.0;
            let (weights, biases) = gradient.split_at_mut(self.classes * width);
            for ((slope, bias), error) in weights.chunks_exact_mut(width).zip(biases).zip(errors) {
                add(slope, &row, error);
                *bias += error;
            }
        }
        (loss, gradient)
    }
}

/// The score of each class of standardised features.
fn scores(parameters: &[f64], row: &[f64], classes: usize) -> Vec<f64> {
    let (weights, biases) = parameters.split_at(classes * row.len());
    weights.chunks_exact(row.len()).zip(biases).map(|(weight, bias)| dot(weight, row) + bias).collect()
}

/// Scores become probabilities; the logarithm of the sum of their exponentials is returned.
fn softmax(scores: &mut [f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
    largest + sum.ln()
}
