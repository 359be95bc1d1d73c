//! Adversarial training: pictures are moved within a small ball, to where the loss is largest, before
//! each training step sees them (the robust networks of Figure 12).
//!
//! Source: A. Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018:
//! projected gradient descent. As in the `robustness` library, which the paper's networks were trained
//! with, the network attacked is the one that evaluates (running statistics) and there is no random
//! start; unlike its default, the last step's pictures are taken, not the best of all steps'.

use candle_core::{D, Tensor};
use in9_data::Normalization;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Model;

/// Nobody takes more steps; a larger number is a slip.
const MOST_STEPS: u32 = 10_000;

/// How the length of a perturbation is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Norm {
    /// Root of the sum of squares over all values of a picture.
    L2,
    /// Largest absolute value.
    Linf,
}

impl Norm {
    /// The norm as it is written: `L2` or `L∞`.
    pub fn symbol(self) -> &'static str {
        match self {
            Norm::L2 => "L2",
            Norm::Linf => "L∞",
        }
    }
}

/// Projected gradient descent; lengths are those of pixel values in `0..=1`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attack {
    /// How lengths are measured.
    pub norm: Norm,
    /// Longest perturbation, above 0.
    pub epsilon: f64,
    /// Steps, from 1 to 10,000.
    pub steps: u32,
    /// Length of a step, above 0.
    pub step_size: f64,
}

impl Attack {
    /// An attack whose steps are together two and a half times as long as the ball's radius, so that
    /// it can reach the ball's edge from anywhere in it and turn there.
    pub fn new(norm: Norm, epsilon: f64, steps: u32) -> Self {
        Self { norm, epsilon, steps, step_size: 2.5 * epsilon / f64::from(steps.max(1)) }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn check(&self) -> Result<()> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if !positive(self.epsilon) {
            return Err(Error::setting("epsilon", "a number above 0", self.epsilon));
        }
        if !(1..=MOST_STEPS).contains(&self.steps) {
            return Err(Error::setting("attack_steps", format!("from 1 to {MOST_STEPS}"), self.steps));
        }
        if !positive(self.step_size) {
            return Err(Error::setting("attack_step_size", "a number above 0", self.step_size));
        }
        Ok(())
    }

    /// The pictures, moved by at most `epsilon` so that the loss grows; pixels stay in `0..=1`.
    ///
    /// Each picture's way is its own; the rest of the batch changes its gradient in the last digits only.
    /// (Under L∞ a pixel whose gradient is next to nothing may so take its step the other way.)
    /// `label_smoothing` is that of the loss that is to grow.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised by `normalization`; output: the same
    /// - `labels`: `[n]`, u32 class indices
    ///
    /// # Errors
    /// Those of [`Model::input_gradient`].
    pub fn perturb(
        &self,
        model: &Model,
        x: &Tensor,
        labels: &Tensor,
        label_smoothing: f64,
        normalization: Normalization,
    ) -> Result<Tensor> {
        let channels = |values: [f32; 3]| -> Result<Tensor> {
            Ok(Tensor::new(&values, x.device())?.reshape((1, 3, 1, 1))?.to_dtype(x.dtype())?)
        };
        let (mean, std) = (channels(normalization.mean)?, channels(normalization.std)?);
        let normalise =
            |pixels: &Tensor| -> Result<Tensor> { Ok(pixels.broadcast_sub(&mean)?.broadcast_div(&std)?) };
        let clean = x.detach().broadcast_mul(&std)?.broadcast_add(&mean)?;
        let mut moved = x.detach();
        for _ in 0..self.steps {
            let gradient = model.input_gradient(&moved, labels, label_smoothing)?;
            // By the chain rule, a pixel's gradient is that of its normalised value over the deviation.
            let gradient = gradient.broadcast_div(&std)?;
            let step = match self.norm {
                // A picture without a gradient stays where it is.
                Norm::L2 => gradient.broadcast_div(&lengths(&gradient)?.maximum(1e-30)?)?,
                Norm::Linf => gradient.sign()?,
            };
            let pixels = moved.broadcast_mul(&std)?.broadcast_add(&mean)?;
            let delta = ((pixels + (step * self.step_size)?)? - &clean)?;
            let pixels = (&clean + self.project(&delta)?)?.clamp(0.0, 1.0)?;
            moved = normalise(&pixels)?;
        }
        Ok(moved)
    }

    /// The nearest perturbation in the ball.
    fn project(&self, delta: &Tensor) -> Result<Tensor> {
        match self.norm {
            Norm::L2 => {
                let shrink = (lengths(delta)?.maximum(self.epsilon)?.recip()? * self.epsilon)?;
                Ok(delta.broadcast_mul(&shrink)?)
            }
            Norm::Linf => Ok(delta.clamp(-self.epsilon, self.epsilon)?),
        }
    }
}

/// The length of each picture of `[n, 3, h, w]`, as `[n, 1, 1, 1]`.
fn lengths(pictures: &Tensor) -> Result<Tensor> {
    let squares = pictures.sqr()?.flatten_from(1)?.sum(D::Minus1)?;
    Ok(squares.sqrt()?.reshape(((), 1, 1, 1))?)
}
