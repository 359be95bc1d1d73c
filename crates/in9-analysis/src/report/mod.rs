//! The report: one self-contained page with figures, tables, pictures and verdicts.
//!
//! The same inputs always give the same bytes: no times, no absolute paths, no network.

pub mod block;
pub mod claims;
pub mod context;
pub mod curve;
pub mod datasets;
pub mod pictures;
pub mod probes;
pub mod runs;
pub mod sections;
pub mod spec;

use crate::error::Result;
use crate::output::{Folder, csv_files, json};
use crate::paper::Paper;
use askama::Template;
use block::Section;
use context::Context;
use std::path::Path;

pub use spec::Spec;

/// A number at the top of the page.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) value: String,
    pub(crate) limits: String,
    pub(crate) label: String,
}

#[derive(Template)]
#[template(path = "index.html")]
struct Page<'a> {
    title: &'a str,
    subtitle: String,
    cards: Vec<Card>,
    contents: Vec<(&'a str, &'a str)>,
    sections: Vec<String>,
    version: &'static str,
}

/// What a finished report has to say about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Sections of the page.
    pub sections: usize,
    /// The paper's claims by verdict.
    pub claims: claims::Tally,
    /// Inputs that were listed but could not be used, one line each.
    pub skipped: Vec<String>,
}

/// Makes the report of the list at `spec` into the folder `out`.
///
/// # Errors
/// If the list or a prediction table cannot be used, or `out` cannot be written. Other inputs that
/// cannot be used are skipped and named in the summary.
pub fn make(spec: &Path, out: &Path) -> Result<Summary> {
    let context = Context::load(Spec::load(spec)?, Paper::embedded()?)?;
    let claims = claims::evaluate(&context)?;
    let sections = sections::all(&context, &claims)?;
    let page = page(&context, &claims, &sections)?;
    let folder = Folder::begin(out)?;
    folder.write("index.html", page)?;
    let mut results = json::Results::new(&context.frame, &context.summaries, &context.bootstrap);
    results.seeds = context.seed_groups();
    results.more = claims::json(&claims)?;
    results.more.extend(context.probes.json()?);
    folder.write("results.json", json::pretty(&results)?)?;
    for (name, bytes) in csv_files::files(&context.frame, &context.summaries)? {
        folder.write(name, bytes)?;
    }
    folder.write("claims.csv", claims::csv(&claims)?)?;
    folder.write("settings.toml", settings(&context))?;
    folder.finish()?;
    Ok(Summary { sections: sections.len(), claims: claims::tally(&claims), skipped: context.skipped })
}

fn page(context: &Context, claims: &[claims::Claim], sections: &[Section]) -> Result<String> {
    let page = Page {
        title: &context.spec.title,
        subtitle: sections::header::subtitle(context),
        cards: sections::header::cards(context, claims),
        contents: sections.iter().map(|s| (s.id, s.title.as_str())).collect(),
        sections: sections.iter().map(Section::html).collect::<Result<_>>()?,
        version: env!("CARGO_PKG_VERSION"),
    };
    // Templates leave trailing blanks that would only make the page larger.
    let text = page.render()?;
    Ok(text.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n") + "\n")
}

fn settings(context: &Context) -> String {
    let b = &context.bootstrap;
    format!(
        "title = {:?}\nrecipe = {:?}\nlevel = {:?}\nreplicates = {}\nseed = {}\n",
        context.spec.title, context.spec.recipe, b.level, b.replicates, b.seed
    )
}
