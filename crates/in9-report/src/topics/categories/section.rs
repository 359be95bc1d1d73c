//! Fine-grained attribution: Table 3 and Figure 7.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, Width};
use in9_analysis::metrics::{Category, ModelSummary};
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent, percent_interval};
use in9_analysis::output::tables;
use in9_analysis::stats::wilson;

/// The section, if any model was tested on the three views it needs.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let sets: Vec<_> = sets.iter().filter(|s| s.models.iter().any(|(_, m)| m.categories.is_some())).collect();
    let mut blocks = Vec::new();
    for set in &sets {
        blocks.extend(Block::paper_figure(
            "Figure 7",
            chart(context, set),
            format!(
                "Share of the images of {} in each category, one colour a network: BG Required are right only with \
                 their own background, BG+FG Required only as a whole, BG Fools and BG+FG Fools are wrong only because \
                 of the background, BG Irrelevant are answered alike with either. Whiskers: Wilson's 95 % interval. \
                 Diamonds: the paper, where its text gives the bar.",
                set.split
            ),
        ));
        let title = format!(
            "Categories on {}, % of images with Wilson's 95 % interval (paper, original-trained: the two required \
             together 35, BG Fools 3)",
            set.split
        );
        let ours = set.models.iter().any(|(_, m)| m.key.is_trained_on_view());
        let mut grid = tables::categories(&title, &set.summaries());
        if ours {
            published(context, &mut grid);
        }
        blocks.push(Block::PaperTable("Table 3", grid));
        blocks.extend(per_class(context, set));
    }
    (!sets.is_empty()).then(|| Section {
        id: "categories",
        title: "Which images need their background".into(),
        lead: "Each image is judged by whether the network is right on the photograph (original), on its object before \
               another photograph's background (mixed-rand) and on its background without the object (only-bg-t). Required minus fools \
               always equals accuracy on original minus accuracy on mixed-rand; this is checked."
            .into(),
        blocks,
    })
}

/// What the paper gives of the table: BG Fools in its text, and required − fools by its Table 5.
fn published(context: &Context, grid: &mut Grid) {
    let categories = &context.paper.categories;
    let Some(identity) = categories.get("identity") else { return };
    for trained in ["original", "only-bg-t", "mixed-rand"] {
        let Some(difference) = identity.get(trained) else { continue };
        let mut row = vec!["–".to_owned(); grid.header.len()];
        (row[0], row[1]) = ("the paper".to_owned(), trained.to_owned());
        for (cell, name) in row.iter_mut().zip(&grid.header).skip(2) {
            if name == Category::BgFools.name()
                && let Some(fools) = fools(context, trained)
            {
                *cell = format!("{fools:.1}");
            } else if name == "required − fools" {
                *cell = format!("{difference:.1}");
            } else if name == "images" {
                *cell = context.paper.test_images.to_string();
            }
        }
        grid.push(row);
    }
}

/// The paper's share of BG Fools in percent.
fn fools(context: &Context, trained: &str) -> Option<f64> {
    context.paper.categories.get(trained)?.get("bg_fools").copied()
}

/// Networks of the chart; more would hide each other.
const CHARTED: usize = 6;

/// The paper shows three networks; here those of the same training, or those that were trained elsewhere.
fn charted<'a>(set: &TestSet<'a>) -> Vec<&'a ModelSummary> {
    let mut charted: Vec<&ModelSummary> = set.shown(CHARTED).into_iter().map(|(_, m)| m).collect();
    charted.extend(set.trained_on("only-bg-t").map(|(_, m)| m));
    charted.retain(|m| m.categories.is_some());
    charted.truncate(CHARTED);
    charted
}

fn chart(context: &Context, set: &TestSet<'_>) -> Option<String> {
    let models = charted(set);
    let groups = Category::ALL.iter().map(|c| Group {
        label: c.name().into(),
        bars: models
            .iter()
            .enumerate()
            .filter_map(|(series, m)| {
                let interval = m.categories.as_ref()?.shares[*c as usize].scaled(100.0);
                let published = fools(context, &m.key.trained_on).filter(|_| *c == Category::BgFools);
                Some(Bar { series, interval, published, balanced: None })
            })
            .collect(),
    });
    Bars {
        label: format!("categories on {}", set.split),
        axis: "images (%)".into(),
        series: models.iter().map(|m| set.phrase(m)).collect(),
        groups: groups.collect(),
        level: None,
        range: None,
        width: Width::Full,
    }
    .svg()
}

fn per_class(context: &Context, set: &TestSet<'_>) -> Option<Block> {
    let mut tables = Vec::new();
    for (_, summary) in set.shown(CHARTED) {
        let Some(categories) = summary.categories.as_ref() else { continue };
        let mut header = vec!["class", "images"];
        header.extend(Category::ALL.map(Category::name));
        header.extend(["BG Fools, same wrong class", "required, together", "fools, together"]);
        let title = format!("By class on {}, {}: % of each class", set.split, set.phrase(summary));
        let mut grid = Grid::new(title, &header);
        let strict = &categories.fools_same_class_per_class;
        for ((class, counts), strict) in context.frame.classes.iter().zip(&categories.per_class).zip(strict) {
            let total: u64 = counts.iter().sum();
            let mut row = vec![class.clone(), total.to_string()];
            row.extend(counts.iter().map(|n| percent(*n as f64 / total as f64)));
            row.push(percent(*strict as f64 / total as f64));
            let together = |n| percent_interval(&wilson(n, total, context.bootstrap.level));
            row.extend([together(counts[0] + counts[1]), together(counts[2] + counts[3])]);
            grid.push(row);
        }
        tables.push(Block::Table(grid));
    }
    (!tables.is_empty()).then(|| Block::Details(format!("By class, {}", set.split), tables))
}
