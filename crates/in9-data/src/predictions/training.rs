//! Which training a network came from: what tells two networks of the same name apart.

use serde::{Deserialize, Serialize};

/// A training, as prediction tables and outputs of probes name it.
///
/// Two networks with the same `digest` and `dataset` differ in nothing but their seed: they are repeats of one training.
/// Everything is empty where a table does not say it, as tables before version 3 and those of others do not.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Training {
    /// Name of the dataset that was trained on.
    #[serde(default, rename = "trained_data")]
    pub dataset: String,
    /// Digest of every setting that can change the weights, the seed aside: dataset, view, schedule, initial weights,
    /// architecture. Of weights without a run it is the weights' own, which no repeat shares.
    #[serde(default, rename = "training")]
    pub digest: String,
    /// Seed of every random choice.
    #[serde(default, rename = "training_seed", skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Training {
    /// Whether nobody says anything.
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// The training of weights that come without a run: they are known by their own digest (BLAKE3, hexadecimal).
    ///
    /// ```
    /// use in9_data::predictions::Training;
    /// assert_eq!(Training::of_weights("imagenet", "0123456789abcdef").digest, "w-0123456789ab");
    /// assert!(Training::of_weights("", "").is_unknown());
    /// ```
    pub fn of_weights(dataset: &str, weights: &str) -> Self {
        let digest = match weights.get(..12) {
            Some(start) => format!("w-{start}"),
            None => String::new(),
        };
        Self { dataset: dataset.to_owned(), digest, seed: None }
    }
}
