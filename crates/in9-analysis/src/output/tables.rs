//! The tables that `score` prints and the report shows.

use crate::frame::Key;
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

/// Names for charts, no two alike: the view that a network was trained on, as the paper names its networks, and of all
/// others the model's own name; with whatever else tells two apart.
pub fn names(models: &[&ModelSummary]) -> Vec<String> {
    let main = main_arch(models);
    fn named(m: &ModelSummary) -> &str {
        if m.key.is_trained_on_view() { m.label() } else { &m.key.model }
    }
    let mut names: Vec<String> = models.iter().map(|m| named(m).to_owned()).collect();
    let twice = |names: &[String], name: &str| names.iter().filter(|other| *other == name).count() > 1;
    // The architecture stands where it is not that of most, or where the same was trained with another.
    let first = names.clone();
    for (i, m) in models.iter().enumerate() {
        let other_arch = |(o, name): (&&ModelSummary, &String)| *name == first[i] && o.key.arch != m.key.arch;
        let elsewhere = models.iter().zip(&first).any(other_arch);
        if m.key.is_trained_on_view() && (m.key.arch != main || elsewhere) && !m.key.arch.is_empty() {
            names[i] = format!("{} · {}", first[i], m.key.arch);
        }
    }
    for more in [|k: &Key| k.model.clone(), |k: &Key| k.trained_on.clone(), |k: &Key| k.arch.clone()] {
        let before = names.clone();
        for (name, m) in names.iter_mut().zip(models) {
            let more = more(&m.key);
            if twice(&before, name) && !more.is_empty() && *name != more {
                *name = format!("{name} · {more}");
            }
        }
    }
    names
}

/// What stands where nobody says what a network was trained on.
fn trained_on(m: &ModelSummary) -> String {
    if m.key.trained_on.is_empty() { "–".into() } else { m.key.trained_on.clone() }
}

/// The cells of a model under [`MODEL`].
pub fn model(m: &ModelSummary) -> Vec<String> {
    vec![m.key.model.clone(), trained_on(m)]
}

/// The first columns of a table of models.
pub const MODEL: [&str; 2] = ["model", "trained on"];

/// Accuracy on every view: `accuracy (balanced accuracy)` in percent, one row a model.
pub fn matrix(title: &str, models: &[&ModelSummary]) -> Grid {
    let views = views(models);
    let header = MODEL.map(str::to_owned).into_iter().chain(views.iter().map(View::to_string)).collect();
    let rows = models.iter().map(|m| {
        let cells = views.iter().map(|v| {
            m.accuracy(*v).map_or("–".into(), |a| {
                format!("{} ({})", percent(a.accuracy.value), percent(a.balanced.value))
            })
        });
        model(m).into_iter().chain(cells).collect()
    });
    Grid { title: title.into(), rows: rows.collect(), header }
}

/// Every accuracy with its interval, one row a model and view.
pub fn intervals(title: &str, models: &[&ModelSummary]) -> Grid {
    let header = ["tested on", "correct", "of", "accuracy %", "balanced accuracy %"];
    let mut grid = Grid::new(title, &[&MODEL[..], &header].concat());
    for m in models {
        for (view, a) in &m.views {
            let mut row = model(m);
            row.extend([
                view.to_string(),
                a.correct.to_string(),
                a.total.to_string(),
                percent_interval(&a.accuracy),
                percent_interval(&a.balanced),
            ]);
            grid.push(row);
        }
    }
    grid
}

/// BG-gap of every model with its interval, in points.
pub fn gaps(title: &str, models: &[&ModelSummary]) -> Grid {
    let header = ["BG-gap", "balanced BG-gap", "foregrounds"];
    let mut grid = Grid::new(title, &[&MODEL[..], &header].concat());
    for m in models {
        if let Some(gap) = &m.gap {
            let mut row = model(m);
            row.extend([
                points_interval(&gap.gap),
                points_interval(&gap.balanced),
                gap.foregrounds.to_string(),
            ]);
            grid.push(row);
        }
    }
    grid
}

/// The drop from photographs to mixed-rand of every model that has a ladder, in points: the whole, pasting, background.
pub fn ladder(title: &str, models: &[&ModelSummary]) -> Grid {
    let header = ["original − mixed-rand", "of it pasting", "of it background", "foregrounds"];
    let mut grid = Grid::new(title, &[&MODEL[..], &header].concat());
    for m in models {
        if let Some(ladder) = &m.ladder {
            let parts = [&ladder.total, &ladder.pasting, &ladder.background].map(points_interval);
            let row = model(m).into_iter().chain(parts).chain([ladder.photographs.to_string()]);
            grid.push(row.collect());
        }
    }
    grid
}

/// Shares of the five categories with their intervals, in percent.
pub fn categories(title: &str, models: &[&ModelSummary]) -> Grid {
    let mut header = MODEL.to_vec();
    header.extend(Category::ALL.map(Category::name));
    header.extend(["BG Fools, same class", "required − fools", "images"]);
    let mut grid = Grid::new(title, &header);
    for m in models {
        let Some(c) = &m.categories else { continue };
        let mut row = model(m);
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
        let name = if m.key.is_trained_on_view() { format!("trained on {name}") } else { name };
        for missing in m.missing.iter().map(ToString::to_string) {
            match lines.iter_mut().find(|(line, _)| *line == missing) {
                Some((_, models)) => models.push(name.clone()),
                None => lines.push((missing, vec![name.clone()])),
            }
        }
    }
    lines.into_iter().map(|(line, models)| format!("{line} ({})", models.join(", "))).collect()
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
