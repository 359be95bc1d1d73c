//! What a claim says of its figures, and how a figure speaks for or against it.

use in9_analysis::levels::p_value;
use in9_analysis::stats::Interval;
use serde::Serialize;

/// What the figures say about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// What would make the claim false is ruled out, for every figure.
    Supported,
    /// Neither is ruled out.
    Inconclusive,
    /// Of a claim: supported by one figure and contradicted by another.
    Mixed,
    /// What would make the claim true is ruled out, for every figure.
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

/// How large an effect must be for a claim of a direction to be worth its name: without it nothing could be contradicted
/// but by an effect the other way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Worth {
    /// So much beyond the rule's limit, and where that is from. Usually half of what the paper found.
    Paper(f64, &'static str),
    /// The paper gives no number: what this test set would have shown with a probability of 80 %.
    Shown,
    /// The rule is about being near zero and says itself how near.
    Rule,
}

/// Two-sided p-values of the two hypotheses that a figure can rule out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Tests {
    /// That the claim is false: small values speak for the claim.
    pub(crate) p_for: f64,
    /// That the claim is true, with an effect worth its name: small values speak against it.
    pub(crate) p_against: f64,
}

impl Rule {
    /// Tests the figure `i` (an interval at `level`, with Student's `df`), where an effect is worth its name from `worth`
    /// beyond the rule's limit on.
    pub(crate) fn test(self, i: &Interval, level: f64, df: f64, worth: f64) -> Tests {
        let p = |truth| p_value(i, level, df, truth);
        // A hypothesis on whose side the figure lies is not ruled out by it.
        let above = |limit| if i.value > limit { p(limit) } else { 1.0 };
        let below = |limit| if i.value < limit { p(limit) } else { 1.0 };
        let (p_for, p_against) = match self {
            Self::Above(t) => (above(t), below(t + worth)),
            Self::Below(t) => (below(t), above(t - worth)),
            Self::Within(m) => (above(-m).max(below(m)), above(m).min(below(-m))),
        };
        Tests { p_for, p_against }
    }

    /// The rule in words: what must be ruled out for the claim, and what against it.
    pub(crate) fn describe(self, unit: &str, worth: Option<f64>) -> String {
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        let number = |x: f64| {
            let rounded = (x * 100.0).round() / 100.0;
            format!("{rounded}").replace('-', "−")
        };
        let text = match (self, worth) {
            (Self::Above(t), Some(w)) => {
                format!(
                    "supported if wholly above {}{unit}, contradicted if wholly below {}{unit}",
                    number(t),
                    number(t + w)
                )
            }
            (Self::Below(t), Some(w)) => {
                format!(
                    "supported if wholly below {}{unit}, contradicted if wholly above {}{unit}",
                    number(t),
                    number(t - w)
                )
            }
            (Self::Above(t), None) => format!(
                "supported if wholly above {}{unit}, contradicted if what this test would have shown is ruled out",
                number(t)
            ),
            (Self::Below(t), None) => format!(
                "supported if wholly below {}{unit}, contradicted if what this test would have shown is ruled out",
                number(t)
            ),
            (Self::Within(m), _) => format!(
                "supported if wholly within ±{0}{unit}, contradicted if wholly outside ±{0}{unit}",
                number(m)
            ),
        };
        format!("the figure is {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_speaks_where_its_interval_leaves_the_other_side_out() {
        let i = |low: f64, high: f64| Interval::new((low + high) / 2.0, low, high);
        let test = |rule: Rule, i: Interval| {
            let t = rule.test(&i, 0.95, f64::INFINITY, 4.0);
            (t.p_for < 0.05, t.p_against < 0.05)
        };
        assert_eq!(test(Rule::Above(0.0), i(1.0, 9.0)), (true, false));
        assert_eq!(test(Rule::Above(0.0), i(-1.0, 9.0)), (false, false));
        // Not above 4 means not worth its name, whether it is above 0 or not.
        assert_eq!(test(Rule::Above(0.0), i(-1.0, 3.9)), (false, true));
        assert_eq!(test(Rule::Above(0.0), i(0.1, 3.9)), (true, true));
        assert_eq!(test(Rule::Below(0.0), i(-9.0, -1.0)), (true, false));
        assert_eq!(test(Rule::Below(0.0), i(-3.0, 3.0)), (false, true));
        assert_eq!(test(Rule::Within(5.0), i(-3.0, 4.0)), (true, false));
        assert_eq!(test(Rule::Within(5.0), i(-3.0, 6.0)), (false, false));
        assert_eq!(test(Rule::Within(5.0), i(6.0, 9.0)), (false, true));
        assert_eq!(test(Rule::Within(5.0), i(-9.0, -6.0)), (false, true));
        assert_eq!(test(Rule::Above(0.0), Interval::new(1.0, f64::NAN, f64::NAN)), (false, false));
    }

    /// For and against are mirror images: what supports "above 0, worth 4" contradicts "below 4, worth 4".
    #[test]
    fn the_rule_is_symmetrical() {
        for (low, high) in [(1.0, 9.0), (-1.0, 3.0), (-2.0, 7.0), (0.5, 3.5), (-9.0, -5.0)] {
            let i = Interval::new((low + high) / 2.0, low, high);
            let (a, b) =
                (Rule::Above(0.0).test(&i, 0.95, 9.0, 4.0), Rule::Below(4.0).test(&i, 0.95, 9.0, 4.0));
            assert_eq!((a.p_for, a.p_against), (b.p_against, b.p_for));
        }
    }

    /// The paper's own figures: 15.33 and 14.62 % of 4050 photographs against 11.11 % by chance.
    #[test]
    fn the_papers_leak_is_near_chance_by_half_of_what_only_fg_leaks() {
        for percent in [15.33, 14.62] {
            let right = (percent * 40.5f64).round() as u64;
            let i = in9_analysis::stats::wilson(right, 4050, 0.95).scaled(100.0).shifted(100.0 / 9.0);
            let t = Rule::Within(6.2).test(&i, 0.95, f64::INFINITY, 0.0);
            assert!(t.p_for < 0.001, "{percent}: {t:?}");
        }
    }
}
