//! What a section of the report is made of, and how it becomes HTML.

use super::sheet::Sheet;
use crate::error::Result;
use crate::plot::standalone;
use askama::Template;
use in9_analysis::output::Grid;
use in9_analysis::output::csv_files::encode;

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
        /// What it shows, and what its axes, colours and whiskers are.
        caption: String,
        /// The paper's figure of the same, such as `Figure 7`.
        paper: Option<&'static str>,
    },
    /// A table; its title is the caption.
    Table(Grid),
    /// A table of what a table of the paper has, such as `Table 5`.
    PaperTable(&'static str, Grid),
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
    number: usize,
    paper: &'a str,
    file: String,
    address: String,
}

#[derive(Template)]
#[template(path = "page/table.html")]
struct TablePage<'a> {
    grid: &'a Grid,
    numeric: Vec<bool>,
    number: usize,
    paper: &'a str,
    file: String,
    forms: [(&'static str, &'static str, String); 3],
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
    /// A figure; `None` where the chart has nothing to show.
    pub(crate) fn figure(svg: Option<String>, caption: impl Into<String>) -> Option<Self> {
        Some(Self::Figure { svg: svg?, caption: caption.into(), paper: None })
    }

    /// A figure that shows what a figure of the paper shows.
    pub(crate) fn paper_figure(
        paper: &'static str,
        svg: Option<String>,
        caption: impl Into<String>,
    ) -> Option<Self> {
        Some(Self::Figure { svg: svg?, caption: caption.into(), paper: Some(paper) })
    }

    /// The block as HTML; figures and tables get their numbers from `sheet`, and their files into it.
    fn html(&self, sheet: &mut Sheet) -> Result<String> {
        Ok(match self {
            Self::Prose(text) => ProsePage { text }.render()?,
            Self::Figure { svg, caption, paper } => {
                let alone = standalone(svg);
                let (number, file) = sheet.figure(svg, &alone);
                let address = super::pictures::svg_address(&alone);
                let paper = paper.unwrap_or_default();
                FigurePage { svg, caption, number, paper, file, address }.render()?
            }
            Self::Table(grid) => table(grid, "", sheet)?,
            Self::PaperTable(paper, grid) => table(grid, paper, sheet)?,
            Self::Columns(blocks) => format!("<div class=\"columns\">{}</div>", joined(blocks, sheet)?),
            Self::Details(summary, blocks) => {
                DetailsPage { summary, inner: joined(blocks, sheet)? }.render()?
            }
            Self::Html(html) => html.clone(),
        })
    }
}

fn table(grid: &Grid, paper: &str, sheet: &mut Sheet) -> Result<String> {
    let header: Vec<&str> = grid.header.iter().map(String::as_str).collect();
    let csv = encode(&header, grid.rows.iter().cloned())?;
    let forms = [
        ("LaTeX", "tex", grid.latex()),
        ("Markdown", "md", grid.markdown()),
        ("CSV", "csv", String::from_utf8_lossy(&csv).into_owned()),
    ];
    let (number, file) = sheet.table(&grid.title, forms.iter().map(|(_, end, text)| (*end, text.as_str())));
    let numeric = (0..grid.header.len()).map(|c| grid.is_numeric(c)).collect();
    Ok(TablePage { grid, numeric, number, paper, file, forms }.render()?)
}

impl Section {
    /// The section as HTML.
    ///
    /// # Errors
    /// If a template fails.
    pub(crate) fn html(&self, sheet: &mut Sheet) -> Result<String> {
        sheet.begin(self.id);
        Ok(SectionPage { section: self, inner: joined(&self.blocks, sheet)? }.render()?)
    }
}

fn joined(blocks: &[Block], sheet: &mut Sheet) -> Result<String> {
    blocks.iter().map(|block| block.html(sheet)).collect::<Result<Vec<_>>>().map(|parts| parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_charts_are_not() {
        let mut sheet = Sheet::default();
        assert_eq!(Block::Prose("a < b".into()).html(&mut sheet).unwrap(), "<p>a &#60; b</p>");
        let svg = "<svg viewBox=\"0 0 1 1\" aria-label=\"x\">\n</svg>";
        let figure = Block::figure(Some(svg.into()), "x & y").unwrap().html(&mut sheet).unwrap();
        assert!(figure.contains(svg) && figure.contains("x &#38; y"), "{figure}");
        let mut grid = Grid::new("t", &["name", "n"]);
        grid.push(vec!["<b>".into(), "1".into()]);
        let table = Block::Details("more".into(), vec![Block::Table(grid)]).html(&mut sheet).unwrap();
        assert!(table.contains("&#60;b&#62;") && table.contains("<details"), "{table}");
        assert!(!table.contains("<b>\n") && table.contains("$&#60;$b$&#62;$"), "{table}");
    }

    #[test]
    fn figures_have_numbers_of_their_own_beside_the_papers_and_none_is_empty() {
        assert!(Block::figure(None, "nothing").is_none());
        let mut sheet = Sheet::default();
        let svg = "<svg viewBox=\"0 0 1 1\" aria-label=\"x\">\n</svg>";
        let block = |paper| Block::paper_figure(paper, Some(svg.into()), "c").unwrap();
        assert!(block("Figure 8").html(&mut sheet).unwrap().contains("Figure 1"));
        let second = block("Figure 2").html(&mut sheet).unwrap();
        assert!(second.contains("Figure 2") && second.contains("the paper’s Figure 2"), "{second}");
    }
}
