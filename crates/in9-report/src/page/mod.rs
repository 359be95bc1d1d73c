//! The page that the sections stand on.

pub(crate) mod block;
pub(crate) mod gallery;
mod header;
pub(crate) mod pictures;
pub(crate) mod see;

pub(crate) use block::{Block, Section};

use crate::claims::Claim;
use crate::context::Context;
use crate::error::Result;
use askama::Template;
use header::Card;

#[derive(Template)]
#[template(path = "page/index.html")]
struct Page<'a> {
    title: &'a str,
    subtitle: String,
    see: Option<String>,
    cards: Vec<Card>,
    contents: Vec<(&'a str, &'a str)>,
    sections: Vec<String>,
    version: &'static str,
}

/// The whole page as HTML.
///
/// # Errors
/// If a template fails.
pub(crate) fn render(context: &Context, claims: &[Claim], sections: &[Section]) -> Result<String> {
    let page = Page {
        title: &context.spec.title,
        subtitle: header::subtitle(context),
        see: header::see(context),
        cards: header::cards(context, claims),
        contents: sections.iter().map(|s| (s.id, s.title.as_str())).collect(),
        sections: sections.iter().map(Section::html).collect::<Result<_>>()?,
        version: env!("CARGO_PKG_VERSION"),
    };
    // Templates leave trailing blanks that would only make the page larger.
    let text = page.render()?;
    Ok(text.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n") + "\n")
}
