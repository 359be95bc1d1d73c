//! Claims about adversarial backgrounds (Figures 3, 4 and 22 to 29).

use super::rates::{spread, tail};
use crate::claims::{Claim, NOT_MEASURED, Rule, Statement, Worth};
use crate::context::Context;
use crate::error::Result;
use in9_analysis::probes::adversarial::summary::ClassSummary;
use in9_analysis::probes::adversarial::write::{read_rates, read_verdicts};
use in9_analysis::probes::adversarial::{Rule as Success, Summary};
use in9_analysis::stats::{Interval, wilson};

/// Claims about the searches on the main data set.
pub(crate) fn claims(context: &Context) -> Result<Vec<Claim>> {
    let main = context.main_dataset();
    let adversarial = |trained: &str| {
        let mut all = context.probes.adversarial.iter();
        all.find(|(_, s)| s.dataset == main && s.trained_on == trained)
    };
    let share = |s: &Summary, rule: Success| s.rules.iter().find(|r| r.rule == rule).map(|r| r.share);
    let (original, mixed) = (adversarial("original"), adversarial("mixed-rand"));
    let mut most = Vec::new();
    let mut less = Vec::new();
    for rule in [Success::Untargeted, Success::Targeted] {
        // Foregrounds that are wrong even on their own background are ordinary errors, which no background made.
        let known = original.and_then(|(_, s)| known(s, rule, context.bootstrap.level));
        let plain = || original.and_then(|(_, s)| share(s, rule).map(|i| (" (ordinary errors included)", i)));
        if let Some((which, share)) = known.or_else(plain) {
            most.push((
                format!("{} vulnerable{which}, trained on original", rule.name()),
                share.scaled(100.0),
            ));
        }
        if let (Some((a, _)), Some((b, _))) = (original, mixed) {
            let first = read_verdicts(&a.join("foregrounds.csv"), rule)?;
            let second = read_verdicts(&b.join("foregrounds.csv"), rule)?;
            let known =
                if first.known && second.known { " of those right on their own background" } else { "" };
            let label = format!("{} vulnerable{known}: original-trained − mixed-rand-trained", rule.name());
            let apart = context.bootstrap.paired("adversarial", &first.fell, &second.fell);
            less.extend(apart.map(|i| (label, i.scaled(100.0))));
        }
    }
    let mut tails = Vec::new();
    if let Some((folder, s)) = original
        && !s.rates.is_empty()
    {
        let named = |what: &str| format!("{what}, trained on original");
        tails.extend(
            tail(&s.rates, &context.bootstrap).map(|i| (named("99th centile ÷ median success rate"), i)),
        );
        let rates = read_rates(&folder.join("backgrounds.csv"), Success::Targeted)?;
        let what = "spread of success rates within classes ÷ that of equally strong backgrounds";
        tails.extend(spread(&rates, &context.bootstrap).map(|i| (named(what), i)));
    }
    let unions = original.map_or_else(Vec::new, |(_, s)| {
        let class = |c: u16| context.frame.classes.get(usize::from(c)).map_or("?", String::as_str);
        let of = |c: &ClassSummary| {
            (format!("fooled by any {} background", class(c.class)), c.fooled_by_any.scaled(100.0))
        };
        s.classes.iter().map(of).collect()
    });
    let judged =
        [MOST.judge("", most), UNIONS.judge("", unions), LESS.judge("", less), TAIL.judge("", tails)];
    Ok(judged.into_iter().flatten().collect())
}

/// Vulnerable foregrounds among those that are right on their own background; `None` unless that was tried.
fn known(s: &Summary, rule: Success, level: f64) -> Option<(&'static str, Interval)> {
    let own = s.own?;
    let turned = match rule {
        Success::Targeted => own.turned_to_background,
        _ => own.turned,
    };
    Some((" of those right on their own background", wilson(turned, own.right, level)))
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 4] = [MOST, UNIONS, LESS, TAIL];

const MOST: Statement = Statement {
    id: "most-foregrounds-vulnerable",
    // A network that ignores backgrounds but errs often is as vulnerable: this is no evidence of reliance by itself.
    statement: "Most foregrounds have a background that fools the network (which alone is no evidence that it leans on backgrounds).",
    source: "section 3.3, Figures 3 and 22 to 29",
    published: "87.5 % targeted, 88 % untargeted (IN-9L ResNet-50)",
    rule: Rule::Above(50.0),
    worth: Worth::Paper(18.8, "half of what the paper's 87.5 % are above 50"),
    unit: "%",
    needs: "the adversarial probe of an original-trained network",
};
const UNIONS: Statement = Statement {
    id: "one-class-fools-most",
    statement: "The backgrounds of a single class together fool most foregrounds of the other classes into it.",
    source: "Figures 3 and 22 to 29",
    published: "53 to 73 %, class by class (IN-9L ResNet-50, 450 backgrounds of each class)",
    rule: Rule::Above(50.0),
    worth: Worth::Paper(7.1, "half of what the mean of the paper's nine classes, 64.1 %, is above 50"),
    unit: "%",
    needs: "the exhaustive adversarial probe of an original-trained network",
};
const LESS: Statement = Statement {
    id: "mixed-rand-less-vulnerable",
    statement: "Training on mixed-rand makes fewer foregrounds vulnerable.",
    source: "follows from section 4",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "the adversarial probe of an original-trained and a mixed-rand-trained network",
};
const TAIL: Statement = Statement {
    id: "few-strong-backgrounds",
    statement: "Success rates have a long tail: a few backgrounds fool many foregrounds.",
    source: "Figure 4",
    published: "a long tail up to 45 %",
    rule: Rule::Above(2.0),
    worth: Worth::Shown,
    unit: "",
    needs: "the exhaustive adversarial probe of an original-trained network",
};
