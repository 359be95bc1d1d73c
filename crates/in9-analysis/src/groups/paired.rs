//! Two models on the groups of the same photographs: does the worst group gain?

use super::measure::clusters;
use crate::error::Result;
use crate::frame::ModelFrame;
use crate::metrics::two_sided;
use crate::stats::{Bootstrap, Interval};
use in9_data::View;
use in9_data::groups::{Grouping, Words};
use serde::Serialize;
use std::collections::BTreeMap;

/// Two models by group on one view, first minus second, on the photographs that both were tested on. Accuracies are
/// fractions in `0..=1`, differences in `-1..=1`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorstDifference {
    /// Name of the first model.
    pub first: String,
    /// Name of the second model.
    pub second: String,
    /// The view.
    pub view: View,
    /// Every group, by class and name.
    pub groups: Vec<GroupDifference>,
    /// Places in `groups` of the worst group of the first model and of the second; they may be two.
    pub worst: [usize; 2],
    /// Accuracy of the first model's worst group minus that of the second's worst.
    ///
    /// The interval is a percentile bootstrap: in every replicate photographs are drawn with replacement inside each group,
    /// the same for both models, and each model's worst group is found anew. That the lowest of several estimates is too low
    /// is so of both models, and cancels where they are alike.
    pub difference: Interval,
    /// Two-sided p-value of no difference, by inverting the interval.
    pub p: f64,
}

/// One group of photographs in the answers of two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupDifference {
    /// The class.
    pub class: String,
    /// The kind of background.
    pub group: String,
    /// Photographs that both models were tested on.
    pub photographs: usize,
    /// Accuracy of the first.
    pub first: f64,
    /// Accuracy of the second.
    pub second: f64,
    /// Their difference, with a paired bootstrap interval for this group alone.
    pub difference: Interval,
}

/// Share of right answers on each photograph of each group.
type Shares<'a> = BTreeMap<(u16, &'a str), BTreeMap<&'a str, f64>>;

/// Shares of right answers of both models on each photograph of a group; of several pictures of a photograph their mean.
type Pairs = Vec<(f64, f64)>;

/// Compares two models by group on every view that both were tested on and `grouping` tells groups of.
///
/// # Errors
/// Those of [`grouped`](super::grouped()).
pub fn paired(
    first: &ModelFrame,
    second: &ModelFrame,
    classes: &[String],
    grouping: &Grouping,
    bootstrap: &Bootstrap,
) -> Result<Vec<WorstDifference>> {
    let mut all = Vec::new();
    for view in first.views.keys() {
        let pairs = pairs(first, second, *view, classes, grouping)?;
        if !pairs.is_empty() {
            all.push(difference(first, second, *view, classes, pairs, bootstrap));
        }
    }
    Ok(all)
}

/// The photographs of each group in the answers of both, by class and name.
fn pairs<'a>(
    first: &'a ModelFrame,
    second: &'a ModelFrame,
    view: View,
    classes: &'a [String],
    grouping: &'a Grouping,
) -> Result<BTreeMap<(u16, &'a str), Pairs>> {
    let mut words = Words::default();
    let mut shares = |model: &'a ModelFrame| -> Result<Shares<'a>> {
        let share = |(photograph, (right, tested)): (u32, (u64, u64))| {
            (&*model.foregrounds[photograph as usize].id, right as f64 / tested as f64)
        };
        let found = clusters(model, view, classes, grouping, &mut words)?;
        Ok(found.into_iter().map(|(key, of)| (key, of.into_iter().map(share).collect())).collect())
    };
    let (first, second) = (shares(first)?, shares(second)?);
    let mut pairs = BTreeMap::new();
    for (key, of_first) in first {
        let Some(of_second) = second.get(&key) else { continue };
        let both = of_first.into_iter().filter_map(|(id, share)| Some((share, *of_second.get(id)?)));
        let both: Pairs = both.collect();
        if !both.is_empty() {
            pairs.insert(key, both);
        }
    }
    Ok(pairs)
}

fn difference(
    first: &ModelFrame,
    second: &ModelFrame,
    view: View,
    classes: &[String],
    pairs: BTreeMap<(u16, &str), Pairs>,
    bootstrap: &Bootstrap,
) -> WorstDifference {
    let mean = |values: &mut dyn Iterator<Item = f64>, n: usize| values.sum::<f64>() / n as f64;
    let of_group = |((class, group), of): (&(u16, &str), &Pairs)| GroupDifference {
        class: classes[usize::from(*class)].clone(),
        group: (*group).to_owned(),
        photographs: of.len(),
        first: mean(&mut of.iter().map(|(a, _)| *a), of.len()),
        second: mean(&mut of.iter().map(|(_, b)| *b), of.len()),
        difference: bootstrap.mean("compare groups", &of.iter().map(|(a, b)| a - b).collect::<Vec<f64>>()),
    };
    let groups: Vec<GroupDifference> = pairs.iter().map(of_group).collect();
    let lowest = |of: &dyn Fn(&GroupDifference) -> f64| {
        (0..groups.len()).fold(0, |worst, at| if of(&groups[at]) < of(&groups[worst]) { at } else { worst })
    };
    let worst = [lowest(&|group| group.first), lowest(&|group| group.second)];
    let sizes: Vec<usize> = pairs.values().map(Vec::len).collect();
    let all: Pairs = pairs.into_values().flatten().collect();
    let statistic = |counts: &[u32]| {
        let (mut low, mut start) = ([f64::INFINITY; 2], 0);
        for &size in &sizes {
            let drawn = counts[start..start + size].iter().zip(&all[start..start + size]);
            let sum = drawn.fold([0.0; 2], |sum, (&count, (a, b))| {
                let count = f64::from(count);
                [sum[0] + count * a, sum[1] + count * b]
            });
            low = [0, 1].map(|model: usize| low[model].min(sum[model] / size as f64));
            start += size;
        }
        low[0] - low[1]
    };
    let value = groups[worst[0]].first - groups[worst[1]].second;
    let (difference, p) = if sizes.iter().all(|size| *size < 2) {
        (Interval::new(value, f64::NAN, f64::NAN), f64::NAN)
    } else {
        let replicates = bootstrap.stratified_replicates("compare worst groups", &sizes, statistic);
        let p = two_sided(&replicates);
        (bootstrap.percentile(value, replicates), p)
    };
    WorstDifference {
        first: first.key.model.clone(),
        second: second.key.model.clone(),
        view,
        groups,
        worst,
        difference,
        p,
    }
}

#[cfg(test)]
mod tests {
    use super::super::paired_table;
    use super::*;
    use crate::frame::Frame;
    use crate::frame::tests::{frame, table};
    use in9_base::rng;

    fn metadata(rows: &[(String, &str)]) -> Grouping {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("metadata.csv");
        let rows: String = rows.iter().map(|(id, group)| format!("{id},{group}\n")).collect();
        std::fs::write(&path, format!("photograph,group\n{rows}")).unwrap();
        Grouping::read(&path).unwrap()
    }

    #[test]
    fn worst_groups_are_paired_as_by_hand() {
        // Of the first, group 0 has 2 of 4 right and group 1 has 1 of 2; of the second 4 of 4 and 0 of 2. Photograph z is the
        // first's alone.
        let rights = [
            ("a", "0", 1, 1),
            ("b", "0", 1, 1),
            ("c", "0", 0, 1),
            ("d", "0", 0, 1),
            ("e", "1", 1, 0),
            ("f", "1", 0, 0),
        ];
        let grouping = metadata(
            &rights
                .map(|(id, group, ..)| (id.to_owned(), group))
                .into_iter()
                .chain([("z".to_owned(), "1")])
                .collect::<Vec<_>>(),
        );
        let rows = |of: fn(&(&'static str, &str, u16, u16)) -> u16| -> Vec<(&str, u16, View, u16)> {
            rights.iter().map(|one| (one.0, 0, View::Original, 1 - of(one))).collect()
        };
        let mut first = rows(|one| one.2);
        first.push(("z", 0, View::Original, 0));
        let (first, second) = (frame(2, &first), frame(2, &rows(|one| one.3)));
        let found =
            paired(&first.models[0], &second.models[0], &first.classes, &grouping, &Bootstrap::default());
        let found = found.unwrap().remove(0);
        let groups: Vec<_> =
            found.groups.iter().map(|g| (g.group.as_str(), g.photographs, g.first, g.second)).collect();
        assert_eq!(groups, [("0", 4, 0.5, 1.0), ("1", 2, 0.5, 0.0)]);
        assert_eq!((found.worst, found.difference.value), ([0, 1], 0.5));
        assert!(found.difference.low >= 0.0 && found.difference.high <= 1.0 && found.p > 0.0, "{found:?}");
        // The other way round is the same but for the sign.
        let back =
            paired(&second.models[0], &first.models[0], &first.classes, &grouping, &Bootstrap::default());
        let back = back.unwrap().remove(0);
        assert!(
            (back.difference.value + 0.5).abs() < 1e-12
                && (back.difference.low + found.difference.high).abs() < 1e-12
        );
        let text = paired_table(&[found]).markdown();
        assert!(text.contains("worst: class0 · 0 and class0 · 1") && text.contains("+50.0"), "{text}");
    }

    #[test]
    fn backgrounds_tell_groups_of_mixed_views_only() {
        let mut table = table(
            2,
            &[("a", 0, View::MixedRand, 0), ("b", 0, View::MixedRand, 1), ("c", 1, View::Original, 1)],
        );
        for (row, class) in table.rows.iter_mut().zip([0, 1]) {
            (row.background, row.background_class) = ("x".to_owned(), Some(class));
        }
        let frame = Frame::new(&[table]).unwrap();
        let model = &frame.models[0];
        let found =
            paired(model, model, &frame.classes, &Grouping::Backgrounds, &Bootstrap::default()).unwrap();
        assert_eq!(found.len(), 1);
        let groups: Vec<_> =
            found[0].groups.iter().map(|g| (g.class.as_str(), g.group.as_str(), g.first)).collect();
        assert_eq!(groups, [("class0", "class0", 1.0), ("class0", "class1", 0.0)]);
        assert_eq!((found[0].difference.value, found[0].worst), (0.0, [1, 1]));
    }

    #[test]
    fn the_true_difference_lies_in_its_interval_in_95_percent_of_worlds() {
        // The second model's groups are nearly as bad as its worst; the first gains 0.15 on the worst. Answers of the two are
        // alike as far as they can be: both are right where the same number lies below their chance.
        let (sizes, chances) =
            ([80u32, 60, 70, 200], [[0.72, 0.58], [0.70, 0.55], [0.74, 0.60], [0.9, 0.92]]);
        let names: Vec<(String, &str)> = (0..4usize)
            .flat_map(|group| {
                (0..sizes[group]).map(move |i| (format!("{group}-{i:03}"), ["0", "1", "2", "3"][group]))
            })
            .collect();
        let grouping = metadata(&names);
        let bootstrap = Bootstrap { replicates: 400, ..Bootstrap::default() };
        let (worlds, mut held) = (300, 0);
        for seed in 0..worlds {
            let rows = |model: usize| -> Vec<(&str, u16, View, u16)> {
                let answer = |(at, (id, group)): (usize, &'_ (String, &str))| {
                    let drawn = rng::unit(&mut rng::stream(seed, "paired groups", at as u64, 0));
                    let chance = chances[group.parse::<usize>().unwrap()][model];
                    (0, View::Original, u16::from(drawn >= chance as f32), id.len())
                };
                let answers = names.iter().enumerate().map(answer);
                names
                    .iter()
                    .zip(answers)
                    .map(|((id, _), (class, view, answer, _))| (id.as_str(), class, view, answer))
                    .collect()
            };
            let (first, second) = (frame(2, &rows(0)), frame(2, &rows(1)));
            let found =
                paired(&first.models[0], &second.models[0], &first.classes, &grouping, &bootstrap).unwrap();
            held += u32::from(found[0].difference.contains(0.15));
        }
        let share = f64::from(held) / worlds as f64;
        println!("{share}");
        assert!(share >= 0.95, "{share}");
    }
}
