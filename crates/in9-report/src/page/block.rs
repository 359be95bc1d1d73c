//! What a section of the report is made of, and how it becomes HTML.

use crate::error::Result;
use askama::Template;
use in9_analysis::output::Grid;

/// A part of the page under its own heading.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Anchor of the table of contents.
    pub(crate) id: &'static str,
    /// Heading.
    pub(crate) title: String,
    /// First sentences: what to see here.
    pub(crate) lead: String,
    /// Figures and tables.
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// A paragraph of plain text.
    Prose(String),
    /// A chart with its caption.
    Figure {
        /// The chart.
        svg: String,
        /// What it shows and where its whiskers come from.
        caption: String,
    },
    /// A table; its title is the caption.
    Table(Grid),
    /// Blocks side by side where the page is wide enough.
    Columns(Vec<Block>),
    /// Blocks hidden until asked for.
    Details(String, Vec<Block>),
    /// Finished HTML of a template of its own.
    Html(String),
}

#[derive(Template)]
#[template(path = "page/figure.html")]
struct FigurePage<'a> {
    svg: &'a str,
    caption: &'a str,
}

#[derive(Template)]
#[template(path = "page/table.html")]
struct TablePage<'a> {
    grid: &'a Grid,
    numeric: Vec<bool>,
}

#[derive(Template)]
#[template(path = "page/details.html")]
struct DetailsPage<'a> {
    summary: &'a str,
    inner: String,
}

#[derive(Template)]
#[template(path = "page/section.html")]
struct SectionPage<'a> {
    section: &'a Section,
    inner: String,
}

#[derive(Template)]
#[template(source = "<p>{{ text }}</p>", ext = "html")]
struct ProsePage<'a> {
    text: &'a str,
}

impl Block {
    /// A figure.
    pub(crate) fn figure(svg: String, caption: impl Into<String>) -> Self {
        Self::Figure { svg, caption: caption.into() }
    }

    /// The block as HTML.
    ///
    /// # Errors
    /// If a template fails.
    pub(crate) fn html(&self) -> Result<String> {
        Ok(match self {
            Self::Prose(text) => ProsePage { text }.render()?,
            Self::Figure { svg, caption } => FigurePage { svg, caption }.render()?,
            Self::Table(grid) => {
                let numeric = (0..grid.header.len()).map(|c| grid.is_numeric(c)).collect();
                TablePage { grid, numeric }.render()?
            }
            Self::Columns(blocks) => format!("<div class=\"columns\">{}</div>", joined(blocks)?),
            Self::Details(summary, blocks) => DetailsPage { summary, inner: joined(blocks)? }.render()?,
            Self::Html(html) => html.clone(),
        })
    }
}

impl Section {
    /// The section as HTML.
    ///
    /// # Errors
    /// If a template fails.
    pub(crate) fn html(&self) -> Result<String> {
        Ok(SectionPage { section: self, inner: joined(&self.blocks)? }.render()?)
    }
}

fn joined(blocks: &[Block]) -> Result<String> {
    blocks.iter().map(Block::html).collect::<Result<Vec<_>>>().map(|parts| parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_charts_are_not() {
        assert_eq!(Block::Prose("a < b".into()).html().unwrap(), "<p>a &#60; b</p>");
        let figure = Block::figure("<svg></svg>".into(), "x & y").html().unwrap();
        assert!(figure.contains("<svg></svg>") && figure.contains("x &#38; y"), "{figure}");
        let mut grid = Grid::new("t", &["name", "n"]);
        grid.push(vec!["<b>".into(), "1".into()]);
        let table = Block::Details("more".into(), vec![Block::Table(grid)]).html().unwrap();
        assert!(table.contains("&#60;b&#62;") && table.contains("<details>"), "{table}");
    }
}
