//! BG-gaps with intervals beside the paper's.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, balanced_mark};
use in9_analysis::metrics::compare;
use in9_analysis::output::tables;

/// The section, if any model has a gap.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let sets: Vec<_> = sets.iter().filter(|s| s.models.iter().any(|(_, m)| m.gap.is_some())).collect();
    let mut blocks = Vec::new();
    for set in &sets {
        let caption = format!(
            "BG-gap on {}: whiskers are 95 % intervals of a bootstrap over {} foregrounds; diamonds the \
             paper's Table 5.",
            set.split,
            set.foregrounds()
        );
        blocks.push(Block::figure(chart(context, set), caption));
        let title = format!("BG-gap on {}, in points", set.split);
        blocks.push(Block::Table(tables::gaps(&title, &set.summaries())));
        blocks.extend(paired(context, set));
    }
    let missing: Vec<String> = context
        .test_sets()
        .iter()
        .flat_map(|set| {
            let lines = tables::missing(&set.summaries());
            lines.into_iter().map(|line| format!("{}: {line}", set.split)).collect::<Vec<_>>()
        })
        .collect();
    if !missing.is_empty() && !blocks.is_empty() {
        blocks.push(Block::Prose(format!("Not computed: {}.", missing.join("; "))));
    }
    let groups = context.seed_groups();
    if !groups.is_empty() {
        blocks.push(Block::Table(tables::seeds("Means over training seeds, Student's t interval", &groups)));
    }
    (!sets.is_empty()).then(|| Section {
        id: "gaps",
        title: "BG-gap".into(),
        lead: "Accuracy on mixed-same minus accuracy on mixed-rand: what a background of the right class is worth. \
               Zero means that it is worth no more than any other background on average; a single background may \
               still change an answer (see adversarial backgrounds)."
            .into(),
        blocks,
    })
}

fn chart(context: &Context, set: &TestSet<'_>) -> String {
    let summaries = set.summaries();
    let groups = tables::names(&summaries).into_iter().zip(&summaries).filter_map(|(label, m)| {
        let gap = m.gap?;
        let published = context.paper.gap(&m.key.trained_on);
        let balanced = balanced_mark(gap.gap.value, gap.balanced.value).map(|b| 100.0 * b);
        let interval = gap.gap.scaled(100.0);
        Some(Group { label, bars: vec![Bar { series: 0, interval, published, balanced }] })
    });
    Bars {
        label: format!("BG-gap by training view on {}", set.split),
        axis: "BG-gap (points)".into(),
        series: vec!["BG-gap".into()],
        groups: groups.collect(),
        level: None,
        range: None,
    }
    .svg()
}

/// The original-trained network against the mixed-rand-trained one.
fn paired(context: &Context, set: &TestSet<'_>) -> Option<Block> {
    let (a, _) = set.trained_on("original")?;
    let (b, _) = set.trained_on("mixed-rand")?;
    let comparison = compare(a, b, &context.bootstrap).ok()?;
    let summary = format!("Paired tests on {}: original-trained against mixed-rand-trained", set.split);
    Some(Block::Details(
        summary,
        vec![
            Block::Table(tables::comparison(&comparison)),
            Block::Prose(
                "Differences have paired-bootstrap intervals; p is McNemar's exact test for accuracies \
                 and the paired bootstrap's for the gap."
                    .into(),
            ),
        ],
    ))
}
