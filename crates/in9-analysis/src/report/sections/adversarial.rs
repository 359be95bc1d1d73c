//! Adversarial backgrounds: Figures 3, 4 and 22 to 29.

use crate::error::Result;
use crate::output::Grid;
use crate::output::number::{count, percent, percent_interval};
use crate::plot::Histogram;
use crate::probes::adversarial::{Rule, Summary};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::report::pictures::data_address;
use crate::report::sections::gallery::{self, Item};
use crate::stats::proportion::wilson;
use in9_data::View;

/// The section, if the probe was run.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let summaries: Vec<&Summary> = context.probes.adversarial.iter().map(|(_, s)| s).collect();
    if summaries.is_empty() {
        return Ok(None);
    }
    let mut blocks = vec![Block::Table(verdicts(context, &summaries))];
    let known = known(context, &summaries);
    if !known.rows.is_empty() {
        blocks.push(Block::Table(known));
    }
    blocks.extend([
        Block::Prose(
            "A foreground that is wrong even on its own tiled background is an ordinary error. Shares grow with the \
             number of backgrounds tried: compare only searches over equally many. Intervals are about the choice of foregrounds and take the backgrounds as they are."
                .into(),
        ),
        Block::Table(cost(&summaries)),
        Block::Prose(
            "A foreground that resists every background is known to resist only when all have been tried, in \
             whatever order: on it nothing can be saved, which bounds every order (the last column). The rows for \
             the foregrounds that fall show what the order is worth; the passes over the backgrounds alone, on \
             which it rests, are counted in full."
                .into(),
        ),
    ]);
    let main = context.main_dataset();
    let whole: Vec<&Summary> =
        summaries.iter().copied().filter(|s| s.exhaustive && s.dataset == main).collect();
    if !whole.is_empty() {
        blocks.push(Block::Columns(whole.iter().map(|s| histogram(s)).collect()));
    }
    for s in whole {
        blocks.push(Block::Table(classes(context, s)));
        blocks.extend(strongest(context, s)?);
    }
    Ok(Some(Section {
        id: "adversarial",
        title: "Adversarial backgrounds".into(),
        lead: "A foreground is vulnerable if some background of the test set makes the answer wrong \
               (untargeted, the challenge's rule), or turns it into the background's class (targeted, the \
               paper's). Paper, IN-9L ResNet-50: 88 % untargeted, 87.5 % targeted."
            .into(),
        blocks,
    }))
}

fn histogram(s: &Summary) -> Block {
    let svg = Histogram {
        label: format!("success rates of backgrounds, trained on {}", s.trained_on),
        x_axis: "targeted success rate of a background (%)".into(),
        y_axis: "backgrounds".into(),
        values: s.rates.iter().map(|r| 100.0 * r).collect(),
        bins: 30,
    };
    Block::figure(
        svg.svg(),
        format!(
            "Figure 4, all classes, network trained on {}: how often each background turns other classes' \
             foregrounds into its own class. The paper's insect backgrounds reach 52 %.",
            s.trained_on
        ),
    )
}

fn verdicts(context: &Context, summaries: &[&Summary]) -> Grid {
    let header = [
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
        "in-9l (paper)".into(),
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
fn known(context: &Context, summaries: &[&Summary]) -> Grid {
    let header = ["trained on", "tested on", "right there", "turned %", "turned to the background's class %"];
    let title = "Without ordinary errors: foregrounds that are right on their own tiled background, and those of them \
                 that some background turns";
    let mut grid = Grid::new(title, &header);
    for s in summaries {
        let Some(own) = s.own else { continue };
        let share = |turned: u64| percent_interval(&wilson(turned, own.right, context.bootstrap.level));
        grid.push(vec![
            s.trained_on.clone(),
            format!("{} {}", s.dataset, s.split),
            format!("{} of {}", own.right, s.foregrounds),
            share(own.turned),
            share(own.turned_to_background),
        ]);
    }
    grid
}

fn cost(summaries: &[&Summary]) -> Grid {
    let header = [
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
            let which = format!("the {} that fall", f.foregrounds);
            push(which, f.foregrounds, [Some(f.official), Some(f.ordered), Some(f.foregrounds as u64)]);
        }
    }
    grid
}

fn classes(context: &Context, s: &Summary) -> Grid {
    // Other taxonomies share a name or two with the paper's, but not the class.
    let same = |c: &&crate::paper::AdversarialClass| context.frame.classes.contains(&c.name);
    let comparable = context.paper.adversarial.class.iter().filter(same).count() == context.classes();
    let mut header = vec!["class of the background", "fooled by any %", "five strongest %"];
    if comparable {
        header.extend(["paper: fooled by any", "paper: five strongest"]);
    }
    let title = format!(
        "By class of the background, network trained on {}: other classes' foregrounds turned into it (the strongest \
         are the largest of many rates, so a new sample of foregrounds would show them lower)",
        s.trained_on
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

/// Pictures of the strongest backgrounds of each class, as in Figures 3 and 22 to 29.
fn strongest(context: &Context, s: &Summary) -> Result<Option<Block>> {
    let Some(test) = context.test_split(&s.split)? else { return Ok(None) };
    let mut items = Vec::new();
    for c in &s.classes {
        let name = context.frame.classes.get(usize::from(c.class)).cloned().unwrap_or_default();
        for (id, rate) in &c.strongest {
            let Some(i) = test.split.find(id) else { continue };
            let Some(rgb) = test.picture(View::OnlyBgT, i) else { continue };
            items.push(Item {
                picture: data_address(&rgb, test.split.size())?,
                caption: format!("{name}: {} %", percent(rate.value)),
            });
        }
    }
    let summary = format!(
        "Figures 3 and 22 to 29: the five strongest backgrounds of each class against the network trained on {}, with their success rates",
        s.trained_on
    );
    Ok(gallery::block(items, test.split.size())?.map(|b| Block::Details(summary, vec![b])))
}
