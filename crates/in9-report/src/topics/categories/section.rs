//! Fine-grained attribution: Table 3 and Figure 7.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group};
use in9_analysis::metrics::Category;
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
        blocks.push(Block::figure(
            chart(context, set),
            format!(
                "Figure 7 on {}: share of images in each category. Whiskers: Wilson's 95 % interval. Diamond: the \
                 paper, where its text gives the bar.",
                set.split
            ),
        ));
        let title = format!(
            "Categories on {}, % of images with Wilson's 95 % interval (paper, original-trained: the two required \
             together 35, BG Fools 3)",
            set.split
        );
        let mut grid = tables::categories(&title, &set.summaries());
        published(context, &mut grid);
        blocks.push(Block::Table(grid));
        blocks.extend(per_class(context, set));
    }
    (!sets.is_empty()).then(|| Section {
        id: "categories",
        title: "Which images need their background".into(),
        lead: "Each image is judged by whether the network is right on the photograph (original), on the \
               foreground alone (mixed-rand) and on the background alone (only-bg-t). Required minus fools \
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
        row[0] = format!("{trained} (paper)");
        for (cell, name) in row[1..].iter_mut().zip(&grid.header[1..]) {
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

fn chart(context: &Context, set: &TestSet<'_>) -> String {
    // The paper shows three networks; all nine would hide them.
    let trained: Vec<&str> = ["original", "mixed-rand", "only-bg-t"]
        .into_iter()
        .filter(|t| set.trained_on(t).is_some_and(|(_, m)| m.categories.is_some()))
        .collect();
    let groups = Category::ALL.iter().map(|c| Group {
        label: c.name().into(),
        bars: trained
            .iter()
            .enumerate()
            .filter_map(|(k, t)| {
                let categories = set.trained_on(t)?.1.categories.as_ref()?;
                let interval = categories.shares[*c as usize].scaled(100.0);
                let published = fools(context, t).filter(|_| *c == Category::BgFools);
                Some(Bar { series: k, interval, published, balanced: None })
            })
            .collect(),
    });
    Bars {
        label: format!("categories on {}", set.split),
        axis: "images (%)".into(),
        series: trained.iter().map(|t| format!("trained on {t}")).collect(),
        groups: groups.collect(),
        level: None,
        range: None,
    }
    .svg()
}

fn per_class(context: &Context, set: &TestSet<'_>) -> Option<Block> {
    let mut tables = Vec::new();
    for trained in ["original", "mixed-rand"] {
        let Some((_, summary)) = set.trained_on(trained) else { continue };
        let Some(categories) = summary.categories.as_ref() else { continue };
        let mut header = vec!["class", "images"];
        header.extend(Category::ALL.map(Category::name));
        header.extend(["BG Fools, same wrong class", "required, together", "fools, together"]);
        let title = format!("Network trained on {trained}, on {}, % of each class", set.split);
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
