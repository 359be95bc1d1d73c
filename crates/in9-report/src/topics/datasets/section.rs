//! What the data sets hold, and what was rejected by which rule.

use crate::context::{Context, Loaded};
use crate::page::{Block, Section};
use in9_analysis::output::Grid;
use in9_analysis::output::number::count;

/// The section, if any data set could be opened.
pub(crate) fn section(context: &Context) -> Option<Section> {
    if context.datasets.is_empty() {
        return None;
    }
    let mut overview = Grid::new(
        "Data sets",
        &["data set", "source", "size", "profile", "masks", "seed", "split", "kept", "rejected"],
    );
    for loaded in &context.datasets {
        let manifest = loaded.dataset.manifest();
        let s = &manifest.settings;
        for split in &manifest.splits {
            let rejected: u64 = split.rejected.iter().map(|r| r.count).sum();
            overview.push(vec![
                loaded.entry.name.clone(),
                s.source.clone(),
                format!("{0}×{0}", s.size),
                json_name(&s.profile),
                s.mask_origin(),
                s.seed.to_string(),
                split.name.clone(),
                count(split.samples),
                count(rejected),
            ]);
        }
    }
    let mut blocks = vec![Block::Table(overview)];
    for loaded in &context.datasets {
        let tables = kept(loaded).into_iter().chain(rejected(loaded)).map(Block::Table).collect();
        let main = loaded.entry.name == context.main_dataset();
        let block = Block::Columns(tables);
        if main {
            blocks.push(block);
        } else {
            blocks.push(Block::Details(format!("Classes and rules of {}", loaded.entry.name), vec![block]));
        }
    }
    Some(Section {
        id: "datasets",
        title: "The photographs".into(),
        lead:
            "A photograph is kept if it passes every filter. Each rejected one is listed with the rule that \
               rejected it in the data set's rejected.csv."
                .into(),
        blocks,
    })
}

/// Name of a setting as the manifest writes it.
fn json_name(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

fn kept(loaded: &Loaded) -> Option<Grid> {
    let splits = &loaded.dataset.manifest().splits;
    let mut header = vec!["class"];
    header.extend(splits.iter().map(|s| s.name.as_str()));
    let mut grid = Grid::new(format!("{}: photographs kept, by class", loaded.entry.name), &header);
    for class in &loaded.dataset.taxonomy().classes {
        let of = |s: &in9_data::SplitInfo| {
            s.kept.iter().find(|k| k.class == class.name).map_or(0, |k| k.count).to_string()
        };
        grid.push(std::iter::once(class.name.clone()).chain(splits.iter().map(of)).collect());
    }
    (!grid.rows.is_empty()).then_some(grid)
}

/// Rejections of all splits by rule and class.
fn rejected(loaded: &Loaded) -> Option<Grid> {
    let mut rules: Vec<&str> = loaded.rejected.keys().map(|(_, _, rule)| rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return None;
    }
    let mut header = vec!["class"];
    header.extend(&rules);
    let mut grid =
        Grid::new(format!("{}: rejected photographs, by class and rule", loaded.entry.name), &header);
    let classes = loaded.dataset.taxonomy().classes.iter().map(|c| c.name.as_str());
    for class in classes.chain([""]) {
        let cells: Vec<u64> = rules
            .iter()
            .map(|rule| {
                let of = loaded.rejected.iter().filter(|((_, c, r), _)| c == class && r == rule);
                of.map(|(_, n)| n).sum()
            })
            .collect();
        if class.is_empty() && cells.iter().all(|n| *n == 0) {
            continue;
        }
        let name = if class.is_empty() { "(unknown label)" } else { class };
        grid.push(std::iter::once(name.to_owned()).chain(cells.iter().map(u64::to_string)).collect());
    }
    Some(grid)
}
