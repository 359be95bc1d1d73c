//! How an interval is judged.

use in9_analysis::stats::Interval;
use serde::Serialize;

/// What the figures say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The whole interval obeys the rule; of a claim, all intervals.
    Supported,
    /// The interval lies on both sides; of a claim, one does and none breaks the rule.
    Inconclusive,
    /// Of a claim: one interval obeys the rule and another breaks it.
    Mixed,
    /// The whole interval breaks the rule; of a claim, one does and none obeys it.
    Contradicted,
}

impl Verdict {
    /// Name in tables and as a CSS class.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Inconclusive => "inconclusive",
            Self::Mixed => "mixed",
            Self::Contradicted => "contradicted",
        }
    }

    /// The verdict over several figures; `None` over none.
    pub(super) fn over(figures: &[Self]) -> Option<Self> {
        let any = |v: Self| figures.contains(&v);
        Some(match (any(Self::Supported), any(Self::Contradicted)) {
            _ if figures.is_empty() => return None,
            (true, true) => Self::Mixed,
            (false, true) => Self::Contradicted,
            (_, false) if any(Self::Inconclusive) => Self::Inconclusive,
            (_, false) => Self::Supported,
        })
    }
}

/// A rule for one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// The number is above this.
    Above(f64),
    /// The number is below this.
    Below(f64),
    /// The number is no further from zero than this.
    Within(f64),
}

impl Rule {
    /// Judges an interval; one without limits (a single measurement) is never decided.
    pub(crate) fn judge(self, i: &Interval) -> Verdict {
        if i.low.is_nan() || i.high.is_nan() {
            return Verdict::Inconclusive;
        }
        let (supported, contradicted) = match self {
            Self::Above(t) => (i.low > t, i.high <= t),
            Self::Below(t) => (i.high < t, i.low >= t),
            Self::Within(m) => (-m <= i.low && i.high <= m, i.low > m || i.high < -m),
        };
        match (supported, contradicted) {
            (true, _) => Verdict::Supported,
            (_, true) => Verdict::Contradicted,
            _ => Verdict::Inconclusive,
        }
    }

    /// The rule in words.
    pub(crate) fn describe(self, unit: &str) -> String {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        match self {
            Self::Above(t) => format!("95 % interval wholly above {t}{unit}").replace('-', "−"),
            Self::Below(t) => format!("95 % interval wholly below {t}{unit}").replace('-', "−"),
            Self::Within(m) => format!("95 % interval wholly within ±{m}{unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_intervals_decide() {
        let i = |low, high| Interval::new((low + high) / 2.0, low, high);
        assert_eq!(Rule::Above(0.0).judge(&i(1.0, 3.0)), Verdict::Supported);
        assert_eq!(Rule::Above(0.0).judge(&i(-1.0, 3.0)), Verdict::Inconclusive);
        assert_eq!(Rule::Above(0.0).judge(&i(-3.0, -1.0)), Verdict::Contradicted);
        assert_eq!(Rule::Below(0.0).judge(&i(-3.0, -1.0)), Verdict::Supported);
        assert_eq!(Rule::Within(5.0).judge(&i(-3.0, 4.0)), Verdict::Supported);
        assert_eq!(Rule::Within(5.0).judge(&i(-3.0, 6.0)), Verdict::Inconclusive);
        assert_eq!(Rule::Within(5.0).judge(&i(6.0, 9.0)), Verdict::Contradicted);
        assert_eq!(Rule::Above(0.0).judge(&i(f64::NAN, 1.0)), Verdict::Inconclusive);
    }

    #[test]
    fn figures_that_disagree_are_mixed() {
        use Verdict::{Contradicted, Inconclusive, Mixed, Supported};
        assert_eq!(Verdict::over(&[Supported, Supported]), Some(Supported));
        assert_eq!(Verdict::over(&[Supported, Inconclusive]), Some(Inconclusive));
        assert_eq!(Verdict::over(&[Inconclusive, Contradicted]), Some(Contradicted));
        assert_eq!(Verdict::over(&[Supported, Inconclusive, Contradicted]), Some(Mixed));
        assert_eq!(Verdict::over(&[]), None);
    }
}
