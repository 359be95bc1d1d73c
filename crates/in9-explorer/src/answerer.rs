//! Networks that answer while one waits.

use crate::error::Result;

/// A classifier that is asked about pictures which no table knows.
///
/// The server asks from several threads.
pub trait Answerer: Send + Sync {
    /// Name for people, such as the run's.
    fn name(&self) -> &str;

    /// Names of the classes, in the order of [`Answer::scores`].
    fn classes(&self) -> &[String];

    /// What the network says of one picture of `size · size · 3` RGB bytes, row by row.
    ///
    /// # Errors
    /// If the network cannot be run on it.
    fn answer(&self, rgb: &[u8], size: usize) -> Result<Answer>;
}

/// What a network says of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Probability of each class, in `0..=1`.
    pub scores: Vec<f32>,
    /// The class it chooses; `None` is outside the taxonomy.
    pub predicted: Option<u16>,
    /// The picture under its Grad-CAM, `size · size · 3` RGB bytes, if the network has one.
    pub saliency: Option<Vec<u8>>,
}
