//! The tables that `score` prints and the report shows.

use crate::metrics::Category;
use crate::metrics::Comparison;
use crate::metrics::ModelSummary;
use crate::metrics::SeedGroup;
use crate::metrics::main_arch;
use crate::metrics::progress::Trend;
use crate::output::grid::Grid;
use crate::output::number::{p_value, percent, percent_interval, points_interval};
use in9_data::View;

/// Views that at least one of the models was tested on, in the paper's order.
pub fn views(models: &[&ModelSummary]) -> Vec<View> {
    View::ALL.into_iter().filter(|v| models.iter().any(|m| m.accuracy(*v).is_some())).collect()
}

/// Names for the rows: what was trained on, with whatever else tells the models apart; the architecture stands only
/// where it is not that of most, or where the same was trained with another.
pub fn names(models: &[&ModelSummary]) -> Vec<String> {
    let main = main_arch(models);
    let elsewhere =
        |m: &ModelSummary| models.iter().any(|o| o.label() == m.label() && o.key.arch != m.key.arch);
    let alike = |m: &ModelSummary| {
        models.iter().filter(|o| (o.label(), &o.key.arch) == (m.label(), &m.key.arch)).count()
    };
    models
        .iter()
        .map(|m| {
            let mut name = m.label().to_owned();
            if (m.key.arch != main || elsewhere(m)) && !m.key.arch.is_empty() {
                name = format!("{name} · {}", m.key.arch);
            }
            if alike(m) > 1 && m.label() != m.key.model {
                name = format!("{name} · {}", m.key.model);
            }
            name
        })
        .collect()
}

/// Accuracy on every view: `accuracy (balanced accuracy)` in percent, one row a model.
pub fn matrix(title: &str, models: &[&ModelSummary]) -> Grid {
    let views = views(models);
    let header: Vec<String> =
        std::iter::once("trained on".into()).chain(views.iter().map(View::to_string)).collect();
    let rows = names(models).into_iter().zip(models).map(|(name, m)| {
        let cells = views.iter().map(|v| {
            m.accuracy(*v).map_or("–".into(), |a| {
                format!("{} ({})", percent(a.accuracy.value), percent(a.balanced.value))
            })
        });
        std::iter::once(name).chain(cells).collect()
    });
    Grid { title: title.into(), rows: rows.collect(), header }
}

/// Every accuracy with its interval, one row a model and view.
pub fn intervals(title: &str, models: &[&ModelSummary]) -> Grid {
    let mut grid =
        Grid::new(title, &["trained on", "tested on", "correct", "of", "accuracy %", "balanced accuracy %"]);
    for (name, m) in names(models).into_iter().zip(models) {
        for (view, a) in &m.views {
            grid.push(vec![
                name.clone(),
                view.to_string(),
                a.correct.to_string(),
                a.total.to_string(),
                percent_interval(&a.accuracy),
                percent_interval(&a.balanced),
            ]);
        }
    }
    grid
}

/// BG-gap of every model with its interval, in points.
pub fn gaps(title: &str, models: &[&ModelSummary]) -> Grid {
    let mut grid = Grid::new(title, &["trained on", "BG-gap", "balanced BG-gap", "foregrounds"]);
    for (name, m) in names(models).into_iter().zip(models) {
        if let Some(gap) = &m.gap {
            grid.push(vec![
                name,
                points_interval(&gap.gap),
                points_interval(&gap.balanced),
                gap.foregrounds.to_string(),
            ]);
        }
    }
    grid
}

/// Shares of the five categories with their intervals, in percent.
pub fn categories(title: &str, models: &[&ModelSummary]) -> Grid {
    let mut header = vec!["trained on"];
    header.extend(Category::ALL.map(Category::name));
    header.extend(["BG Fools, same class", "required − fools", "images"]);
    let mut grid = Grid::new(title, &header);
    for (name, m) in names(models).into_iter().zip(models) {
        let Some(c) = &m.categories else { continue };
        let mut row = vec![name];
        row.extend(c.shares.iter().map(percent_interval));
        row.push(percent_interval(&c.fools_same_class_share));
        row.push(percent(c.required.value - c.fools.value).replace('-', "−"));
        row.push(c.total.to_string());
        grid.push(row);
    }
    grid
}

/// What the models' predictions do not give, one line a model and figure; models that lack the same stand together.
pub fn missing(models: &[&ModelSummary]) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for (name, m) in names(models).into_iter().zip(models) {
        for missing in m.missing.iter().map(ToString::to_string) {
            match lines.iter_mut().find(|(line, _)| *line == missing) {
                Some((_, models)) => models.push(name.clone()),
                None => lines.push((missing, vec![name.clone()])),
            }
        }
    }
    lines.into_iter().map(|(line, models)| format!("{line} (trained on {})", models.join(", "))).collect()
}

/// Means over seeds with Student's t intervals.
pub fn seeds(title: &str, groups: &[SeedGroup]) -> Grid {
    let mut grid = Grid::new(
        title,
        &["dataset", "split", "trained on", "arch", "seeds", "original %", "BG-gap", "balanced BG-gap"],
    );
    for g in groups {
        let original = g.accuracy.iter().find(|(v, _)| *v == View::Original);
        grid.push(vec![
            g.dataset.clone(),
            g.split.clone(),
            g.trained_on.clone(),
            g.arch.clone(),
            g.models.len().to_string(),
            original.map_or("–".into(), |(_, i)| percent_interval(i)),
            g.gap.map_or("–".into(), |i| points_interval(&i)),
            g.balanced_gap.map_or("–".into(), |i| points_interval(&i)),
        ]);
    }
    grid
}

/// A paired comparison of two models, view by view and for the gap.
pub fn comparison(c: &Comparison) -> Grid {
    let title = format!("{} minus {}, on the images both were tested on (points)", c.first, c.second);
    let mut grid =
        Grid::new(title, &["measure", "images", "difference", "only first right", "only second right", "p"]);
    for v in &c.views {
        grid.push(vec![
            v.view.to_string(),
            v.foregrounds.to_string(),
            points_interval(&v.difference),
            v.mcnemar.only_first.to_string(),
            v.mcnemar.only_second.to_string(),
            p_value(v.mcnemar.p_exact),
        ]);
    }
    if let Some(g) = &c.gap {
        grid.push(vec![
            "BG-gap".into(),
            g.foregrounds.to_string(),
            points_interval(&g.difference),
            "–".into(),
            "–".into(),
            p_value(g.p),
        ]);
    }
    grid
}

/// Slope of each view's accuracy on ImageNet accuracy.
pub fn trends(title: &str, trends: &[Trend]) -> Grid {
    let mut grid = Grid::new(title, &["view", "models", "slope (points per point)", "R²"]);
    for t in trends {
        let (slope, r2) = match &t.line {
            Some(l) => (
                format!("{:.2} [{:.2}, {:.2}]", l.slope.value, l.slope.low, l.slope.high).replace('-', "−"),
                format!("{:.2}", l.r_squared),
            ),
            None => ("–".into(), "–".into()),
        };
        grid.push(vec![t.view.clone(), t.models.to_string(), slope, r2]);
    }
    grid
}
