//! How an interval is judged.

use in9_analysis::stats::Interval;
use serde::Serialize;

/// What the figures say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The whole interval obeys the rule; of a claim, all intervals.
    Seen,
    /// The interval lies on both sides; of a claim, one does and none breaks the rule.
    Undecided,
    /// Of a claim: one interval obeys the rule and another breaks it.
    Mixed,
    /// The whole interval breaks the rule; of a claim, one does and none obeys it.
    NotSeen,
}

impl Verdict {
    /// Name in tables and as a CSS class.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Undecided => "undecided",
            Self::Mixed => "mixed",
            Self::NotSeen => "not-seen",
        }
    }

    /// Name in words.
    pub(crate) fn words(self) -> &'static str {
        if self == Self::NotSeen { "not seen" } else { self.name() }
    }

    /// The verdict over several figures; `None` over none.
    pub(super) fn over(figures: &[Self]) -> Option<Self> {
        let any = |v: Self| figures.contains(&v);
        Some(match (any(Self::Seen), any(Self::NotSeen)) {
            _ if figures.is_empty() => return None,
            (true, true) => Self::Mixed,
            (false, true) => Self::NotSeen,
            (_, false) if any(Self::Undecided) => Self::Undecided,
            (_, false) => Self::Seen,
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
            return Verdict::Undecided;
        }
        let (seen, not_seen) = match self {
            Self::Above(t) => (i.low > t, i.high <= t),
            Self::Below(t) => (i.high < t, i.low >= t),
            Self::Within(m) => (-m <= i.low && i.high <= m, i.low > m || i.high < -m),
        };
        match (seen, not_seen) {
            (true, _) => Verdict::Seen,
            (_, true) => Verdict::NotSeen,
            _ => Verdict::Undecided,
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
        assert_eq!(Rule::Above(0.0).judge(&i(1.0, 3.0)), Verdict::Seen);
        assert_eq!(Rule::Above(0.0).judge(&i(-1.0, 3.0)), Verdict::Undecided);
        assert_eq!(Rule::Above(0.0).judge(&i(-3.0, -1.0)), Verdict::NotSeen);
        assert_eq!(Rule::Below(0.0).judge(&i(-3.0, -1.0)), Verdict::Seen);
        assert_eq!(Rule::Within(5.0).judge(&i(-3.0, 4.0)), Verdict::Seen);
        assert_eq!(Rule::Within(5.0).judge(&i(-3.0, 6.0)), Verdict::Undecided);
        assert_eq!(Rule::Within(5.0).judge(&i(6.0, 9.0)), Verdict::NotSeen);
        assert_eq!(Rule::Above(0.0).judge(&i(f64::NAN, 1.0)), Verdict::Undecided);
    }

    #[test]
    fn figures_that_disagree_are_mixed() {
        use Verdict::{Mixed, NotSeen, Seen, Undecided};
        assert_eq!(Verdict::over(&[Seen, Seen]), Some(Seen));
        assert_eq!(Verdict::over(&[Seen, Undecided]), Some(Undecided));
        assert_eq!(Verdict::over(&[Undecided, NotSeen]), Some(NotSeen));
        assert_eq!(Verdict::over(&[Seen, Undecided, NotSeen]), Some(Mixed));
        assert_eq!(Verdict::over(&[]), None);
    }
}
