//! Results as text for a terminal.

use super::{Grid, tables};
use crate::Frame;
use crate::metrics::{ModelSummary, seed_groups};
use crate::stats::Bootstrap;
use std::fmt::Write;

/// What `score` prints: tables of every test set, what cannot be computed, and means over training seeds, as Markdown.
pub fn scores(frame: &Frame, summaries: &[ModelSummary], bootstrap: &Bootstrap) -> String {
    let mut text = String::new();
    for (dataset, split) in frame.test_sets() {
        let models: Vec<&ModelSummary> =
            summaries.iter().filter(|m| m.key.dataset == dataset && m.key.split == split).collect();
        let photographs = models.iter().map(|m| m.foregrounds).max().unwrap_or(0);
        let _ = writeln!(text, "## {dataset} · {split} · {photographs} foregrounds\n");
        for grid in grids(&models, bootstrap.level) {
            let _ = writeln!(text, "{}", grid.markdown());
        }
        let missing = tables::missing(&models);
        if !missing.is_empty() {
            let _ = writeln!(
                text,
                "Not computed:\n{}",
                missing.iter().map(|line| format!("- {line}\n")).collect::<String>()
            );
        }
    }
    let groups = seed_groups(summaries, bootstrap.level);
    if !groups.is_empty() {
        let level = 100.0 * bootstrap.level;
        let title = format!("Means over training seeds, {level:.0} % Student's t interval");
        let _ = writeln!(text, "{}", tables::seeds(&title, &groups).markdown());
    }
    text
}

/// The tables of some models on one test set that have any rows, with intervals at `level`.
pub fn grids(models: &[&ModelSummary], level: f64) -> Vec<Grid> {
    let level = 100.0 * level;
    let grids = [
        tables::matrix("Accuracy % (balanced accuracy %)", models),
        tables::gaps(&format!("BG-gap in points, {level:.0} % interval over foregrounds"), models),
        tables::ladder(&format!("Drop in points, {level:.0} % interval over foregrounds"), models),
        tables::categories("Categories, % of images", models),
        tables::intervals(&format!("Accuracy with {level:.0} % intervals"), models),
    ];
    grids.into_iter().filter(|grid| !grid.rows.is_empty()).collect()
}
