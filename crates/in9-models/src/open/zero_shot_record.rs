//! What results say about a network that was told its classes in words.

use serde::{Deserialize, Serialize};

/// Everything beside the weights that decides its answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZeroShotRecord {
    /// What the prompts are called: `plain`, `ensemble`, or the name of their file.
    pub prompts: String,
    /// BLAKE3 of the texts of all classes, as they reached the tokenizer.
    pub prompts_digest: String,
    /// The templates.
    pub templates: Vec<String>,
    /// What each class is called in them, in the classes' order.
    pub names: Vec<Vec<String>>,
    /// BLAKE3 of the vocabulary's files.
    pub vocabulary: String,
    /// BLAKE3 of the configuration that lay beside the weights.
    pub config: String,
    /// What the cosine of a picture and a text is divided by.
    pub temperature: f32,
    /// What is added to all scores.
    pub bias: f32,
}

/// BLAKE3 of texts, such that no two lists have the same.
#[cfg(feature = "transformers")]
pub(crate) fn digest(texts: &[Vec<String>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for class in texts {
        hasher.update(&(class.len() as u64).to_le_bytes());
        for text in class {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(all(test, feature = "transformers"))]
mod tests {
    use super::*;

    #[test]
    fn the_border_between_classes_counts() {
        let texts = |classes: &[&[&str]]| -> Vec<Vec<String>> {
            classes.iter().map(|texts| texts.iter().map(|text| (*text).to_owned()).collect()).collect()
        };
        let one = digest(&texts(&[&["a", "b"], &["c"]]));
        assert_ne!(one, digest(&texts(&[&["a"], &["b", "c"]])));
        assert_ne!(one, digest(&texts(&[&["ab"], &["c"]])));
        assert_eq!(one.len(), 64);
    }
}
