//! Verdicts and rates of a search.

use super::matrix::Matrix;
use super::pairs::Pair;
use super::rules::Rule;
use super::search::{Search, SearchSettings};
use crate::probes::scenes::Scenes;
use crate::stats::Interval;
use crate::stats::proportion::wilson;
use in9_data::predictions::Training;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

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
    /// Which training the classifier came from.
    #[serde(flatten)]
    pub training: Training,
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
    /// The same two for the foregrounds that fall alone. One that resists every background costs all of
    /// them in any order, so that it is on these that an order can save.
    #[serde(default)]
    pub fallen: Option<FallenPasses>,
    /// Vulnerable foregrounds by rule.
    pub rules: Vec<RuleSummary>,
    /// Foregrounds that the network knows on their own tiled background; after an exhaustive search only.
    #[serde(default)]
    pub own: Option<OwnBackground>,
    /// Share of all composites that were answered wrongly: how often a single background fools; after an exhaustive search
    /// only.
    #[serde(default)]
    pub wrong: Option<f64>,
    /// Share of foregrounds that no background fools (untargeted): the challenge's accuracy.
    pub challenge_accuracy: Option<Interval>,
    /// By class of the background; after an exhaustive search only.
    pub classes: Vec<ClassSummary>,
    /// Targeted success rate of every background; after an exhaustive search only.
    pub rates: Vec<f64>,
}

/// Forward passes spent on the foregrounds that some background fools (untargeted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallenPasses {
    /// Foregrounds that fall.
    pub foregrounds: usize,
    /// In the official script's order.
    pub official: u64,
    /// In the ordered search, with the passes over the backgrounds alone that its order needs.
    pub ordered: u64,
}

/// Foregrounds that are right on their own tiled background, and what becomes of them: those that are wrong even there
/// are ordinary errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnBackground {
    /// Foregrounds that are right on their own background.
    pub right: u64,
    /// Of these, those with a background that makes the answer wrong.
    pub turned: u64,
    /// Of these, those with a background of another class that makes the answer its own class.
    pub turned_to_background: u64,
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
    /// Which training the classifier came from.
    pub training: Training,
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
        training: names.training.clone(),
        exhaustive: settings.exhaustive,
        foregrounds: settings.foregrounds.len(),
        backgrounds: settings.backgrounds.len(),
        passes: found.passes,
        official_passes: matrix.official_passes(&settings.foregrounds, &sorted(scenes, settings), 32, class),
        ordered_passes: None,
        fallen: None,
        own: if settings.exhaustive { own_background(settings, &matrix, &found.own, class) } else { None },
        wrong: if settings.exhaustive {
            Some(matrix.wrong(&settings.foregrounds, &settings.backgrounds, class))
        } else {
            None
        },
        challenge_accuracy: challenge.map(|r| wilson(r.total - r.vulnerable, r.total, level)),
        rules,
        classes,
        rates,
    }
}

impl Summary {
    /// The fewest forward passes that any order needs for the challenge's verdicts: one for a foreground that falls,
    /// every background for one that resists.
    pub fn least_passes(&self) -> Option<u64> {
        let untargeted = self.rules.iter().find(|r| r.rule == Rule::Untargeted)?;
        let resist = untargeted.total - untargeted.vulnerable;
        Some(untargeted.vulnerable + resist * self.backgrounds as u64)
    }

    /// Adds what an `ordered` search for the challenge's verdicts costs beside the exhaustive one `found` that the
    /// summary is of.
    pub fn add_ordered(
        &mut self,
        scenes: &dyn Scenes,
        settings: &SearchSettings,
        found: &Search,
        ordered: &Search,
    ) {
        let class = |i: u32| scenes.class(i as usize);
        let matrix = Matrix::new(&found.pairs);
        let falls = |&f: &u32| {
            settings.backgrounds.iter().any(|&b| matrix.get(f, b).is_some_and(|a| a != Some(class(f))))
        };
        let fallen: Vec<u32> = settings.foregrounds.iter().copied().filter(falls).collect();
        let among: HashSet<u32> = fallen.iter().copied().collect();
        let spent = ordered.pairs.iter().filter(|p| among.contains(&p.foreground)).count();
        let official = matrix.official_passes(&fallen, &sorted(scenes, settings), 32, class);
        self.ordered_passes = Some(ordered.passes);
        self.fallen = official.map(|official| FallenPasses {
            foregrounds: fallen.len(),
            official,
            ordered: (spent + settings.backgrounds.len()) as u64,
        });
    }
}

/// The backgrounds in the official script's order: class folder by class folder (their names begin with the class's
/// number), by name within.
fn sorted(scenes: &dyn Scenes, settings: &SearchSettings) -> Vec<u32> {
    let mut sorted = settings.backgrounds.clone();
    sorted.sort_by_key(|&b| (scenes.class(b as usize), scenes.id(b as usize)));
    sorted
}

/// What the answers on their own backgrounds say of the foregrounds; `None` if one was not tried on it.
fn own_background(
    settings: &SearchSettings,
    matrix: &Matrix,
    own_answers: &[Pair],
    class: impl Fn(u32) -> u16,
) -> Option<OwnBackground> {
    let answers: HashMap<u32, Option<u16>> =
        own_answers.iter().map(|p| (p.foreground, p.predicted)).collect();
    let mut own = OwnBackground { right: 0, turned: 0, turned_to_background: 0 };
    for &f in &settings.foregrounds {
        let answer = matrix.get(f, f).or_else(|| answers.get(&f).copied())?;
        if answer != Some(class(f)) {
            continue;
        }
        let falls = |rule: Rule| {
            let fools = |b: u32| matrix.get(f, b).is_some_and(|a| rule.success(class(f), class(b), a));
            u64::from(settings.backgrounds.iter().any(|&b| fools(b)))
        };
        own.right += 1;
        own.turned += falls(Rule::Untargeted);
        own.turned_to_background += falls(Rule::Targeted);
    }
    Some(own)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::adversarial::{PairLog, search, search_known};
    use crate::probes::scenes::tests::{ByPixel, Grey};

    #[test]
    fn passes_are_split_between_those_that_fall_and_those_that_resist() {
        let scenes = Grey::new(60, 3);
        let network = ByPixel { classes: 3, lean: 0.3 };
        let all: Vec<u32> = (0..60).collect();
        let exhaustive = SearchSettings {
            rules: Rule::ALL.to_vec(),
            foregrounds: all.clone(),
            backgrounds: all,
            wave: 7,
            batch: 64,
            exhaustive: true,
        };
        let found = search(&scenes, &network, &exhaustive, &mut PairLog::none(), &mut |_, _, _| {}).unwrap();
        let few = SearchSettings { rules: vec![Rule::Untargeted], exhaustive: false, ..exhaustive.clone() };
        let ordered = search_known(&scenes, 3, &few, &found).unwrap();
        let mut summary = summarise(&scenes, &exhaustive, &found, &Names::default(), 0.95);
        assert_eq!((summary.ordered_passes, summary.fallen), (None, None));
        summary.add_ordered(&scenes, &exhaustive, &found, &ordered);
        let fallen = summary.fallen.unwrap();
        assert_eq!(fallen.foregrounds as u64, summary.rules[0].vulnerable);
        let resist = 60 - fallen.foregrounds as u64;
        assert!(resist > 0 && fallen.foregrounds > 0, "the case is trivial: {fallen:?}");
        // A foreground that resists costs every background in either order.
        assert_eq!(summary.official_passes, Some(fallen.official + 60 * resist));
        assert_eq!(summary.ordered_passes, Some(fallen.ordered + 60 * resist));
        assert_eq!(summary.least_passes(), Some(fallen.foregrounds as u64 + 60 * resist));
        assert!(summary.least_passes() <= summary.ordered_passes);
        // Known on its own background, a foreground may fall or resist; unknown, it has fallen already.
        let own = summary.own.unwrap();
        assert!(
            own.turned_to_background <= own.turned && own.turned < own.right && own.right <= 60,
            "{own:?}"
        );
        assert_eq!(own.right - own.turned, resist);
        // An older summary has no such split.
        let mut value = serde_json::to_value(&summary).unwrap();
        value.as_object_mut().unwrap().retain(|key, _| !["fallen", "own", "wrong"].contains(&key.as_str()));
        let older = serde_json::from_value::<Summary>(value).unwrap();
        assert_eq!((older.fallen, older.own), (None, None));
    }

    #[test]
    fn the_official_order_goes_class_by_class() {
        // Photographs of three classes in turn: their ids alone would mix the classes.
        let scenes = Grey::new(7, 3);
        let settings = SearchSettings {
            rules: Rule::ALL.to_vec(),
            foregrounds: vec![0],
            backgrounds: (0..7).rev().collect(),
            wave: 1,
            batch: 1,
            exhaustive: true,
        };
        assert_eq!(sorted(&scenes, &settings), [0, 3, 6, 1, 4, 2, 5]);
    }
}
