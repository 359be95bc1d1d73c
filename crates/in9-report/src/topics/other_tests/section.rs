//! Tables of networks by test set.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use in9_analysis::metrics::ModelSummary;
use in9_analysis::output::number::{percent, points};
use in9_analysis::output::{Grid, tables};
use in9_data::View;

/// The section, if any network was tested on another data set than the main one; worlds of a ρ sweep have a section of
/// their own.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let main = context.main_dataset();
    let mut names: Vec<&str> = context.frame.models.iter().map(|m| m.key.dataset.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let sweep: Vec<&str> = context.rho_sweep().into_iter().map(|(_, name)| name).collect();
    names.retain(|name| *name != main && !sweep.contains(name));
    let others: Vec<TestSet<'_>> = names.iter().flat_map(|name| context.test_sets_of(name)).collect();
    if others.is_empty() {
        return None;
    }
    let sets: Vec<TestSet<'_>> = context.test_sets().into_iter().take(1).chain(others).collect();
    let mut blocks = vec![Block::PaperTable(
        "Table 5",
        by_set("Accuracy % on photographs as they are", &sets, |m| {
            m.accuracy(View::Original).map(|a| percent(a.accuracy.value))
        }),
    )];
    let with_gaps: Vec<TestSet<'_>> =
        sets.iter().filter(|set| set.models.iter().any(|(_, m)| m.gap.is_some())).cloned().collect();
    if with_gaps.len() > 1 {
        let gap = |m: &ModelSummary| m.gap.as_ref().map(|gap| points(gap.gap.value));
        blocks.push(Block::PaperTable("Table 2", by_set("BG-gap in points", &with_gaps, gap)));
    }
    for set in &sets[1..] {
        let title = format!("Accuracy % (balanced accuracy %) on {} {}", set.dataset, set.split);
        let grid = tables::matrix(&title, &set.summaries());
        blocks.push(Block::Details(title, vec![Block::Table(grid)]));
    }
    Some(Section {
        id: "other-tests",
        title: "The same networks on other test sets".into(),
        lead: "One column a test set. Photographs as they are of IN-9L’s test set are the paper’s column IN-9L; of the \
               official release there may be two columns, one of its own pictures and one recomposed from its \
               photographs, backgrounds and masks."
            .into(),
        blocks,
    })
}

/// One row a network, one column a test set.
fn by_set(title: &str, sets: &[TestSet<'_>], cell: impl Fn(&ModelSummary) -> Option<String>) -> Grid {
    let columns = sets.iter().map(|set| format!("{} {} ({})", set.dataset, set.split, set.foregrounds()));
    let header: Vec<String> =
        ["network", "trained on"].map(str::to_owned).into_iter().chain(columns).collect();
    let mut networks: Vec<(&str, &str)> = Vec::new();
    for (model, _) in sets.iter().flat_map(|set| &set.models) {
        let network = (model.key.model.as_str(), model.key.trained_on.as_str());
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    let rows = networks.into_iter().map(|(name, trained_on)| {
        let cells = sets.iter().map(|set| {
            let found =
                set.models.iter().find(|(m, _)| m.key.model == name && m.key.trained_on == trained_on);
            found.and_then(|(_, summary)| cell(summary)).unwrap_or_else(|| "–".into())
        });
        [name.to_owned(), trained_on.to_owned()].into_iter().chain(cells).collect()
    });
    Grid { title: title.into(), rows: rows.collect(), header }
}
