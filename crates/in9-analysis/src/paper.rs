//! The paper's published numbers, read from `data-manifests/paper.toml`.

use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Accuracy in percent by view name (or `in-9l`).
pub type Accuracies = BTreeMap<String, f64>;

/// Everything that was published; accuracies and rates in percent, differences in points.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Paper {
    /// Where the numbers come from.
    pub source: String,
    /// Chance level of nine balanced classes.
    pub chance: f64,
    /// Images of the test set.
    pub test_images: u64,
    /// Images of each training set.
    pub train_images: u64,
    /// How the gap is defined.
    pub gap_definition: String,
    /// Table 5: one row a training set.
    pub train_test: Vec<TrainTest>,
    /// Table 2 and the authors' repository: one row an architecture.
    pub architecture: Vec<Architecture>,
    /// Measured by others.
    pub others: Vec<Architecture>,
    /// Shares of the fine-grained categories, by model or `identity`.
    pub categories: BTreeMap<String, BTreeMap<String, f64>>,
    /// Adversarial backgrounds.
    pub adversarial: Adversarial,
    /// Figure 10.
    pub granularity: Granularity,
    /// Figure 11.
    pub size: BTreeMap<String, toml::Value>,
    /// Figure 12's known gaps by training set.
    pub gaps: BTreeMap<String, f64>,
    /// Figure 8's slopes by view, points per ImageNet point.
    pub progress: BTreeMap<String, f64>,
    /// Differences that the text states.
    pub stated: BTreeMap<String, toml::Value>,
}

/// A row of Table 5.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct TrainTest {
    /// View trained on, or `in-9l`.
    pub trained_on: String,
    /// Accuracy by view tested on.
    pub accuracy: Accuracies,
}

/// A published network.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Architecture {
    /// Name of the network.
    pub model: String,
    /// What it was trained on.
    pub trained_on: String,
    /// Table or page.
    pub source: String,
    /// Top-1 accuracy on ImageNet.
    pub imagenet: Option<f64>,
    /// Accuracy by view.
    pub accuracy: Accuracies,
    /// BG-gap as printed.
    pub gap: f64,
    /// Challenge accuracy: foregrounds that no background fools.
    pub challenge: Option<f64>,
    /// What to know about the row.
    pub note: Option<String>,
}

/// Figure 10: the balanced large training set with its labels grouped, ResNet-50.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Granularity {
    /// Numbers of training classes, ascending.
    pub classes: Vec<u32>,
    /// BG-gap with the most classes.
    pub gap_finest: f64,
    /// BG-gap with the fewest.
    pub gap_coarsest: f64,
}

/// Published numbers of the adversarial backgrounds.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Adversarial {
    /// Foregrounds with a background that turns the answer into its own class.
    pub targeted_vulnerable: f64,
    /// Foregrounds with a background that makes the answer wrong.
    pub untargeted_vulnerable: f64,
    /// Challenge accuracy of the IN-9L ResNet-50.
    pub challenge_accuracy_in9l: f64,
    /// Challenge accuracy of the ImageNet ResNet-50.
    pub challenge_accuracy_imagenet: f64,
    /// Largest success rate on the axis of Figure 4.
    pub insect_histogram_reaches: f64,
    /// By class of the background.
    pub class: Vec<AdversarialClass>,
}

/// Adversarial backgrounds of one class.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct AdversarialClass {
    /// Class.
    pub name: String,
    /// Foregrounds of other classes fooled by any of its backgrounds.
    pub fooled_by_any: f64,
    /// Success rates of the five strongest, ascending.
    pub strongest: Vec<f64>,
}

impl Paper {
    /// The numbers that the program carries.
    ///
    /// # Errors
    /// Never for an unchanged program: a test reads the same text.
    pub fn embedded() -> Result<Self> {
        let text = include_str!("../paper.toml");
        Ok(toml::from_str(text)?)
    }

    /// Table 5's accuracy in percent, if the paper has it.
    pub fn accuracy(&self, trained_on: &str, tested_on: &str) -> Option<f64> {
        let row = self.train_test.iter().find(|r| r.trained_on == trained_on)?;
        row.accuracy.get(tested_on).copied()
    }

    /// Training classes and BG-gap in points at the two ends of Figure 10, the only ones that are printed.
    pub fn granularity_gaps(&self) -> Vec<(u32, f64)> {
        let g = &self.granularity;
        let ends = [(g.classes.first(), g.gap_coarsest), (g.classes.last(), g.gap_finest)];
        ends.into_iter().filter_map(|(classes, gap)| Some((*classes?, gap))).collect()
    }

    /// Table 5's BG-gap in points: mixed-same minus mixed-rand.
    pub fn gap(&self, trained_on: &str) -> Option<f64> {
        Some(self.accuracy(trained_on, "mixed-same")? - self.accuracy(trained_on, "mixed-rand")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_gaps_are_differences_of_printed_accuracies() {
        let paper = Paper::embedded().unwrap();
        for a in &paper.architecture {
            let gap = a.accuracy["mixed-same"] - a.accuracy["mixed-rand"];
            assert!((gap - a.gap).abs() < 0.051, "{} {}", a.model, a.trained_on);
        }
        for (trained, gap) in [("original", 20.22), ("mixed-rand", -0.20), ("mixed-next", -4.79)] {
            assert!((paper.gap(trained).unwrap() - gap).abs() < 1e-9);
        }
        assert_eq!(paper.granularity_gaps(), [(9, 15.6), (144, 13.3)]);
        // The text rounds Table 5's gaps to one decimal.
        for (trained, gap) in &paper.gaps {
            if let Some(table) = paper.gap(trained) {
                assert!((table - gap).abs() < 0.051, "{trained}");
            }
        }
    }

    #[test]
    fn table_5_is_made_of_4050_and_7200_images() {
        let paper = Paper::embedded().unwrap();
        assert_eq!(paper.train_test.len(), 9);
        for row in &paper.train_test {
            assert_eq!(row.accuracy.len(), 9, "{}", row.trained_on);
            for (view, percent) in &row.accuracy {
                let images = if view == "in-9l" { 7200.0 } else { 4050.0 };
                let exact = (percent / 100.0 * images).round() / images * 100.0;
                assert!((exact - percent).abs() <= 0.005_01, "{} {view} {percent}", row.trained_on);
            }
        }
    }

    #[test]
    fn category_identity_agrees_with_table_5() {
        let paper = Paper::embedded().unwrap();
        for (trained, difference) in &paper.categories["identity"] {
            let original = paper.accuracy(trained, "original").unwrap();
            let rand = paper.accuracy(trained, "mixed-rand").unwrap();
            assert!((original - rand - difference).abs() < 1e-9, "{trained}");
        }
    }

    #[test]
    fn stated_slopes_follow_from_table_2() {
        let paper = Paper::embedded().unwrap();
        for (view, slope) in &paper.progress {
            let points: Vec<(f64, f64)> = paper
                .architecture
                .iter()
                .filter_map(|a| Some((a.imagenet?, *a.accuracy.get(view)?)))
                .collect();
            let line = crate::stats::regression::fit(&points, 0.95).unwrap();
            assert!((line.slope.value - slope).abs() < 0.0051, "{view} {}", line.slope.value);
        }
    }
}
