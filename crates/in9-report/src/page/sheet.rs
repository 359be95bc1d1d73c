//! Numbers and files of the figures and tables of a page, in the order in which they stand there.

use std::collections::BTreeSet;

use crate::plot::pdf;

/// What counts figures and tables while a page is written, and keeps the files that lie beside it.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    section: &'static str,
    figures: usize,
    tables: usize,
    names: BTreeSet<String>,
    /// Files beside the page by their names: each figure as SVG and PDF, each table as LaTeX, Markdown and CSV.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Sheet {
    /// Begins a section, whose name the names of its files begin with.
    pub(super) fn begin(&mut self, section: &'static str) {
        self.section = section;
    }

    /// Number and name, without its ending, of a figure: the chart as it stands in the page and as a file.
    pub(super) fn figure(&mut self, svg: &str, alone: &str) -> (usize, String) {
        self.figures += 1;
        let label = svg.split("aria-label=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("");
        let name = self.name(&label.replace(", ", " "));
        self.files.push((format!("figures/{name}.svg"), alone.as_bytes().to_vec()));
        self.files.push((format!("figures/{name}.pdf"), pdf(alone)));
        (self.figures, name)
    }

    /// Number and name, without its ending, of a table in forms of (ending, text).
    pub(super) fn table<'a>(
        &mut self,
        title: &str,
        forms: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> (usize, String) {
        self.tables += 1;
        let name = self.name(title);
        for (end, text) in forms {
            self.files.push((format!("tables/{name}.{end}"), text.as_bytes().to_vec()));
        }
        (self.tables, name)
    }

    /// A name for files that no other figure or table has.
    fn name(&mut self, title: &str) -> String {
        let base = format!("{}-{}", self.section, slug(title)).trim_matches('-').to_owned();
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let name = name.unwrap_or(base);
        self.names.insert(name.clone());
        name
    }
}

/// The first words of a title, in letters that are the same in every file system.
fn slug(title: &str) -> String {
    let title = title.split([',', ':', ';', '(']).next().unwrap_or_default().replace('ρ', "rho");
    let words: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let mut slug = String::new();
    for word in words.split_whitespace() {
        if slug.len() + word.len() > 60 {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_words_and_no_two_alike() {
        let mut sheet = Sheet::default();
        sheet.begin("gaps");
        let name = |sheet: &mut Sheet, title: &str| sheet.table(title, std::iter::once(("csv", ""))).1;
        assert_eq!(name(&mut sheet, "BG-gap on test, in points"), "gaps-bg-gap-on-test");
        assert_eq!(name(&mut sheet, "BG-gap on test: again"), "gaps-bg-gap-on-test-2");
        assert_eq!(name(&mut sheet, "../../ρ = 0.9"), "gaps-rho-0-9");
        assert_eq!(name(&mut sheet, "(nothing)"), "gaps");
        let names: Vec<&str> = sheet.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[0], "tables/gaps-bg-gap-on-test.csv");
        let alone = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>";
        assert_eq!(sheet.figure("<svg aria-label=\"a b\"", alone), (1, "gaps-a-b".to_owned()));
        let pdf = sheet.files.iter().find(|(name, _)| name == "figures/gaps-a-b.pdf").unwrap();
        assert!(pdf.1.starts_with(b"%PDF-"));
    }
}
