//! Verdicts over all claims of the page at once.
//!
//! Each claim can end in three ways but inconclusive. Supported needs every figure to rule out that the claim is false,
//! contradicted every figure to rule out that it is true (with an effect worth its name), mixed one figure of either kind.
//! That all figures of a claim speak is an intersection-union test, whose p-value is the largest; that one of k does costs
//! a factor of k. These p-values of all claims are adjusted together by Holm's method, so that with a probability of at
//! least 95 % no verdict of the page is wrong; the false discovery rate stands beside.

use super::{Claim, Figure, Rule, Verdict, Worth};
use in9_analysis::levels::{power, smallest_shown};
use in9_analysis::stats::{Interval, false_discovery, holm};

/// Probability with which an effect should be shown.
const POWER: f64 = 0.8;

/// Probability that any verdict of the page is wrong.
const ALPHA: f64 = 0.05;

/// Judges all claims of a page; intervals are at `level`.
pub(crate) fn settle(claims: &mut [Claim], level: f64) {
    let hypotheses: usize = claims.iter().map(|c| if c.figures.len() > 1 { 3 } else { 2 }).sum();
    let alpha = ALPHA / hypotheses.max(1) as f64;
    for claim in claims.iter_mut() {
        for figure in &mut claim.figures {
            weigh(figure, claim.limit, claim.worth, level, alpha);
        }
    }
    let mut all = Vec::with_capacity(hypotheses);
    for (at, claim) in claims.iter().enumerate() {
        let [for_all, against_all, mixed] = outcomes(&claim.figures);
        all.extend([(at, Verdict::Supported, for_all), (at, Verdict::Contradicted, against_all)]);
        if claim.figures.len() > 1 {
            all.push((at, Verdict::Mixed, mixed));
        }
    }
    let p: Vec<f64> = all.iter().map(|(_, _, p)| *p).collect();
    let (adjusted, discovered) = (holm(&p), false_discovery(&p));
    for (at, claim) in claims.iter_mut().enumerate() {
        let of = |verdict: Verdict| all.iter().position(|(a, v, _)| *a == at && *v == verdict);
        // Supported first: an effect that is there, if smaller than worth its name, is there.
        let order = [Verdict::Supported, Verdict::Contradicted, Verdict::Mixed];
        let reached =
            order.into_iter().filter_map(|v| Some((v, of(v)?))).find(|(_, i)| adjusted[*i] <= ALPHA);
        let nearest = order.into_iter().filter_map(of).min_by(|a, b| p[*a].total_cmp(&p[*b]));
        claim.verdict = reached.map_or(Verdict::Inconclusive, |(v, _)| v);
        let shown = reached.map(|(_, i)| i).or(nearest);
        claim.p = shown.map_or(1.0, |i| p[i]);
        claim.p_holm = shown.map_or(1.0, |i| adjusted[i]);
        claim.p_discovery = shown.map_or(1.0, |i| discovered[i]);
        let worth_it = claim.figures.iter().filter_map(|f| f.worth);
        claim.small = claim.verdict == Verdict::Supported
            && of(Verdict::Contradicted).is_some_and(|i| adjusted[i] <= ALPHA)
            && worth_it.count() > 0;
    }
}

/// p-values of the three ways in which the figures of a claim can speak: all for it, all against it, some of either.
fn outcomes(figures: &[Figure]) -> [f64; 3] {
    let largest = |of: fn(&Figure) -> f64| figures.iter().map(of).fold(0.0, f64::max);
    let k = figures.len() as f64;
    let mut mixed = 1.0f64;
    for (i, a) in figures.iter().enumerate() {
        for (j, b) in figures.iter().enumerate() {
            if i != j {
                mixed = mixed.min((k * a.tests.p_for.max(b.tests.p_against)).min(1.0));
            }
        }
    }
    [largest(|f| f.tests.p_for), largest(|f| f.tests.p_against), mixed]
}

/// What a figure says, and could have said.
fn weigh(figure: &mut Figure, rule: Rule, worth: Worth, level: f64, alpha: f64) {
    let error = standard_error(&figure.value, level, figure.df());
    figure.shows = error.map(|e| smallest_shown(e, figure.df(), alpha, POWER));
    let enough = match worth {
        Worth::Paper(worth, _) => Some(worth),
        Worth::Shown => figure.shows,
        Worth::Rule => None,
    };
    figure.worth = enough;
    figure.power = match (enough, error, rule) {
        (Some(worth), Some(error), _) => Some(power(worth, error, figure.df(), alpha)),
        // A truth of zero must lie within the margin by both limits.
        (None, Some(error), Rule::Within(m)) => {
            Some((2.0 * power(m, error, figure.df(), alpha) - 1.0).max(0.0))
        }
        _ => None,
    };
    figure.tests = rule.test(&figure.value, level, figure.df(), enough.unwrap_or(f64::NAN));
    let own = 1.0 - level;
    // Without an effect, a figure lies so near to the limit in four of five worlds. One that lies further off is nothing
    // against its claim: where trainings are few, what could have been shown is so much that it is soon ruled out.
    if worth == Worth::Shown && figure.tests.p_for < 2.0 * (1.0 - POWER) {
        figure.tests.p_against = 1.0;
    }
    figure.verdict = match (figure.tests.p_for < own, figure.tests.p_against < own) {
        (true, _) => Verdict::Supported,
        (false, true) => Verdict::Contradicted,
        (false, false) => Verdict::Inconclusive,
    };
}

/// The standard error that an interval was made of; `None` without limits.
fn standard_error(i: &Interval, level: f64, df: f64) -> Option<f64> {
    // The half of a p-value's interval per standard error.
    let per_error = smallest_shown(1.0, df, 1.0 - level, 0.5);
    let error = (i.high - i.low) / 2.0 / per_error;
    error.is_finite().then_some(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::{Measured, Statement};

    const ABOVE: Statement = Statement {
        id: "above",
        statement: "s",
        source: "s",
        published: "p",
        rule: Rule::Above(0.0),
        worth: Worth::Paper(4.0, "half of the paper's"),
        unit: "points",
        needs: "n",
    };

    fn claim(values: &[(f64, f64)]) -> Claim {
        let figure = |(value, error): &(f64, f64)| {
            let half = 1.959_963_984_540_054 * error;
            Measured::from(("f".to_owned(), Interval::new(*value, value - half, value + half)))
        };
        ABOVE.judge("test", values.iter().map(figure).collect::<Vec<_>>()).unwrap()
    }

    fn verdicts(mut claims: Vec<Claim>) -> Vec<Verdict> {
        settle(&mut claims, 0.95);
        claims.iter().map(|c| c.verdict).collect()
    }

    #[test]
    fn every_figure_must_speak_for_and_every_figure_against() {
        use Verdict::{Contradicted, Inconclusive, Mixed, Supported};
        let judged = |values: &[(f64, f64)]| verdicts(vec![claim(values)])[0];
        assert_eq!(judged(&[(5.0, 1.0), (6.0, 1.0)]), Supported);
        assert_eq!(judged(&[(5.0, 1.0), (1.9, 1.0)]), Inconclusive);
        assert_eq!(judged(&[(0.0, 1.0), (-1.0, 1.0)]), Contradicted);
        assert_eq!(judged(&[(0.0, 1.0), (2.0, 1.0)]), Inconclusive);
        assert_eq!(judged(&[(0.0, 1.0), (8.0, 1.0)]), Mixed);
        assert!(ABOVE.judge("test", Vec::<Measured>::new()).is_none());
    }

    #[test]
    fn what_stands_alone_may_not_stand_on_a_page_of_many() {
        let near = || claim(&[(2.1, 1.0)]);
        assert_eq!(verdicts(vec![near()]), [Verdict::Inconclusive], "two hypotheses: 2.1 errors are too few");
        let clear = || claim(&[(3.0, 1.0)]);
        assert_eq!(verdicts(vec![clear()]), [Verdict::Supported]);
        let many: Vec<Claim> = (0..40).map(|_| clear()).collect();
        assert!(verdicts(many).iter().all(|v| *v == Verdict::Inconclusive));
    }

    #[test]
    fn an_effect_that_is_there_but_small_is_called_small() {
        let mut claims = vec![claim(&[(2.0, 0.1)])];
        settle(&mut claims, 0.95);
        assert!(claims[0].verdict == Verdict::Supported && claims[0].small);
        let mut claims = vec![claim(&[(5.0, 0.1)])];
        settle(&mut claims, 0.95);
        assert!(claims[0].verdict == Verdict::Supported && !claims[0].small);
    }

    /// Over three trainings an effect of more than five standard errors is not shown on a page of many; and not ruled out.
    #[test]
    fn what_few_trainings_could_not_have_shown_speaks_neither_for_nor_against() {
        const SHOWN: Statement = Statement { worth: Worth::Shown, ..ABOVE };
        let figure = |value: f64, df: f64| {
            let half = 4.302_652_729_911_275 * 7.2;
            let value = Interval::new(value, value - half, value + half);
            Measured { df, ..Measured::from(("f".to_owned(), value)) }
        };
        let page = |value: f64| {
            let mut claims: Vec<Claim> = (0..20).map(|_| claim(&[(50.0, 1.0)])).collect();
            claims.push(SHOWN.judge("test", vec![figure(value, 2.0)]).unwrap());
            settle(&mut claims, 0.95);
            (claims[20].verdict, claims[20].figures[0].verdict)
        };
        assert_eq!(page(40.8), (Verdict::Inconclusive, Verdict::Supported));
        assert_eq!(page(20.0), (Verdict::Inconclusive, Verdict::Inconclusive));
        assert_eq!(page(5.0).0, Verdict::Contradicted);
    }

    /// Pages of 24 claims whose truth is known, at the limits that are hardest to keep: in at most 5 of 100 pages may any
    /// verdict be wrong.
    #[test]
    fn at_most_one_page_in_twenty_has_a_wrong_verdict() {
        use in9_base::rng::{stream, unit};
        let truths: [&[f64]; 6] = [&[0.0], &[4.0], &[0.0, 0.0], &[4.0, 4.0], &[0.0, 4.0], &[-9.0, 0.0, 4.0]];
        let pages = 1500;
        let wrong = (0..pages).filter(|page| {
            let mut random = stream(3, "pages", *page, 0);
            let mut normal = || (0..12).map(|_| f64::from(unit(&mut random))).sum::<f64>() - 6.0;
            let mut claims: Vec<Claim> = (0..24)
                .map(|at| {
                    // The figures of a claim are measured on the same photographs.
                    let common = normal();
                    let draw =
                        |truth: &f64| (truth + (0.6f64.sqrt() * common) + 0.4f64.sqrt() * normal(), 1.0);
                    claim(&truths[at % 6].iter().map(draw).collect::<Vec<_>>())
                })
                .collect();
            settle(&mut claims, 0.95);
            claims.iter().enumerate().any(|(at, claim)| {
                let truth = truths[at % 6];
                match claim.verdict {
                    Verdict::Supported => truth.iter().any(|t| *t <= 0.0),
                    Verdict::Contradicted => truth.iter().any(|t| *t >= 4.0),
                    Verdict::Mixed => !truth.iter().any(|t| *t > 0.0) || !truth.iter().any(|t| *t < 4.0),
                    Verdict::Inconclusive => false,
                }
            })
        });
        let wrong = wrong.count() as f64 / pages as f64;
        assert!(wrong <= 0.05, "{wrong}");
    }
}
