//! Tables of a search.

use crate::context::Context;
use in9_analysis::output::Grid;
use in9_analysis::output::number::{count, percent, percent_interval};
use in9_analysis::probes::adversarial::{Rule, Summary};
use in9_analysis::stats::wilson;

/// Vulnerable foregrounds by each rule.
pub(super) fn verdicts(context: &Context, summaries: &[&Summary]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "foregrounds",
        "backgrounds",
        "untargeted %",
        "other classes only %",
        "targeted %",
        "challenge accuracy %",
    ];
    let mut grid = Grid::new("Vulnerable foregrounds, with Wilson's 95 % interval", &header);
    for s in summaries {
        let share = |rule: Rule| {
            let found = s.rules.iter().find(|r| r.rule == rule);
            found.map_or("–".into(), |r| percent_interval(&r.share))
        };
        grid.push(vec![
            s.model.clone(),
            s.trained_on.clone(),
            format!("{} {}", s.dataset, s.split),
            s.foregrounds.to_string(),
            s.backgrounds.to_string(),
            share(Rule::Untargeted),
            share(Rule::UntargetedOther),
            share(Rule::Targeted),
            s.challenge_accuracy.map_or("–".into(), |i| percent_interval(&i)),
        ]);
    }
    let published = &context.paper.adversarial;
    let images = context.paper.test_images.to_string();
    grid.push(vec![
        "the paper".into(),
        "in-9l".into(),
        "imagenet-9 test".into(),
        images.clone(),
        images,
        format!("{:.1}", published.untargeted_vulnerable),
        "–".into(),
        format!("{:.1}", published.targeted_vulnerable),
        format!("{:.1}", published.challenge_accuracy_in9l),
    ]);
    grid
}

/// What becomes of the foregrounds that are no ordinary errors.
pub(super) fn known(context: &Context, summaries: &[&Summary]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "right on their own background",
        "fooled %",
        "fooled into the background's class %",
        "a background fools, mean %",
        "random errors alone: fooled %",
        "into the background's class %",
    ];
    let title = "Without ordinary errors: foregrounds that are classified correctly on their own tiled background, and the \
                 share of them that some other background fools";
    let mut grid = Grid::new(title, &header);
    for s in summaries {
        let Some(own) = s.own else { continue };
        let share = |turned: u64| percent_interval(&wilson(turned, own.right, context.bootstrap.level));
        grid.push(vec![
            s.model.clone(),
            s.trained_on.clone(),
            format!("{} {}", s.dataset, s.split),
            format!("{} of {}", own.right, s.foregrounds),
            share(own.turned),
            share(own.turned_to_background),
            s.wrong.map_or("–".into(), percent),
            null(s, 1.0),
            null(s, 1.0 / (context.classes() as f64 - 1.0)),
        ]);
    }
    grid
}

/// Vulnerable foregrounds, in percent, of a network that is wrong on as many composites but at random, whatever the
/// background: a wrong answer is a success with a probability of `each`.
fn null(s: &Summary, each: f64) -> String {
    s.wrong.map_or("–".into(), |wrong| percent(1.0 - (1.0 - wrong * each).powf(s.backgrounds as f64)))
}

/// Forward passes of the search against the official order.
pub(super) fn cost(summaries: &[&Summary]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "foregrounds",
        "every pair",
        "official order",
        "ordered search",
        "least in any order",
        "times fewer than official",
        "at best",
    ];
    let mut grid = Grid::new(
        "Forward passes for the challenge's verdicts: ordered search against the official script's order",
        &header,
    );
    let times = |official: u64, ordered: u64| format!("{:.1}", official as f64 / ordered.max(1) as f64);
    for s in summaries {
        let number = |n: Option<u64>| n.map_or("–".into(), count);
        let ordered = s.ordered_passes.or((!s.exhaustive).then_some(s.passes));
        let mut push = |which: String, foregrounds: usize, passes: [Option<u64>; 3]| {
            let fewer = |than: Option<u64>| match (passes[0], than) {
                (Some(official), Some(other)) => times(official, other),
                _ => "–".into(),
            };
            grid.push(vec![
                s.model.clone(),
                s.trained_on.clone(),
                format!("{} {}", s.dataset, s.split),
                which,
                count((foregrounds * s.backgrounds) as u64),
                number(passes[0]),
                number(passes[1]),
                number(passes[2]),
                fewer(passes[1]),
                fewer(passes[2]),
            ]);
        };
        let all = [s.official_passes, ordered, s.least_passes()];
        push(format!("all {}", s.foregrounds), s.foregrounds, all);
        if let Some(f) = s.fallen {
            let which = format!("the {} vulnerable", f.foregrounds);
            push(which, f.foregrounds, [Some(f.official), Some(f.ordered), Some(f.foregrounds as u64)]);
        }
    }
    grid
}

/// What the backgrounds of each class do.
pub(super) fn classes(context: &Context, s: &Summary, called: &str) -> Grid {
    let comparable = context.has_the_papers_classes();
    let mut header = vec!["class of the background", "fooled by any %", "five strongest %"];
    if comparable {
        header.extend(["paper: fooled by any", "paper: five strongest"]);
    }
    let title = format!(
        "By class of the background, {called}: foregrounds of other classes that it fools into its class \
         (the strongest are the largest of many rates, so on a new sample of foregrounds their rates would be lower)"
    );
    let mut grid = Grid::new(title, &header);
    for c in &s.classes {
        let name = context.frame.classes.get(usize::from(c.class)).cloned().unwrap_or_default();
        let strongest: Vec<String> =
            c.strongest.iter().map(|(_, i)| format!("{:.0}", 100.0 * i.value)).collect();
        let mut row = vec![name.clone(), percent_interval(&c.fooled_by_any), strongest.join(" ")];
        if comparable && let Some(p) = context.paper.adversarial.class.iter().find(|p| p.name == name) {
            let theirs: Vec<String> = p.strongest.iter().rev().map(ToString::to_string).collect();
            row.extend([p.fooled_by_any.to_string(), theirs.join(" ")]);
        }
        grid.push(row);
    }
    grid
}
