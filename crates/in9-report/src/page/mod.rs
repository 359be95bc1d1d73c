//! The page that the sections stand on.

pub(crate) mod block;
pub(crate) mod gallery;
mod header;
pub(crate) mod pictures;
pub(crate) mod rows;
pub(crate) mod see;
mod sheet;

pub(crate) use block::{Block, Section};
pub(crate) use header::{Card, share};

use crate::claims::Claim;
use crate::context::Context;
use crate::error::Result;
use askama::Template;
use sheet::Sheet;

/// What stands above a page's sections.
#[derive(Debug, Default)]
pub(crate) struct Head<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: String,
    pub(crate) notice: Option<String>,
    /// Said first where verdicts are about single trainings.
    pub(crate) once: Option<String>,
    pub(crate) see: Option<String>,
    pub(crate) cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "page/index.html")]
struct Page<'a> {
    title: &'a str,
    subtitle: String,
    notice: Option<String>,
    once: Option<String>,
    see: Option<String>,
    cards: Vec<Card>,
    contents: Vec<(&'a str, &'a str)>,
    sections: Vec<String>,
    version: &'static str,
}

/// A written page: its HTML, and the files of its figures and tables by their names.
pub(crate) struct Written {
    pub(crate) html: String,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// The whole page of a report.
///
/// # Errors
/// If a template fails.
pub(crate) fn render(context: &Context, claims: &[Claim], sections: &[Section]) -> Result<Written> {
    let head = Head {
        title: &context.spec.title,
        subtitle: header::subtitle(context),
        notice: header::notice(context),
        once: header::once(context),
        see: header::see(context),
        cards: header::cards(context, claims),
    };
    write(head, sections)
}

/// A page of sections.
///
/// # Errors
/// If a template fails.
pub(crate) fn write(head: Head<'_>, sections: &[Section]) -> Result<Written> {
    let mut sheet = Sheet::default();
    let page = Page {
        title: head.title,
        subtitle: head.subtitle,
        notice: head.notice,
        once: head.once,
        see: head.see,
        cards: head.cards,
        contents: sections.iter().map(|s| (s.id, s.title.as_str())).collect(),
        sections: sections.iter().map(|s| s.html(&mut sheet)).collect::<Result<_>>()?,
        version: env!("CARGO_PKG_VERSION"),
    };
    // Templates leave trailing blanks that would only make the page larger.
    let text = page.render()?;
    let html =
        text.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n") + "\n";
    Ok(Written { html, files: sheet.files })
}
