//! Verdicts and rates of a search.

use super::matrix::Matrix;
use super::rules::Rule;
use super::search::{Search, SearchSettings};
use crate::probes::scenes::Scenes;
use crate::stats::Interval;
use crate::stats::proportion::wilson;
use serde::{Deserialize, Serialize};

/// What a search says about a classifier. Shares are fractions in `0..=1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the classifier.
    pub model: String,
    /// What it was trained on.
    pub trained_on: String,
    /// Data set.
    pub dataset: String,
    /// Split.
    pub split: String,
    /// Whether every pair was tried.
    pub exhaustive: bool,
    /// Foregrounds searched.
    pub foregrounds: usize,
    /// Backgrounds tried.
    pub backgrounds: usize,
    /// Forward passes made.
    pub passes: u64,
    /// Forward passes that the official script would have made (sorted backgrounds, batches of 32);
    /// known after an exhaustive search only.
    pub official_passes: Option<u64>,
    /// Forward passes that an ordered search makes for the challenge's verdicts alone; known where
    /// one was run beside an exhaustive search.
    pub ordered_passes: Option<u64>,
    /// Vulnerable foregrounds by rule.
    pub rules: Vec<RuleSummary>,
    /// Share of foregrounds that no background fools (untargeted): the challenge's accuracy.
    pub challenge_accuracy: Option<Interval>,
    /// By class of the background; after an exhaustive search only.
    pub classes: Vec<ClassSummary>,
    /// Targeted success rate of every background; after an exhaustive search only.
    pub rates: Vec<f64>,
}

/// Vulnerable foregrounds under one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleSummary {
    /// The rule.
    pub rule: Rule,
    /// Foregrounds with a success.
    pub vulnerable: u64,
    /// Foregrounds.
    pub total: u64,
    /// Share with Wilson's interval.
    pub share: Interval,
}

/// Targeted success of the backgrounds of one class (Figures 22 to 29).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassSummary {
    /// Class of the backgrounds.
    pub class: u16,
    /// Share of the other classes' foregrounds that any background of the class turns into it.
    pub fooled_by_any: Interval,
    /// The five strongest backgrounds, strongest first: photograph, success rate.
    pub strongest: Vec<(String, Interval)>,
}

/// Names that a summary carries.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Name of the classifier.
    pub model: String,
    /// What it was trained on.
    pub trained_on: String,
    /// Data set.
    pub dataset: String,
    /// Split.
    pub split: String,
}

/// Sums up a search at confidence `level`.
pub fn summarise(
    scenes: &dyn Scenes,
    settings: &SearchSettings,
    found: &Search,
    names: &Names,
    level: f64,
) -> Summary {
    let class = |i: u32| scenes.class(i as usize);
    let matrix = Matrix::new(&found.pairs);
    let rules: Vec<RuleSummary> = settings
        .rules
        .iter()
        .map(|&rule| {
            let vulnerable = settings.foregrounds.iter().filter(|&&f| {
                let fools = |b: u32| matrix.get(f, b).is_some_and(|a| rule.success(class(f), class(b), a));
                settings.backgrounds.iter().any(|&b| fools(b))
            });
            let (vulnerable, total) = (vulnerable.count() as u64, settings.foregrounds.len() as u64);
            RuleSummary { rule, vulnerable, total, share: wilson(vulnerable, total, level) }
        })
        .collect();
    let challenge = rules.iter().find(|r| r.rule == Rule::Untargeted);
    let mut sorted = settings.backgrounds.clone();
    sorted.sort_by_key(|&b| scenes.id(b as usize));
    let (classes, rates) = if settings.exhaustive {
        (by_class(scenes, settings, &matrix, level), rates(scenes, settings, &matrix))
    } else {
        (Vec::new(), Vec::new())
    };
    Summary {
        model: names.model.clone(),
        trained_on: names.trained_on.clone(),
        dataset: names.dataset.clone(),
        split: names.split.clone(),
        exhaustive: settings.exhaustive,
        foregrounds: settings.foregrounds.len(),
        backgrounds: settings.backgrounds.len(),
        passes: found.passes,
        official_passes: matrix.official_passes(&settings.foregrounds, &sorted, 32, class),
        ordered_passes: None,
        challenge_accuracy: challenge.map(|r| wilson(r.total - r.vulnerable, r.total, level)),
        rules,
        classes,
        rates,
    }
}

fn rates(scenes: &dyn Scenes, settings: &SearchSettings, matrix: &Matrix) -> Vec<f64> {
    let class = |i: u32| scenes.class(i as usize);
    let rate = |&b: &u32| {
        let (won, tried) = matrix.success(Rule::Targeted, &settings.foregrounds, b, class);
        won as f64 / tried.max(1) as f64
    };
    settings.backgrounds.iter().map(rate).collect()
}

fn by_class(
    scenes: &dyn Scenes,
    settings: &SearchSettings,
    matrix: &Matrix,
    level: f64,
) -> Vec<ClassSummary> {
    let class = |i: u32| scenes.class(i as usize);
    let mut classes: Vec<u16> = settings.backgrounds.iter().map(|&b| class(b)).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
        .into_iter()
        .map(|c| {
            let behind: Vec<u32> = settings.backgrounds.iter().copied().filter(|&b| class(b) == c).collect();
            let others = || settings.foregrounds.iter().filter(|&&f| class(f) != c);
            let fooled =
                others().filter(|&&f| behind.iter().any(|&b| matrix.get(f, b) == Some(Some(c)))).count();
            let mut strongest: Vec<(u64, u64, u32)> = behind
                .iter()
                .map(|&b| {
                    let (won, tried) = matrix.success(Rule::Targeted, &settings.foregrounds, b, class);
                    (won, tried, b)
                })
                .collect();
            strongest.sort_by_key(|&(won, _, b)| (std::cmp::Reverse(won), b));
            ClassSummary {
                class: c,
                fooled_by_any: wilson(fooled as u64, others().count() as u64, level),
                strongest: strongest
                    .into_iter()
                    .take(5)
                    .map(|(won, tried, b)| (scenes.id(b as usize).to_owned(), wilson(won, tried, level)))
                    .collect(),
            }
        })
        .collect()
}
