//! The lines of a table of labels or boxes, and what is wrong in them: few words are told of many lines.

use std::path::Path;

/// Faults that are told of one table; the others are counted.
const MOST_FAULTS: usize = 1000;

/// Lines of one table that are read; ImageNet has 1.3 million photographs.
const MOST_LINES: usize = 2 << 20;

/// Longest line, in bytes; a hundred boxes take three thousand.
pub(super) const LONGEST_LINE: usize = 1 << 16;

/// Collects the faults of one table.
pub(super) struct Lines<'f> {
    path: &'f Path,
    faults: &'f mut Vec<String>,
    told: usize,
    more: u64,
}

impl<'f> Lines<'f> {
    pub(super) fn of(path: &'f Path, faults: &'f mut Vec<String>) -> Self {
        Self { path, faults, told: 0, more: 0 }
    }

    /// Whether a table goes on with its line `number`, counted from 1: beyond the limit it does not.
    pub(super) fn goes_on(&mut self, number: usize) -> bool {
        if number == MOST_LINES + 1 {
            let path = self.path.display();
            self.faults.push(format!(
                "{path}: too many lines (expected at most {MOST_LINES}, found more); divide the table"
            ));
        }
        number <= MOST_LINES
    }

    /// Whether a line is short enough to be taken apart; one that is not is a fault.
    pub(super) fn fits(&mut self, number: usize, line: &str) -> bool {
        let fits = line.len() <= LONGEST_LINE;
        if !fits {
            let found = line.len();
            self.wrong(number, || {
                format!(
                    "is too long (expected at most {LONGEST_LINE} bytes, found {found}); mend or delete it"
                )
            });
        }
        fits
    }

    /// Notes what is wrong in a line.
    pub(super) fn wrong(&mut self, number: usize, what: impl FnOnce() -> String) {
        if self.told < MOST_FAULTS {
            self.told += 1;
            self.faults.push(format!("{}: line {number} {}", self.path.display(), what()));
        } else {
            self.more += 1;
        }
    }

    /// Ends the table.
    pub(super) fn finish(self) {
        if self.more > 0 {
            let (path, more) = (self.path.display(), self.more);
            self.faults.push(format!("{path}: and {more} more lines make no sense; mend the file"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millions_of_senseless_lines_are_a_thousand_faults_and_a_number() {
        let mut faults = Vec::new();
        let mut lines = Lines::of(Path::new("t.csv"), &mut faults);
        for number in 1..=5000 {
            lines.wrong(number, || "makes no sense".into());
        }
        lines.finish();
        assert_eq!(faults.len(), MOST_FAULTS + 1);
        assert_eq!(faults[0], "t.csv: line 1 makes no sense");
        assert_eq!(faults[MOST_FAULTS], "t.csv: and 4000 more lines make no sense; mend the file");
    }

    #[test]
    fn every_table_stops_at_its_limit_and_passes_over_endless_lines() {
        let path = Path::new("t");
        let ends = |faults: &[String], what: &str| {
            assert!(faults.iter().any(|fault| fault.contains(what)), "{what} not in {faults:?}");
        };
        let long = format!("a,n1{}\n", " 1".repeat(LONGEST_LINE));
        let many = |line: &str| line.repeat(MOST_LINES + 2);
        let mut faults = Vec::new();
        super::super::solution::parse(&format!("head\n{long}{}", many("\n")), path, &mut faults);
        ends(&faults, "line 2 is too long");
        ends(&faults, "too many lines");
        let mut faults = Vec::new();
        super::super::tiny_imagenet::parse(&format!("{long}{}", many("\n")), path, None, &mut faults);
        ends(&faults, "line 1 is too long");
        ends(&faults, "too many lines");
        let mut faults = Vec::new();
        let text = format!("image,x0,y0,x1,y1\n{}", many("a,1,1,1,1\n"));
        let boxes = super::super::folder::parse_boxes(&text, path, &mut faults).unwrap();
        ends(&faults, "too many lines");
        assert!(boxes["a"].len() <= MOST_LINES);
    }
}
