//! Accuracy by group, of the worst group, and reweighted.

use crate::error::Result;
use crate::frame::{Frame, Key, ModelFrame};
use crate::stats::Interval;
use crate::stats::proportion::{weighted_mean_of_proportions, wilson_in_clusters};
use in9_data::View;
use in9_data::groups::{Grouping, Labels, Words};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a model is worth to each group of a view's photographs. Accuracies are fractions in `0..=1`, higher is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grouped {
    /// Which model, tested where.
    pub key: Key,
    /// The view.
    pub view: View,
    /// Every group that was tested, by class and name.
    pub groups: Vec<Group>,
    /// Place in `groups` of the one with the lowest accuracy; the first of equals.
    pub worst: usize,
    /// Accuracy of the worst group: the lowest of the groups' accuracies, with an interval for the lowest of their true
    /// accuracies, whichever group has it.
    ///
    /// The lowest of several estimates is on average too low, the more so the more and the smaller the groups, and the
    /// interval of the group that happens to be lowest does not know that it was chosen. Here every group has an interval
    /// of level `level^(1/groups)`, so that all hold together at `level` (groups are different photographs, hence
    /// independent); where they hold, the true minimum lies between the lowest of their lower and the lowest of their
    /// upper limits.
    ///
    /// Source: Z. Šidák, "Rectangular confidence regions for the means of multivariate normal distributions", JASA 1967.
    pub worst_accuracy: Interval,
    /// Accuracy over all photographs, each counting once.
    pub average: Interval,
    /// Accuracies of the groups weighted by their shares of the training photographs, as Waterbirds' test set, which has
    /// other shares, is averaged in the field; none if the metadata do not say what was trained on.
    ///
    /// Source: S. Sagawa, P. W. Koh, T. B. Hashimoto, P. Liang, "Distributionally robust neural networks for group
    /// shifts", ICLR 2020, §5.
    pub reweighted: Option<Interval>,
}

/// One group: photographs of a class on one kind of background.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The class.
    pub class: String,
    /// The kind of background, in the metadata's words.
    pub group: String,
    /// Right answers.
    pub correct: u64,
    /// Pictures.
    pub total: u64,
    /// Their share, with an interval for this group alone.
    pub accuracy: Interval,
    /// Share of the training photographs, if the metadata say it.
    pub trained: Option<f64>,
}

/// Right answers and pictures of each photograph of a group.
pub(super) type Clusters = BTreeMap<u32, (u64, u64)>;

/// The photographs of every group of a view, by class and name; nothing if nothing tells the groups apart.
pub(super) fn clusters<'a>(
    model: &'a ModelFrame,
    view: View,
    classes: &'a [String],
    grouping: &'a Grouping,
    words: &mut Words<'a>,
) -> Result<BTreeMap<(u16, &'a str), Clusters>> {
    let mut clusters: BTreeMap<(u16, &str), Clusters> = BTreeMap::new();
    for outcome in model.view(view).iter().filter(|_| grouping.tells(view)) {
        let id = &model.foregrounds[outcome.foreground as usize].id;
        words.note(grouping, id, outcome.class, classes)?;
        let background = classes.get(usize::from(outcome.background_class)).map(String::as_str);
        let of = clusters.entry((outcome.class, grouping.of(id, background)?)).or_default();
        let (right, tested) = of.entry(outcome.foreground).or_default();
        (*right, *tested) = (*right + u64::from(outcome.correct()), *tested + 1);
    }
    Ok(clusters)
}

/// Every model of a frame on each view that it was tested on.
///
/// # Errors
/// As [`grouped`].
pub fn of_frame(frame: &Frame, grouping: &Grouping, level: f64) -> Result<Vec<Grouped>> {
    let mut all = Vec::new();
    for model in &frame.models {
        for view in model.views.keys() {
            all.extend(grouped(model, *view, &frame.classes, grouping, level)?);
        }
    }
    Ok(all)
}

/// A model on one view by group; `None` if it was not tested on it, or nothing tells the groups of its pictures apart.
///
/// # Errors
/// [`NoGroup`](in9_data::Error::NoGroup) for a photograph that the metadata do not name,
/// [`GroupClass`](in9_data::Error::GroupClass) if they give photographs of two classes the same class,
/// [`NoBackground`](in9_data::Error::NoBackground) if the table does not say what a background is of.
pub fn grouped(
    model: &ModelFrame,
    view: View,
    classes: &[String],
    grouping: &Grouping,
    level: f64,
) -> Result<Option<Grouped>> {
    let mut words = Words::default();
    let clusters = clusters(model, view, classes, grouping, &mut words)?;
    if clusters.is_empty() {
        return Ok(None);
    }
    let shares = match grouping {
        Grouping::Metadata(labels) => shares(labels, &words, clusters.keys().copied()),
        Grouping::Backgrounds => None,
    };
    let together = level.powf(1.0 / clusters.len() as f64);
    let (mut groups, mut low, mut high) = (Vec::new(), f64::INFINITY, f64::INFINITY);
    for ((class, group), of) in &clusters {
        let counts: Vec<(u64, u64)> = of.values().copied().collect();
        let simultaneous = wilson_in_clusters(&counts, together);
        (low, high) = (low.min(simultaneous.low), high.min(simultaneous.high));
        groups.push(Group {
            class: classes[usize::from(*class)].clone(),
            group: (*group).to_owned(),
            correct: counts.iter().map(|(right, _)| right).sum(),
            total: counts.iter().map(|(_, tested)| tested).sum(),
            accuracy: wilson_in_clusters(&counts, level),
            trained: shares.as_ref().map(|shares| shares[&(*class, *group)]),
        });
    }
    let value = |at: usize| groups[at].accuracy.value;
    let worst = (0..groups.len()).fold(0, |worst, at| if value(at) < value(worst) { at } else { worst });
    let everyone: Vec<(u64, u64)> = clusters.values().flat_map(|of| of.values().copied()).collect();
    let reweighted = shares.map(|shares| {
        let strata: Vec<(f64, f64, f64)> =
            clusters.iter().map(|(key, of)| stratum(of, shares[key])).collect();
        weighted_mean_of_proportions(&strata, level)
    });
    Ok(Some(Grouped {
        key: model.key.clone(),
        view,
        worst,
        worst_accuracy: Interval::new(value(worst), low, high),
        average: wilson_in_clusters(&everyone, level),
        reweighted,
        groups,
    }))
}

/// Right photographs, photographs and weight of a group; one on several backgrounds counts once, by its share of right
/// answers.
fn stratum(of: &Clusters, weight: f64) -> (f64, f64, f64) {
    let right: f64 = of.values().map(|(right, tested)| *right as f64 / *tested as f64).sum();
    (right, of.len() as f64, weight)
}

/// Each tested group's share of the training photographs; `None` if the metadata do not say it, or name training
/// photographs of a class or group that was not tested.
fn shares<'a>(
    labels: &'a Labels,
    words: &Words<'_>,
    tested: impl Iterator<Item = (u16, &'a str)>,
) -> Option<BTreeMap<(u16, &'a str), f64>> {
    let counts = labels.trained();
    let all: u64 = counts.values().sum();
    if all == 0 || counts.keys().any(|(word, _)| word.is_empty()) {
        return None;
    }
    let mut shares: BTreeMap<(u16, &str), f64> = tested.map(|key| (key, 0.0)).collect();
    for ((word, group), count) in counts {
        *shares.get_mut(&(words.class(word)?, group))? += count as f64 / all as f64;
    }
    Some(shares)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;
    use in9_base::rng;

    fn labels(text: &str) -> Grouping {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metadata.csv");
        std::fs::write(&path, text).unwrap();
        Grouping::read(&path).unwrap()
    }

    /// A world by hand. Class 0 is a land bird, 1 a water bird; places are land (0) and water (1).
    ///
    /// | group | right of | trained on |
    /// | --- | --- | --- |
    /// | 0 on 0 | 3 of 4 | 6 |
    /// | 0 on 1 | 1 of 2 | 1 |
    /// | 1 on 0 | 0 of 1 | 1 |
    /// | 1 on 1 | 3 of 3 | 2 |
    const TESTED: [(&str, u16, u8, bool); 10] = [
        ("a", 0, 0, true),
        ("b", 0, 0, true),
        ("c", 0, 0, true),
        ("d", 0, 0, false),
        ("e", 0, 1, true),
        ("f", 0, 1, false),
        ("g", 1, 0, false),
        ("h", 1, 1, true),
        ("i", 1, 1, true),
        ("j", 1, 1, true),
    ];
    const TRAINED: [(u16, u8, usize); 4] = [(0, 0, 6), (0, 1, 1), (1, 0, 1), (1, 1, 2)];

    fn metadata(with_training: bool) -> String {
        let mut text = "img_filename,y,place,split\n".to_owned();
        for (id, class, place, _) in TESTED {
            text += &format!("birds/{id}.jpg,{class},{place},2\n");
        }
        for (class, place, count) in TRAINED.into_iter().filter(|_| with_training) {
            for i in 0..count {
                text += &format!("train/{class}{place}{i}.jpg,{class},{place},0\n");
            }
        }
        text
    }

    fn world() -> Frame {
        let rows = TESTED
            .map(|(id, class, _, right)| (id, class, View::Original, if right { class } else { 1 - class }));
        frame(2, &rows)
    }

    #[test]
    fn a_world_by_hand() {
        let frame = world();
        let all = of_frame(&frame, &labels(&metadata(true)), 0.95).unwrap();
        assert_eq!(all.len(), 1);
        let found = &all[0];
        let counts: Vec<_> =
            found.groups.iter().map(|g| (g.class.as_str(), g.group.as_str(), g.correct, g.total)).collect();
        assert_eq!(
            counts,
            [("class0", "0", 3, 4), ("class0", "1", 1, 2), ("class1", "0", 0, 1), ("class1", "1", 3, 3)]
        );
        assert_eq!((found.worst, found.worst_accuracy.value, found.worst_accuracy.low), (2, 0.0, 0.0));
        // The lowest upper limit is that of the group with one photograph, at the level 0.95^(1/4) = 0.98726.
        let of = |k, n| crate::stats::wilson(k, n, 0.95f64.powf(0.25));
        let lowest = [of(3, 4), of(1, 2), of(0, 1), of(3, 3)].map(|i| i.high).into_iter().fold(1.0, f64::min);
        assert!((found.worst_accuracy.high - lowest).abs() < 1e-12, "{found:?}");
        assert!((found.average.value - 0.7).abs() < 1e-12);
        // 0.6 · 0.75 + 0.1 · 0.5 + 0.1 · 0 + 0.2 · 1.
        assert!((found.reweighted.unwrap().value - 0.7).abs() < 1e-12);
        let trained: Vec<f64> = found.groups.iter().map(|g| g.trained.unwrap()).collect();
        assert!(trained.iter().zip([0.6, 0.1, 0.1, 0.2]).all(|(a, b)| (a - b).abs() < 1e-12), "{trained:?}");
        let less = of_frame(&frame, &labels(&metadata(false)), 0.95).unwrap();
        assert_eq!((less[0].reweighted, less[0].groups[0].trained), (None, None));
    }

    #[test]
    fn metadata_that_do_not_fit_are_refused() {
        let turned = metadata(true).replace("birds/c.jpg,0,0", "birds/c.jpg,1,0");
        let error = of_frame(&world(), &labels(&turned), 0.95).unwrap_err();
        assert!(matches!(error, crate::Error::Data(in9_data::Error::GroupClass { .. })), "{error}");
        let missing = metadata(true).replace("birds/j.jpg", "birds/z.jpg");
        let error = of_frame(&world(), &labels(&missing), 0.95).unwrap_err();
        assert!(error.to_string().contains("photograph j"), "{error}");
        // Trained on a group that was not tested: no share of it can be made up.
        let more = metadata(true) + "train/x.jpg,0,sky,0\n";
        assert_eq!(of_frame(&world(), &labels(&more), 0.95).unwrap()[0].reweighted, None);
    }

    #[test]
    fn the_true_worst_accuracy_lies_in_its_interval_in_95_percent_of_worlds() {
        // Two groups are nearly as bad as the worst, so that another than the worst is often the lowest.
        let (sizes, chances) = ([60u32, 40, 50, 200], [0.62, 0.60, 0.63, 0.9]);
        let mut text = "photograph,group\n".to_owned();
        let mut ids = Vec::new();
        for (group, size) in sizes.iter().enumerate() {
            for i in 0..*size {
                let id = format!("{group}-{i:03}");
                text += &format!("{id},{group}\n");
                ids.push((id, group));
            }
        }
        let labels = labels(&text);
        let (worlds, mut held, mut alone, mut sum) = (400, 0, 0, 0.0);
        for seed in 0..worlds {
            let rows: Vec<(&str, u16, View, u16)> = ids
                .iter()
                .enumerate()
                .map(|(at, (id, group))| {
                    let drawn = rng::unit(&mut rng::stream(seed, "groups", at as u64, 0));
                    (id.as_str(), 0, View::Original, u16::from(drawn >= chances[*group] as f32))
                })
                .collect();
            let found = of_frame(&frame(2, &rows), &labels, 0.95).unwrap().remove(0);
            held += u32::from(found.worst_accuracy.contains(0.60));
            alone += u32::from(found.groups[found.worst].accuracy.contains(0.60));
            sum += found.worst_accuracy.value;
        }
        let share = |count: u32| f64::from(count) / worlds as f64;
        assert!(share(held) >= 0.94, "{}", share(held));
        // What the interval must make up for: the lowest estimate is too low, and its own interval knows nothing of it.
        assert!(sum / (worlds as f64) < 0.58, "{}", sum / worlds as f64);
        assert!(share(alone) < share(held), "{} {}", share(alone), share(held));
    }
}
