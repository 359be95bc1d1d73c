//! BG-gaps with intervals beside the paper's.

use super::cost;
use crate::claims::cells::Cells;
use crate::context::{Context, TestSet};
use crate::error::Result;
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, Width, balanced_mark};
use in9_analysis::metrics::compare;
use in9_analysis::output::tables;

/// The section, if any model has a gap.
///
/// # Errors
/// If a probe's table that was readable no longer is.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let sets = context.test_sets();
    let sets: Vec<_> = sets.iter().filter(|s| s.models.iter().any(|(_, m)| m.gap.is_some())).collect();
    let mut blocks = Vec::new();
    for set in &sets {
        let caption = format!(
            "BG-gap of each network on {}, in points: accuracy on mixed-same minus accuracy on mixed-rand. Bars above \
             zero: backgrounds of the right class help. Whiskers: 95 % intervals over {} foregrounds{}. {}",
            set.split,
            set.foregrounds(),
            if set.has_repeats() {
                ", and over the trainings of networks that were trained several times, whose bar is their mean"
            } else {
                ""
            },
            marks(context, set)
        );
        blocks.extend(Block::paper_figure("Figure 12", chart(context, set), caption.trim_end()));
        let title = format!("BG-gap on {}, in points with 95 % intervals", set.split);
        blocks.extend(cost::table(context, set)?);
        let single = Block::Table(tables::gaps(&title, &set.summaries()));
        if set.has_repeats() {
            blocks.push(Block::Details("Each training by itself".into(), vec![single]));
        } else {
            blocks.push(single);
        }
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
        blocks.push(Block::Table(tables::seeds(
            "Means over training seeds on the frozen pairing, Student's t interval",
            &groups,
        )));
    }
    Ok((!sets.is_empty()).then(|| Section {
        id: "gaps",
        title: "BG-gap".into(),
        lead: "Accuracy on mixed-same minus accuracy on mixed-rand: what a background of the right class is worth. \
               Zero means that it is worth no more than any other background on average; a single background may \
               still change an answer (see adversarial backgrounds)."
            .into(),
        blocks,
    }))
}

/// What the rings and diamonds of the chart are, as far as there are any.
fn marks(context: &Context, set: &TestSet<'_>) -> String {
    let mut marks = String::new();
    let gaps = || set.models.iter().filter_map(|(_, m)| m.gap);
    if gaps().any(|g| balanced_mark(g.gap.value, g.balanced.value).is_some()) {
        marks.push_str("Rings: the same with every class weighing the same. ");
    }
    if set.models.iter().any(|(_, m)| m.gap.is_some() && context.paper.gap(&m.key.trained_on).is_some()) {
        marks.push_str("Diamonds: the paper’s networks trained on the same view (Table 5).");
    }
    marks
}

fn chart(context: &Context, set: &TestSet<'_>) -> Option<String> {
    let cells = Cells { context, set };
    let groups = set.grouped(&set.summaries()).into_iter().filter_map(|one| {
        let [plain, balanced] = cells.gap_of(&one)?;
        let published = context.paper.gap(&one.first().key.trained_on);
        let balanced = balanced_mark(plain.value, balanced.value).map(|b| 100.0 * b);
        let bar = Bar { series: 0, interval: plain.scaled(100.0), published, balanced };
        Some(Group { label: one.name, bars: vec![bar] })
    });
    let groups: Vec<Group> = groups.collect();
    // A few bars need no more room than a telephone has.
    let width = if groups.len() <= 2 { Width::Half } else { Width::Full };
    Bars {
        label: format!("BG-gap by network on {}", set.split),
        axis: "BG-gap (points)".into(),
        series: vec!["BG-gap".into()],
        groups,
        level: None,
        range: None,
        width,
    }
    .svg()
}

/// Networks whose pairs are compared, if none is trained on mixed-rand.
const COMPARED: usize = 3;

/// The original-trained network against the mixed-rand-trained one; where they are not both there, each shown network
/// against each other.
fn paired(context: &Context, set: &TestSet<'_>) -> Option<Block> {
    let both = set.trained_on("original").zip(set.trained_on("mixed-rand"));
    let shown = both.map_or_else(|| set.shown(COMPARED), |(a, b)| vec![a, b]);
    let mut grids = Vec::new();
    for (i, (a, _)) in shown.iter().enumerate() {
        for (b, _) in &shown[i + 1..] {
            // Networks without shared foregrounds cannot be paired.
            grids
                .extend(compare(a, b, &context.bootstrap).ok().map(|c| Block::Table(tables::comparison(&c))));
        }
    }
    let names: Vec<String> = shown.iter().map(|(_, m)| set.phrase(m)).collect();
    let summary = format!("Paired tests on {}: {}", set.split, names.join(" against "));
    let last = "Differences have paired-bootstrap intervals; p is McNemar's exact test for accuracies and the paired \
                bootstrap's for the gap.";
    let any = !grids.is_empty();
    grids.push(Block::Prose(last.into()));
    any.then_some(Block::Details(summary, grids))
}
