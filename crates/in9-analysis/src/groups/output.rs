//! Groups as a table for people and as CSV.

use super::measure::Grouped;
use super::paired::{GroupDifference, WorstDifference};
use crate::error::Result;
use crate::output::Grid;
use crate::output::csv_files::encode;
use crate::output::number::{p_value, percent, percent_interval, points_interval};
use crate::output::tables::MODEL;
use crate::stats::Interval;

/// Worst group, averages and every group of some models on one test set, a row a model and view.
pub fn table(title: &str, all: &[&Grouped]) -> Grid {
    let mut names: Vec<(&str, &str)> = Vec::new();
    for group in all.iter().flat_map(|one| &one.groups) {
        let name = (group.class.as_str(), group.group.as_str());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let fixed =
        MODEL.into_iter().chain(["tested on", "worst group", "worst group %", "average %", "reweighted %"]);
    let header =
        fixed.map(str::to_owned).chain(names.iter().map(|(class, group)| format!("{class} · {group} %")));
    let mut grid = Grid { title: title.to_owned(), header: header.collect(), rows: Vec::new() };
    for one in all {
        let worst = &one.groups[one.worst];
        let trained = if one.key.trained_on.is_empty() { "–" } else { &one.key.trained_on };
        let mut row = vec![
            one.key.model.clone(),
            trained.to_owned(),
            one.view.to_string(),
            format!("{} · {}", worst.class, worst.group),
            percent_interval(&one.worst_accuracy),
            percent_interval(&one.average),
            one.reweighted.map_or("–".to_owned(), |mean| percent_interval(&mean)),
        ];
        row.extend(names.iter().map(|(class, group)| {
            let found = one.groups.iter().find(|g| (g.class.as_str(), g.group.as_str()) == (*class, *group));
            found.map_or("–".to_owned(), |g| {
                format!("{} ({} of {})", percent(g.accuracy.value), g.correct, g.total)
            })
        }));
        grid.push(row);
    }
    grid
}

/// The worst groups and every group of two models, a row each.
pub fn paired_table(all: &[WorstDifference]) -> Grid {
    let names = all.first().map_or(["", ""], |one| [one.first.as_str(), one.second.as_str()]);
    let title = format!(
        "{} minus {} by group (class · group), on the images both were tested on",
        names[0], names[1]
    );
    let header = ["tested on", "group", "images", "first %", "second %", "difference (points)", "p"];
    let mut grid = Grid::new(title, &header);
    for one in all {
        let [first, second] = one.worst.map(|at| &one.groups[at]);
        let name = |group: &GroupDifference| format!("{} · {}", group.class, group.group);
        let worst = match one.worst[0] == one.worst[1] {
            true => format!("worst: {}", name(first)),
            false => format!("worst: {} and {}", name(first), name(second)),
        };
        grid.push(vec![
            one.view.to_string(),
            worst,
            one.groups.iter().map(|group| group.photographs).sum::<usize>().to_string(),
            percent(first.first),
            percent(second.second),
            points_interval(&one.difference),
            p_value(one.p),
        ]);
        for group in &one.groups {
            grid.push(vec![
                one.view.to_string(),
                name(group),
                group.photographs.to_string(),
                percent(group.first),
                percent(group.second),
                points_interval(&group.difference),
                "–".to_owned(),
            ]);
        }
    }
    grid
}

/// Every group, then the worst, the average and the reweighted average under these names in the column `measure`.
///
/// # Errors
/// If it cannot be encoded, which only running out of memory can cause.
pub fn csv(all: &[Grouped]) -> Result<Vec<u8>> {
    let header = [
        "dataset",
        "split",
        "model",
        "arch",
        "trained_on",
        "view",
        "measure",
        "class",
        "group",
        "correct",
        "total",
        "accuracy",
        "low",
        "high",
        "share_of_training",
    ];
    let mut rows = Vec::new();
    for one in all {
        let mut push = |measure: &str, of: [String; 4], interval: &Interval, share: Option<f64>| {
            let key = &one.key;
            let mut row: Vec<String> =
                [&key.dataset, &key.split, &key.model, &key.arch, &key.trained_on].map(Clone::clone).to_vec();
            row.extend([one.view.to_string(), measure.to_owned()]);
            row.extend(of);
            row.extend([interval.value, interval.low, interval.high].map(|number| number.to_string()));
            row.push(share.map_or_else(String::new, |share| share.to_string()));
            rows.push(row);
        };
        let none = <[String; 4]>::default;
        for g in &one.groups {
            let of = [g.class.clone(), g.group.clone(), g.correct.to_string(), g.total.to_string()];
            push("group", of, &g.accuracy, g.trained);
        }
        let worst = &one.groups[one.worst];
        let [_, _, correct, total] = none();
        push("worst", [worst.class.clone(), worst.group.clone(), correct, total], &one.worst_accuracy, None);
        push("average", none(), &one.average, None);
        if let Some(mean) = &one.reweighted {
            push("reweighted", none(), mean, None);
        }
    }
    encode(&header, rows)
}
