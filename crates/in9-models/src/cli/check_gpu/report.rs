//! What was found, as a table and as JSON.

use std::fmt;
use std::path::PathBuf;

use in9_cuda::device::Info;
use serde::Serialize;

/// One comparison.
#[derive(Debug, Serialize)]
struct Comparison {
    what: String,
    way: String,
    /// Of the largest value.
    difference: f64,
    tolerance: f64,
    passed: bool,
}

/// One timing.
#[derive(Debug, Serialize)]
struct Timing {
    what: String,
    way: String,
    /// Median, in milliseconds.
    milliseconds: f64,
    /// In the unit.
    rate: f64,
    unit: String,
    /// Of the card's own limit, where it has one.
    share: Option<f64>,
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    device: String,
    driver: i32,
    cudnn: usize,
    /// What is under way: where a check that was ended stood.
    at: String,
    comparisons: Vec<Comparison>,
    timings: Vec<Timing>,
    notes: Vec<String>,
    /// Where it is written whenever something else begins.
    #[serde(skip)]
    out: Option<PathBuf>,
}

impl Report {
    pub(super) fn new(out: Option<PathBuf>) -> Self {
        Self {
            device: String::new(),
            driver: 0,
            cudnn: 0,
            at: String::new(),
            comparisons: Vec::new(),
            timings: Vec::new(),
            notes: Vec::new(),
            out,
        }
    }

    /// Writes what was found so far, and what begins now.
    pub(super) fn begin(&mut self, what: impl Into<String>) -> anyhow::Result<()> {
        self.at = what.into();
        if let Some(out) = &self.out {
            in9_base::files::write_bytes(out, self.json()?)?;
        }
        Ok(())
    }

    pub(super) fn device(&mut self, info: &Info) {
        self.device = info.to_string();
        (self.driver, self.cudnn) = (info.driver, info.cudnn);
    }

    pub(super) fn compare(&mut self, what: impl Into<String>, way: &str, difference: f64, tolerance: f64) {
        let passed = difference <= tolerance;
        self.comparisons.push(Comparison {
            what: what.into(),
            way: way.to_owned(),
            difference,
            tolerance,
            passed,
        });
    }

    pub(super) fn time(
        &mut self,
        what: impl Into<String>,
        way: &str,
        seconds: f64,
        (rate, unit): (f64, &str),
        limit: Option<f64>,
    ) {
        let share = limit.map(|limit| rate / limit);
        let milliseconds = seconds * 1e3;
        let (what, way, unit) = (what.into(), way.to_owned(), unit.to_owned());
        self.timings.push(Timing { what, way, milliseconds, rate, unit, share });
    }

    /// Something that cannot be compared or timed, and why.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn failures(&self) -> usize {
        self.comparisons.iter().filter(|c| !c.passed).count()
    }

    pub(super) fn passed(&self) -> bool {
        self.failures() == 0
    }

    fn json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.comparisons.is_empty() {
            writeln!(
                f,
                "{:<56} {:>5} {:>10} {:>10}",
                "compared with the processor", "", "off by", "allowed"
            )?;
        }
        for c in &self.comparisons {
            let mark = if c.passed { ' ' } else { '✗' };
            writeln!(f, "{:<56} {:>5} {:>10.1e} {:>10.1e} {mark}", c.what, c.way, c.difference, c.tolerance)?;
        }
        if !self.timings.is_empty() {
            writeln!(f, "{:<40} {:>5} {:>10} {:>22} {:>9}", "speed", "", "ms", "", "of limit")?;
        }
        for t in &self.timings {
            let share = t.share.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
            let rate = format!("{:.0} {}", t.rate, t.unit);
            writeln!(f, "{:<40} {:>5} {:>10.3} {rate:>22} {share:>9}", t.what, t.way, t.milliseconds)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))?;
        let (all, failed) = (self.comparisons.len(), self.failures());
        write!(f, "{} of {all} comparisons agree", all - failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_is_marked_and_counted() {
        let mut report = Report::new(None);
        report.compare("near", "f32", 1e-6, 1e-4);
        report.compare("far", "bf16", f64::INFINITY, 1e-2);
        report.time("copy", "f32", 0.002, (4300.0, "GB/s"), Some(4800.0));
        let text = report.to_string();
        assert!(text.contains("1 of 2 comparisons agree") && text.contains("90 %"), "{text}");
        assert_eq!(text.matches('✗').count(), 1);
        assert!(!report.passed());
        assert!(report.json().unwrap().contains(r#""what": "copy""#));
    }
}
