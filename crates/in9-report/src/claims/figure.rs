//! A number that speaks for or against a claim.

use super::{Tests, Verdict};
use in9_analysis::levels::{Components, Estimate};
use in9_analysis::stats::Interval;
use serde::Serialize;

/// A measured number, before it is judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// What was measured.
    pub(crate) label: String,
    /// Its value with a 95 % interval.
    pub(crate) value: Interval,
    /// Student's degrees of freedom of the interval; infinite for a normal one.
    pub(crate) df: f64,
    /// Fewest trainings of any network in it.
    pub(crate) trainings: usize,
    /// Variance by level, where it was taken apart.
    pub(crate) parts: Option<Components>,
    /// Rows of results.json that it was computed from, as JSON pointers.
    pub(crate) rows: Vec<String>,
}

impl From<(String, Interval)> for Measured {
    /// A number about one training of each network.
    fn from((label, value): (String, Interval)) -> Self {
        Self { label, value, df: f64::INFINITY, trainings: 1, parts: None, rows: Vec::new() }
    }
}

impl Measured {
    /// An estimate over trainings with Student's interval at `level`.
    pub(crate) fn of(label: String, estimate: &Estimate, level: f64) -> Self {
        Self {
            label,
            value: estimate.interval(level),
            df: estimate.df,
            trainings: estimate.trainings,
            parts: Some(estimate.parts),
            rows: Vec::new(),
        }
    }

    /// This minus another of other photographs and trainings; the intervals are combined by recovered variances.
    pub(crate) fn minus(&self, other: &Self, label: String) -> Self {
        Self {
            label,
            value: self.value.minus(&other.value),
            df: self.df.min(other.df),
            trainings: self.trainings.min(other.trainings),
            parts: None,
            rows: [&self.rows[..], &other.rows].concat(),
        }
    }

    /// The same, with the rows of results.json that it was computed from.
    pub(crate) fn resting_on(self, rows: Vec<String>) -> Self {
        Self { rows, ..self }
    }

    /// The estimate of a share, in `0..=1`, as percent, with Wilson's interval.
    pub(crate) fn share(label: String, estimate: &Estimate, level: f64) -> Self {
        let value = estimate.share_interval(level).scaled(100.0);
        Self { value, ..Self::of(label, &estimate.scaled(100.0), level) }
    }
}

/// A number with what it says about its claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) label: String,
    /// Its value, in percent, points or as it stands.
    pub(crate) value: Interval,
    /// Unit for printing: `%`, `points` or nothing.
    pub(crate) unit: &'static str,
    /// What it says by itself, as if it stood alone on the page.
    pub(crate) verdict: Verdict,
    /// The p-values behind it.
    #[serde(flatten)]
    pub(crate) tests: Tests,
    /// Degrees of freedom of the interval; absent for a normal one.
    pub(crate) df: Option<f64>,
    /// Fewest trainings of any network in it.
    pub(crate) trainings: usize,
    /// Distance from the rule's limit from which on an effect is worth the claim's name.
    pub(crate) worth: Option<f64>,
    /// The smallest effect that this figure shows with a probability of 80 %, all claims of the page considered.
    pub(crate) shows: Option<f64>,
    /// Probability that an effect worth the claim's name is shown, or that a truth of zero is shown to be near zero.
    pub(crate) power: Option<f64>,
    /// Variance by level, where it was taken apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) variance: Option<Components>,
    /// Rows of this file that it was computed from, as JSON pointers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rows: Vec<String>,
}

impl Figure {
    /// A number that is not judged yet.
    pub(super) fn new(measured: Measured, unit: &'static str) -> Self {
        Self {
            label: measured.label,
            value: measured.value,
            unit,
            verdict: Verdict::Inconclusive,
            tests: Tests { p_for: 1.0, p_against: 1.0 },
            df: measured.df.is_finite().then_some(measured.df),
            trainings: measured.trainings,
            worth: None,
            shows: None,
            power: None,
            variance: measured.parts,
            rows: measured.rows,
        }
    }

    /// Degrees of freedom of the interval.
    pub(crate) fn df(&self) -> f64 {
        self.df.unwrap_or(f64::INFINITY)
    }
}
