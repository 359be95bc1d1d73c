//! Figures 2 and 5 of the paper: background-trained networks, and what mixed-rand training buys.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, Width, balanced_mark};
use in9_analysis::metrics::FOREGROUND_VIEWS;
use in9_data::View;

/// What the marks of both charts are.
const MARKS: &str = "Whiskers: Wilson's 95 % interval. Rings: balanced accuracy, where it differs. Diamonds: the paper. \
                     Dotted line: chance of balanced accuracy.";

/// The section, if at least one of the figures can be drawn.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let set = sets.first()?;
    let chance = 100.0 * context.frame.chance();
    let mut blocks = Vec::new();
    let trained = ["only-bg-b", "only-bg-t", "no-fg"];
    if trained.iter().any(|t| set.trained_on(t).is_some()) {
        let groups = trained.map(|t| (format!("trained on {t}"), vec![(t, t), (t, "original")])).to_vec();
        let label = "networks that saw backgrounds only";
        let svg = chart(context, set, (label, chance), &["own test", "original"], groups);
        blocks.extend(Block::paper_figure(
            "Figure 2",
            svg,
            format!(
                "Accuracy of networks that never saw a foreground, on their own test (first bar) and on photographs as \
                 they are (second). {MARKS}"
            ),
        ));
    }
    let both = ["original", "mixed-rand"];
    if both.iter().all(|t| set.trained_on(t).is_some()) {
        let groups =
            FOREGROUND_VIEWS.map(|v| (v.name().to_owned(), both.map(|t| (t, v.name())).to_vec())).to_vec();
        let svg = chart(
            context,
            set,
            ("training on original or on mixed-rand", chance),
            &["trained on original", "trained on mixed-rand"],
            groups,
        );
        blocks.extend(Block::paper_figure(
            "Figure 5",
            svg,
            format!(
                "Accuracy after training on original or on mixed-rand, on the five tests that show the foreground. {MARKS}"
            ),
        ));
    }
    (!blocks.is_empty()).then(|| Section {
        id: "figures",
        title: "Backgrounds alone, and training against them".into(),
        lead: String::new(),
        blocks,
    })
}

fn chart(
    context: &Context,
    set: &TestSet<'_>,
    (label, chance): (&str, f64),
    series: &[&str],
    groups: Vec<(String, Vec<(&str, &str)>)>,
) -> Option<String> {
    let bar = |series: usize, trained: &str, tested: &str| -> Option<Bar> {
        let view: View = tested.parse().ok()?;
        let accuracy = set.trained_on(trained)?.1.accuracy(view)?;
        let published = context.paper.accuracy(trained, tested);
        let balanced = balanced_mark(accuracy.accuracy.value, accuracy.balanced.value).map(|b| 100.0 * b);
        Some(Bar { series, interval: accuracy.accuracy.scaled(100.0), published, balanced })
    };
    let groups = groups.into_iter().map(|(label, cells)| Group {
        label,
        bars: cells.iter().enumerate().filter_map(|(k, (t, v))| bar(k, t, v)).collect(),
    });
    Bars {
        label: format!("{label}, on {}", set.split),
        axis: "accuracy (%)".into(),
        series: series.iter().map(|s| (*s).to_owned()).collect(),
        groups: groups.filter(|g| !g.bars.is_empty()).collect(),
        level: Some((chance, "chance".into())),
        range: Some((0.0, 100.0)),
        width: Width::Full,
    }
    .svg()
}
