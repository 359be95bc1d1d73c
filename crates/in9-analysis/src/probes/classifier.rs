//! What a probe asks of a classifier.

use crate::error::{Error, Result};

/// A batch of pictures: `count · 3 · size · size` values in `0..=1`, picture by picture, channel by
/// channel, row by row (NCHW). The classifier normalises them as it was trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// Pixel values.
    pub pixels: Vec<f32>,
    /// Number of pictures.
    pub count: usize,
    /// Pixels of a side.
    pub size: usize,
}

impl Pictures {
    /// An empty batch for pictures of `size` pixels a side.
    pub fn empty(size: usize) -> Self {
        Self { pixels: Vec::new(), count: 0, size }
    }

    /// Adds a picture of `size · size · 3` RGB bytes, row by row, pixel by pixel.
    ///
    /// ```
    /// use in9_analysis::probes::Pictures;
    /// let mut batch = Pictures::empty(1);
    /// batch.push_rgb(&[0, 51, 255]);
    /// assert_eq!((batch.count, batch.pixels), (1, vec![0.0, 0.2, 1.0]));
    /// ```
    pub fn push_rgb(&mut self, rgb: &[u8]) {
        debug_assert_eq!(rgb.len(), 3 * self.size * self.size);
        for channel in 0..3 {
            self.pixels.extend(rgb.iter().skip(channel).step_by(3).map(|&b| f32::from(b) / 255.0));
        }
        self.count += 1;
    }

    /// Values of one picture.
    pub fn values(&self) -> usize {
        3 * self.size * self.size
    }
}

/// A classifier under a probe.
pub trait Classifier {
    /// Number of classes, the length of each picture's scores.
    fn classes(&self) -> usize;

    /// Probabilities of the classes, `[count, classes]` row by row.
    ///
    /// For a classifier with other outputs than the taxonomy's these are summed or looked up by it.
    /// The answer must not depend on how pictures are batched.
    ///
    /// # Errors
    /// If the network cannot be run.
    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>>;

    /// Predicted classes: the highest score, the first among equals.
    ///
    /// Overridden where a prediction can lie outside the taxonomy (`None`).
    ///
    /// # Errors
    /// As [`Classifier::scores`].
    fn predict(&self, pictures: &Pictures) -> Result<Predictions> {
        let scores = self.scores(pictures)?;
        Ok(scores.chunks(self.classes()).map(|row| Some(first_highest(row))).collect())
    }

    /// Predicted classes of composites, by (foreground, background), where the classifier composes them itself,
    /// `batch` at a time; none where it does not.
    ///
    /// # Errors
    /// As [`Classifier::scores`].
    fn predict_pairs(&self, _pairs: &[(u32, u32)], _batch: usize) -> Result<Option<Predictions>> {
        Ok(None)
    }
}

/// Predicted classes, one a picture; `None` is outside the taxonomy.
pub type Predictions = Vec<Option<u16>>;

/// Index of the highest value, the first among equals.
pub fn first_highest(row: &[f32]) -> u16 {
    let mut best = 0;
    for (i, v) in row.iter().enumerate() {
        if *v > row[best] {
            best = i;
        }
    }
    best as u16
}

/// Activation at a tap and the gradient of one class's logit with respect to it.
#[derive(Debug, Clone, PartialEq)]
pub struct TapGradient {
    /// Activation, `[count, channels, height, width]`.
    pub activation: Vec<f32>,
    /// Gradient, of the same shape.
    pub gradient: Vec<f32>,
    /// Number of pictures.
    pub count: usize,
    /// Channels of the tap.
    pub channels: usize,
    /// Rows of the tap.
    pub height: usize,
    /// Columns of the tap.
    pub width: usize,
}

/// How much of the features of each picture comes from each of its patches.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchShares {
    /// Shares, `[count, height, width]`; those of a picture sum to at most one.
    pub shares: Vec<f32>,
    /// Rows of patches.
    pub height: usize,
    /// Columns of patches.
    pub width: usize,
}

/// A classifier whose insides can be looked at.
pub trait GradientClassifier: Classifier {
    /// Names of the places where activations can be tapped, from input to output.
    fn taps(&self) -> Vec<String>;

    /// Activation at `tap` and gradient of each picture's logit of `classes[i]`.
    ///
    /// # Errors
    /// If there is no such tap or the network cannot be run.
    fn tap_gradient(&self, pictures: &Pictures, classes: &[u16], tap: &str) -> Result<TapGradient>;

    /// Gradient of each picture's logit of `classes[i]` with respect to its pixels in `0..=1`;
    /// the layout of [`Pictures::pixels`].
    ///
    /// # Errors
    /// If the network cannot be run.
    fn input_gradient(&self, pictures: &Pictures, classes: &[u16]) -> Result<Vec<f32>>;

    /// Whether its tokens attend to each other, so that [`GradientClassifier::attention_rollout`] has an answer.
    fn attends(&self) -> bool {
        false
    }

    /// How much of each picture's features comes from each patch, by attention rollout; `None` without attention.
    ///
    /// # Errors
    /// If the network cannot be run.
    fn attention_rollout(&self, _pictures: &Pictures) -> Result<Option<PatchShares>> {
        Ok(None)
    }
}

/// A classifier that gives scores and nothing else, in the place of one whose insides can be looked at.
pub struct BlackBox<'a>(pub &'a dyn Classifier);

impl BlackBox<'_> {
    fn closed<T>() -> Result<T> {
        Err(Error::Classifier(
            "gives scores only, neither gradients nor attention; occlusion needs none".into(),
        ))
    }
}

impl Classifier for BlackBox<'_> {
    fn classes(&self) -> usize {
        self.0.classes()
    }

    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        self.0.scores(pictures)
    }

    fn predict(&self, pictures: &Pictures) -> Result<Vec<Option<u16>>> {
        self.0.predict(pictures)
    }
}

impl GradientClassifier for BlackBox<'_> {
    fn taps(&self) -> Vec<String> {
        Vec::new()
    }

    fn tap_gradient(&self, _: &Pictures, _: &[u16], _: &str) -> Result<TapGradient> {
        Self::closed()
    }

    fn input_gradient(&self, _: &Pictures, _: &[u16]) -> Result<Vec<f32>> {
        Self::closed()
    }
}
