//! The published numbers that have no counterpart above.

use crate::context::Context;
use crate::page::{Block, Section};
use in9_analysis::output::Grid;
use in9_analysis::paper::Architecture;

const VIEWS: [&str; 6] = ["original", "in-9l", "only-bg-t", "only-fg", "mixed-same", "mixed-rand"];

/// The section.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let paper = &context.paper;
    let mut classes = Grid::new(
        "Adversarial backgrounds, IN-9L ResNet-50: % of foregrounds of other classes",
        &["class of the background", "fooled by any", "five strongest"],
    );
    for c in &paper.adversarial.class {
        let strongest: Vec<String> = c.strongest.iter().map(ToString::to_string).collect();
        classes.push(vec![c.name.clone(), c.fooled_by_any.to_string(), strongest.join(" ")]);
    }
    Some(Section {
        id: "published",
        title: "Published numbers".into(),
        lead: format!("From {} and those who measured the same, for orientation.", paper.source),
        blocks: vec![
            Block::Details(
                "Architectures: Table 2 and the authors' repository".into(),
                vec![Block::Table(networks("Accuracy %, gap in points", &paper.architecture))],
            ),
            Block::Details(
                "Measured by others".into(),
                vec![Block::Table(networks("Second-hand; accuracy %, gap in points", &paper.others))],
            ),
            Block::Details("Adversarial backgrounds: Figures 22 to 29".into(), vec![Block::Table(classes)]),
        ],
    })
}

fn networks(title: &str, rows: &[Architecture]) -> Grid {
    let mut header = vec!["network", "trained on", "ImageNet"];
    header.extend(VIEWS);
    header.extend(["BG-gap", "challenge", "source"]);
    let mut grid = Grid::new(title, &header);
    let cell = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v}").replace('-', "−"));
    for r in rows {
        let mut row = vec![r.model.clone(), r.trained_on.clone(), cell(r.imagenet)];
        row.extend(VIEWS.iter().map(|v| cell(r.accuracy.get(*v).copied())));
        let source = match &r.note {
            Some(note) => format!("{} ({note})", r.source),
            None => r.source.clone(),
        };
        row.extend([cell(Some(r.gap)), cell(r.challenge), source]);
        grid.push(row);
    }
    grid
}
