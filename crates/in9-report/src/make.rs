//! From a list of inputs to a folder.

use crate::claims::{self, Tally};
use crate::context::Context;
use crate::error::Result;
use crate::page;
use crate::spec::Spec;
use crate::topics::{self, TOPICS};
use in9_analysis::output::json;
use in9_analysis::paper::Paper;
use in9_base::files::{OutputFolder, Owner};
use std::path::Path;
use std::sync::LazyLock;

/// What a finished report has to say about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Sections of the page.
    pub sections: usize,
    /// The paper's claims by verdict.
    pub claims: Tally,
    /// Inputs that were listed but could not be used, one line each.
    pub skipped: Vec<String>,
}

/// Makes the report of the list at `spec` into the folder `out`: `index.html`, `results.json`, CSV files,
/// `settings.toml`, and each figure and table as files of their own.
///
/// # Errors
/// If the list or a prediction table cannot be used, or `out` cannot be written. Other inputs that cannot be used are
/// skipped and named in the summary.
pub fn make(spec: &Path, out: &Path) -> Result<Summary> {
    let list = Spec::load(spec)?;
    let owner = owner();
    // Before the work, so that a folder that may not be replaced is named at once.
    let folder = OutputFolder::begin(out, &owner, &inputs(spec, &list))?;
    let context = Context::load(list, Paper::embedded()?)?;
    let claims = topics::judge(&context)?;
    let sections = topics::sections(&context, &claims)?;
    let page = page::render(&context, &claims, &sections)?;
    folder.write("index.html", page.html)?;
    for (name, bytes) in page.files {
        folder.write(&name, bytes)?;
    }
    let mut results = json::Results::new(&context.frame, &context.summaries, &context.bootstrap);
    results.seeds = context.seed_groups();
    results.cards = &context.cards;
    for topic in &TOPICS {
        results.more.extend((topic.results)(&context, &claims)?);
    }
    folder.write("results.json", json::pretty(&results)?)?;
    for topic in &TOPICS {
        for (name, table) in topic.tables {
            folder.write(name, table(&context, &claims)?)?;
        }
    }
    folder.write("settings.toml", settings(&context))?;
    folder.finish()?;
    Ok(Summary { sections: sections.len(), claims: claims::tally(&claims), skipped: context.skipped })
}

/// Whose the folder is, and what may be in it.
fn owner() -> Owner {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let tables = TOPICS.iter().flat_map(|topic| topic.tables).map(|(name, _)| *name);
        tables
            .chain([
                "index.html",
                "results.json",
                "settings.toml",
                "figures/*.svg",
                "figures/*.pdf",
                "tables/*",
            ])
            .collect()
    });
    Owner { made_by: "in9-report", names: &NAMES }
}

/// Everything that the report reads.
fn inputs<'a>(path: &'a Path, list: &'a Spec) -> Vec<&'a Path> {
    let mut inputs = vec![path];
    inputs.extend(list.predictions.iter().map(|entry| entry.path.as_path()));
    inputs.extend(list.dataset.iter().map(|entry| entry.path.as_path()));
    inputs.extend(list.run.iter().map(|entry| entry.path.as_path()));
    inputs.extend(list.probe.iter().map(|entry| entry.path.as_path()));
    inputs.extend(list.imagenet.as_deref());
    inputs
}

/// What the same numbers need to be made again, as TOML.
fn settings(context: &Context) -> String {
    let b = &context.bootstrap;
    format!(
        "title = {:?}\nrecipe = {:?}\nlevel = {:?}\nreplicates = {}\nseed = {}\n",
        context.spec.title, context.spec.recipe, b.level, b.replicates, b.seed
    )
}
