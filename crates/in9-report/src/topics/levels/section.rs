//! Variance by level, fitted and resampled side by side.

use crate::claims::cells::Cells;
use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use in9_analysis::levels::{Components, Level, Weighing};
use in9_analysis::output::Grid;
use in9_analysis::output::number::points_interval;
use in9_analysis::stats::Bootstrap;

/// A figure by its name, its cells (trained on, tested on), and what it is of their accuracies.
type Figure = (&'static str, &'static [(&'static str, &'static str)], fn(&[f64]) -> f64);

const FIGURES: [Figure; 6] = [
    ("accuracy, original → original", &[("original", "original")], |m| m[0]),
    ("accuracy, original → mixed-rand", &[("original", "mixed-rand")], |m| m[0]),
    ("BG-gap, trained on original", &[("original", "mixed-same"), ("original", "mixed-rand")], |m| {
        m[0] - m[1]
    }),
    (
        "share of accuracy lost: BG-gap ÷ accuracy on mixed-same, trained on original",
        &[("original", "mixed-same"), ("original", "mixed-rand")],
        |m| (m[0] - m[1]) / m[0],
    ),
    ("BG-gap, trained on mixed-rand", &[("mixed-rand", "mixed-same"), ("mixed-rand", "mixed-rand")], |m| {
        m[0] - m[1]
    }),
    (
        "BG-gap: trained on original − on mixed-rand",
        &[
            ("original", "mixed-same"),
            ("original", "mixed-rand"),
            ("mixed-rand", "mixed-same"),
            ("mixed-rand", "mixed-rand"),
        ],
        |m| (m[0] - m[1]) - (m[2] - m[3]),
    ),
];

/// The section, if any of the figures can be had.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let set = sets.first()?;
    let grid = table(context, set);
    if grid.rows.is_empty() {
        return None;
    }
    let networks = compared(context, set);
    Some(Section {
        id: "levels",
        title: "What the uncertainty is made of".into(),
        lead: "A figure would come out otherwise with other photographs, other backgrounds behind them, and another \
               training of the same network. Each level's share of the figure's variance is fitted by a model of variance \
               components, and each level is resampled by itself as a check: the two standard errors should agree."
            .into(),
        blocks: vec![
            Block::Table(grid),
            Block::Prose(
                "Pairings are a part of the photographs' share: how much drawing other backgrounds for the same photographs \
                 would change the figure; it is known where photographs were tested before several backgrounds. Trainings \
                 are known where a network was trained with several seeds; with one, the figure is about that training. The \
                 resampled trainings hold what trainings and photographs make together, which the fitted share leaves to \
                 the photographs. Trainings that differ by less than that are shown as 0 here; intervals add up what was \
                 seen as it is."
                    .into(),
            ),
            Block::Table(networks),
        ],
    })
}

fn table(context: &Context, set: &TestSet<'_>) -> Grid {
    let header = [
        "figure (points or %)",
        "value",
        "trainings",
        "photographs %",
        "of these pairings %",
        "shared backgrounds %",
        "trainings %",
        "s.e. of photographs: fitted",
        "resampled",
        "s.e. of trainings: fitted",
        "resampled ",
    ];
    let title = format!("Variance by level on {}, with 95 % intervals over all levels", set.split);
    let mut grid = Grid::new(title, &header);
    let cells = Cells { context, set };
    let bootstrap = Bootstrap { replicates: 400, ..context.bootstrap };
    for (name, wanted, statistic) in FIGURES {
        let Some((study, _)) = cells.study(wanted) else { continue };
        let Some(estimate) = study.estimate(Weighing::Plain, statistic) else { continue };
        let parts: Components = estimate.parts;
        let trainings = parts.trainings.max(0.0);
        let share = |part: f64| percent_of(part, parts.photographs + parts.backgrounds + trainings);
        let error = |variance: f64| format!("{:.2}", 100.0 * variance.max(0.0).sqrt());
        let resampled = |level| study.resampled(Weighing::Plain, level, &bootstrap, statistic);
        let once = estimate.trainings < 2;
        let unknown = || "–".to_owned();
        grid.push(vec![
            name.to_owned(),
            points_interval(&estimate.interval(context.bootstrap.level)),
            estimate.trainings.to_string(),
            share(parts.photographs),
            parts.pairings.map_or_else(unknown, share),
            share(parts.backgrounds),
            if once { unknown() } else { share(trainings) },
            error(parts.photographs),
            error(resampled(Level::Photographs)),
            if once { unknown() } else { error(trainings) },
            if once { unknown() } else { error(resampled(Level::Trainings)) },
        ]);
    }
    grid
}

fn percent_of(part: f64, total: f64) -> String {
    if total > 0.0 { format!("{:.0}", 100.0 * part / total) } else { "–".into() }
}

/// Which networks stand for each training view: what is compared with what.
fn compared(context: &Context, set: &TestSet<'_>) -> Grid {
    let header = ["trained on", "architecture", "photographs of", "training", "seeds", "networks"];
    let mut grid = Grid::new("What is compared: the networks that claims and figures rest on", &header);
    let mut views: Vec<&str> = set.models.iter().map(|(m, _)| m.key.trained_on.as_str()).collect();
    views.dedup();
    for view in views {
        let repeats = set.repeats(view);
        let Some((first, _)) = repeats.first() else { continue };
        let run = context.run_of(&first.key);
        let known = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        let seed = |m: &in9_analysis::ModelFrame| {
            let seed = m.key.training.seed.or_else(|| context.run_of(&m.key).map(|run| run.seed));
            seed.map_or("?".to_owned(), |seed| seed.to_string())
        };
        let training = run.map(|run| &run.training).unwrap_or(&first.key.training);
        grid.push(vec![
            view.to_owned(),
            known(&first.key.arch),
            known(&training.dataset),
            known(&training.digest),
            repeats.iter().map(|(m, _)| seed(m)).collect::<Vec<_>>().join(", "),
            repeats.iter().map(|(m, _)| m.key.model.as_str()).collect::<Vec<_>>().join(", "),
        ]);
    }
    grid
}
