//! Tables for papers: LaTeX with the package booktabs.

use crate::output::Grid;

impl Grid {
    /// The table as a LaTeX `tabular` with the rules of the package booktabs, its title in a comment before it. Text is
    /// escaped, so that it needs no other package.
    ///
    /// ```
    /// let mut g = in9_analysis::output::Grid::new("Gap, in points", &["model", "BG-gap"]);
    /// g.push(vec!["resnet_50".into(), "−4.8".into()]);
    /// let rows = "\\begin{tabular}{lr}\n\\toprule\nmodel & BG-gap \\\\\n\\midrule\nresnet\\_50 & $-$4.8 \\\\\n\\bottomrule\n";
    /// assert_eq!(g.latex(), format!("% Gap, in points\n{rows}\\end{{tabular}}\n"));
    /// ```
    pub fn latex(&self) -> String {
        let columns: String =
            (0..self.header.len()).map(|c| if self.is_numeric(c) { 'r' } else { 'l' }).collect();
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
            // A bracket after the end of a row would be taken for the row's distance to the next.
            let open = if cells.first().is_some_and(|cell| cell.starts_with('[')) { "{}" } else { "" };
            format!("{open}{} \\\\\n", cells.join(" & "))
        };
        // A title on several lines would end its comment.
        let title: Vec<&str> = self.title.split_whitespace().collect();
        let mut out = format!("% {}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n", title.join(" "));
        out.push_str(&line(&self.header));
        out.push_str("\\midrule\n");
        for row in &self.rows {
            out.push_str(&line(row));
        }
        out.push_str("\\bottomrule\n\\end{tabular}\n");
        out
    }
}

/// Text for LaTeX: what has a meaning there, and what its old engines do not know.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("$<$"),
            '>' => out.push_str("$>$"),
            '−' => out.push_str("$-$"),
            '–' => out.push_str("--"),
            '·' => out.push_str("$\\cdot$"),
            '×' => out.push_str("$\\times$"),
            '±' => out.push_str("$\\pm$"),
            '→' => out.push_str("$\\to$"),
            '↓' => out.push_str("$\\downarrow$"),
            '↑' => out.push_str("$\\uparrow$"),
            '∞' => out.push_str("$\\infty$"),
            'ρ' => out.push_str("$\\rho$"),
            '²' => out.push_str("$^2$"),
            '÷' => out.push_str("$\\div$"),
            '\u{202f}' | '\u{a0}' => out.push_str("\\,"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_cell_is_a_command() {
        assert_eq!(escaped("50 % & {a}_b\\c"), "50 \\% \\& \\{a\\}\\_b\\textbackslash{}c");
        assert_eq!(escaped("ρ = 0.9, L∞, −1 [−2, 0]"), "$\\rho$ = 0.9, L$\\infty$, $-$1 [$-$2, 0]");
        let mut g = Grid::new("two\nlines", &["a"]);
        g.push(vec!["[1]".into()]);
        let text = g.latex();
        assert!(text.starts_with("% two lines\n") && text.contains("\n{}[1] \\\\\n"), "{text}");
    }
}
