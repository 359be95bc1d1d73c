//! A table of texts that can be printed aligned or as CSV.

/// A table: a title, a header and rows of the header's length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// What the table shows, with the unit of its numbers.
    pub title: String,
    /// Column names.
    pub header: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    /// An empty table.
    pub fn new(title: impl Into<String>, header: &[&str]) -> Self {
        let header = header.iter().map(|h| (*h).to_owned()).collect();
        Self { title: title.into(), header, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.header.len());
        self.rows.push(row);
    }

    /// Whether a column holds numbers (in every cell that is not empty or a dash).
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|r| r[column].as_str()).filter(|c| !matches!(*c, "" | "–"));
        let numeric = |c: &str| {
            c.trim_start_matches(['+', '−', '-', '<', ' ']).starts_with(|d: char| d.is_ascii_digit())
        };
        let mut any = false;
        cells.all(|c| {
            any = true;
            numeric(c)
        }) && any
    }

    /// The table in Markdown with aligned columns, numbers to the right.
    ///
    /// ```
    /// let mut g = in9_analysis::output::Grid::new("Gap", &["model", "gap"]);
    /// g.push(vec!["a".into(), "13.5".into()]);
    /// assert_eq!(g.markdown(), "Gap\n\n| model |  gap |\n|-------|-----:|\n| a     | 13.5 |\n");
    /// ```
    pub fn markdown(&self) -> String {
        let columns = self.header.len();
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                let cells = self.rows.iter().map(|r| &r[c]).chain([&self.header[c]]);
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
            })
            .collect();
        let right: Vec<bool> = (0..columns).map(|c| self.is_numeric(c)).collect();
        let line = |cells: &[String]| {
            let padded: Vec<String> = cells
                .iter()
                .enumerate()
                .map(|(c, cell)| {
                    let width = widths[c];
                    if right[c] { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                })
                .collect();
            format!("| {} |\n", padded.join(" | "))
        };
        let rule: Vec<String> =
            (0..columns)
                .map(|c| {
                    if right[c] {
                        format!("{}:", "-".repeat(widths[c] + 1))
                    } else {
                        "-".repeat(widths[c] + 2)
                    }
                })
                .collect();
        let mut out = format!("{}\n\n{}|{}|\n", self.title, line(&self.header), rule.join("|"));
        for row in &self.rows {
            out.push_str(&line(row));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_right_and_texts_left() {
        let mut g = Grid::new("t", &["name", "x"]);
        g.push(vec!["a".into(), "+1.0 [0.5, 1.5]".into()]);
        g.push(vec!["bb".into(), "–".into()]);
        assert!(!g.is_numeric(0) && g.is_numeric(1));
        let text = g.markdown();
        assert!(text.contains("| bb   |               – |"), "{text}");
    }
}
