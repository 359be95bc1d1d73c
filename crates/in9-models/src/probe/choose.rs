//! Choosing the strength of the linear probe's penalty on photographs that are held out.

use in9_data::Split;
use serde::{Deserialize, Serialize};

use super::features::Features;
use super::linear::Linear;
use crate::error::{Error, Result};
use crate::train::Selection;

/// The strengths among which one is chosen, strongest first.
pub const STRENGTHS: [f64; 8] = [10.0, 1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

/// The share of each class's photographs that is held out.
pub const HELD_OUT: f64 = 0.2;

/// A strength, and how it came to be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// Seed of the draw of what was held out.
    pub seed: u64,
    /// Photographs that were held out.
    pub held_out: usize,
    /// The strengths that were tried.
    pub tried: Vec<f64>,
    /// Mean cross-entropy on what was held out, of each.
    pub cross_entropy: Vec<f64>,
    /// Share of what was held out that is right, of each.
    pub accuracy: Vec<f64>,
}

impl Chosen {
    /// The strength of the lowest cross-entropy; of equal ones the strongest.
    pub fn l2(&self) -> f64 {
        let mut best = 0;
        for (index, loss) in self.cross_entropy.iter().enumerate() {
            if *loss < self.cross_entropy[best] {
                best = index;
            }
        }
        self.tried.get(best).copied().unwrap_or(STRENGTHS[0])
    }

    /// Tries [`STRENGTHS`] on features of the samples of `split`: of each class, [`HELD_OUT`] are held out, drawn by
    /// `seed` and their ids.
    ///
    /// # Errors
    /// [`Error::Setting`] when there are too few photographs to hold one out.
    pub fn by_holding_out(
        features: &Features,
        labels: &[u16],
        classes: usize,
        split: &Split,
        seed: u64,
    ) -> Result<Self> {
        let mut selection = Selection::all(split);
        selection.keep_fraction(split, 1.0 - HELD_OUT, seed)?;
        let kept = selection.keep;
        let labels_of = |wanted: bool| -> Vec<u16> {
            labels.iter().zip(&kept).filter(|(_, kept)| **kept == wanted).map(|(label, _)| *label).collect()
        };
        let (fit, held) = (features.only(|i| kept[i]), features.only(|i| !kept[i]));
        let (labels, of_held) = (labels_of(true), labels_of(false));
        if held.is_empty() {
            let expected = "a number, as there are too few photographs to hold some out";
            return Err(Error::setting("l2", expected, "none"));
        }
        let mut chosen = Self {
            seed,
            held_out: held.len(),
            tried: Vec::new(),
            cross_entropy: Vec::new(),
            accuracy: Vec::new(),
        };
        let mut last: Option<Linear> = None;
        for l2 in STRENGTHS {
            let linear = Linear::fit(&fit, &labels, classes, l2, last.as_ref())?;
            let (loss, right) = linear.judge(&held, &of_held);
            chosen.tried.push(l2);
            chosen.cross_entropy.push(loss);
            chosen.accuracy.push(right);
            last = Some(linear);
        }
        Ok(chosen)
    }
}
