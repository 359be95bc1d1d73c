//! A matrix of numbers on a colour scale (the paper's Table 5, confusion matrices).

use super::axes::short;
use super::svg::{Anchor, Svg};

/// A matrix with named rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heatmap {
    /// Description for those who cannot see the chart.
    pub(crate) label: String,
    /// Caption of the rows.
    pub(crate) row_axis: String,
    /// Caption of the columns.
    pub(crate) column_axis: String,
    /// Row names, top to bottom.
    pub(crate) rows: Vec<String>,
    /// Column names, left to right.
    pub(crate) columns: Vec<String>,
    /// `values[row][column]`; `None` leaves the cell empty.
    pub(crate) values: Vec<Vec<Option<f64>>>,
    /// Range of the colour scale.
    pub(crate) range: (f64, f64),
    /// Decimals of the printed numbers.
    pub(crate) decimals: usize,
}

impl Heatmap {
    /// The chart as SVG; `None` if there is no value to draw.
    pub(crate) fn svg(&self) -> Option<String> {
        if !self.values.iter().flatten().any(Option::is_some) {
            return None;
        }
        let rows: Vec<String> = self.rows.iter().map(|name| short(name)).collect();
        let longest = |names: &[String]| names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        let left = 34.0 + longest(&rows) as f64 * 7.2;
        let cell = (50.0, 28.0);
        let top = 40.0 + longest(&self.columns) as f64 * 4.4;
        // The last turned column name leans out to the right.
        let lean = longest(&self.columns) as f64 * 5.0;
        let width = left + cell.0 * self.columns.len() as f64 + lean;
        let height = top + cell.1 * self.rows.len() as f64 + 6.0;
        let mut svg = Svg::new(width, height, &self.label);
        svg.text("axis-title", left - 10.0, 14.0, Anchor::End, &self.row_axis);
        svg.text("axis-title", left, 14.0, Anchor::Start, &self.column_axis);
        for (c, name) in self.columns.iter().enumerate() {
            let x = left + cell.0 * (c as f64 + 0.5);
            svg.turned_text("tick", x - 4.0, top - 8.0, Anchor::Start, -35.0, name);
        }
        for (r, name) in rows.iter().enumerate() {
            let y = top + cell.1 * r as f64;
            svg.text("tick", left - 10.0, y + cell.1 / 2.0 + 4.0, Anchor::End, name);
            for (c, value) in self.values[r].iter().enumerate() {
                let x = left + cell.0 * c as f64;
                match value {
                    Some(v) => self.cell(&mut svg, *v, (r, c), (x, y), cell),
                    None => svg.rect("fill:var(--empty)", x + 1.0, y + 1.0, cell.0 - 2.0, cell.1 - 2.0, ""),
                }
            }
        }
        Some(svg.finish())
    }

    fn cell(&self, svg: &mut Svg, v: f64, (r, c): (usize, usize), (x, y): (f64, f64), cell: (f64, f64)) {
        let share = ((v - self.range.0) / (self.range.1 - self.range.0)).clamp(0.0, 1.0);
        let style = format!("fill:color-mix(in oklab, var(--heat) {:.0}%, var(--heat-low))", 100.0 * share);
        let tip = format!("{} → {}: {v:.*}", self.rows[r], self.columns[c], self.decimals.max(1));
        svg.rect(&style, x + 1.0, y + 1.0, cell.0 - 2.0, cell.1 - 2.0, &tip);
        let class = if share > 0.55 { "cell strong" } else { "cell" };
        let text = format!("{v:.*}", self.decimals).replace('-', "−");
        svg.text(class, x + cell.0 / 2.0, y + cell.1 / 2.0 + 4.0, Anchor::Middle, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_cells_hold_no_number() {
        let chart = Heatmap {
            label: "m".into(),
            row_axis: "trained".into(),
            column_axis: "tested".into(),
            rows: vec!["a".into()],
            columns: vec!["x".into(), "y".into()],
            values: vec![vec![Some(97.25), None]],
            range: (0.0, 100.0),
            decimals: 1,
        };
        let svg = chart.svg().unwrap();
        assert!(svg.contains("cell strong") && svg.contains(">97.2<") || svg.contains(">97.3<"));
        assert_eq!(svg.matches("<rect").count(), 2);
    }
}
