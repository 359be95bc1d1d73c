//! The numbers at the top of the page.

use crate::claims::cells::Cells;
use crate::claims::{Claim, tally};
use crate::context::{Context, Repeated, TestSet};
use crate::page::see;
use in9_analysis::output::number::{count, percent, points};
use in9_analysis::probes::adversarial::Rule;
use in9_analysis::stats::Interval;
use in9_data::View;

/// A number at the top of the page.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    /// Whose it is; empty if it is about all.
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) limits: String,
    pub(crate) label: String,
    /// Further numbers, a line each.
    pub(crate) more: Vec<String>,
}

/// Changes of the recipe that are named at the top.
const MOST_CHANGES: usize = 6;

/// Networks that have a card.
const MOST: usize = 6;

/// One line under the title.
pub(crate) fn subtitle(context: &Context) -> String {
    let sets: Vec<String> = context
        .test_sets()
        .iter()
        .map(|s| format!("{} {} photographs", count(s.foregrounds() as u64), s.split))
        .collect();
    let models = context.frame.models.iter().map(|m| &m.key.model);
    let mut models: Vec<&String> = models.collect();
    models.sort();
    models.dedup();
    let recipe = if context.spec.recipe.is_empty() {
        String::new()
    } else {
        format!("recipe {} · ", context.spec.recipe)
    };
    format!(
        "{recipe}{} · {} · {} network{} · {} classes",
        context.main_dataset(),
        sets.join(", "),
        models.len(),
        if models.len() == 1 { "" } else { "s" },
        context.classes()
    )
}

/// What sets this run apart from the recipe's own, if anything does.
pub(crate) fn notice(context: &Context) -> Option<String> {
    let scale = context.spec.scale.filter(|scale| *scale < 1.0);
    let rehearsal = scale.map(|scale| {
        format!(
            "A rehearsal: {} % of the recipe’s photographs and epochs, so that the numbers say nothing of what the recipe \
             itself would give.",
            share(scale)
        )
    });
    let changes = &context.spec.changed;
    let more = changes.len().saturating_sub(MOST_CHANGES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let some = changes.iter().take(MOST_CHANGES).map(String::as_str).collect::<Vec<_>>().join("; ");
    let changed = (!changes.is_empty()).then(|| format!("Not as the recipe has it: {some}{more}."));
    let all: Vec<String> = rehearsal.into_iter().chain(changed).collect();
    (!all.is_empty()).then(|| format!("{} See “Methods” for each part.", all.join(" ")))
}

/// A share in percent, without digits that say nothing.
pub(crate) fn share(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

/// What must be known before any verdict is read: that networks were trained once.
pub(crate) fn once(context: &Context) -> Option<String> {
    let sets = context.test_sets();
    let set = sets.first()?;
    let most = set.models.iter().map(|(model, _)| set.repeats(&model.key.trained_on).len()).max()?;
    (most == 1).then(|| {
        "One training: each network was trained once, so every verdict is about these networks and may not hold when \
         somebody else trains them."
            .into()
    })
}

/// The explorer's overview of the test set that the page is about.
pub(crate) fn see(context: &Context) -> Option<String> {
    let sets = context.test_sets();
    sets.first().map(|set| see::overview(set.dataset, set.split))
}

/// The cards: one a network, then the adversarial search and the claims.
pub(crate) fn cards(context: &Context, claims: &[Claim]) -> Vec<Card> {
    let sets = context.test_sets();
    let mut cards = Vec::new();
    if let Some(set) = sets.first() {
        let shown: Vec<_> = set.shown(MOST).into_iter().map(|(_, summary)| summary).collect();
        cards.extend(set.grouped(&shown).iter().map(|one| network(context, set, one)));
    }
    cards.extend(vulnerable(context));
    let t = tally(claims);
    if t.judged > 0 {
        let split = sets.first().map_or("", |s| s.split);
        cards.push(Card {
            name: "the paper’s claims".into(),
            value: format!("{} of {}", t.supported, t.judged),
            limits: format!(
                "{} contradicted, {} mixed, {} inconclusive",
                t.contradicted, t.mixed, t.inconclusive
            ),
            label: format!("judged claims supported on {split}"),
            more: Vec::new(),
        });
    }
    cards
}

/// A network, or the mean over all its trainings: its BG-gap, or where it has none its accuracy on the first view, and its
/// accuracies.
fn network(context: &Context, set: &TestSet<'_>, one: &Repeated<'_>) -> Card {
    let summary = one.first();
    let mut name = one.name.clone();
    if summary.key.is_trained_on_view() {
        name = format!("trained on {name}");
    }
    if one.is_several() {
        name = format!("{name}, {} trainings", one.networks.len());
    }
    let mut views = [View::Original, View::MixedSame, View::MixedRand, View::OnlyBgT].to_vec();
    let gap = Cells { context, set }.gap_of(one);
    let (value, limit, label) = match (gap, summary.views.first()) {
        (Some([gap, balanced]), _) => {
            let balanced = format!("{}, balanced {}", limits(&gap, points), points(balanced.value));
            (points(gap.value), balanced, "BG-gap (points)".to_owned())
        }
        (None, Some((view, a))) => {
            views.retain(|v| v != view);
            let limit = if one.is_several() { String::new() } else { limits(&a.accuracy, percent) };
            let mean = one.mean(|m| m.accuracy(*view).map(|a| a.accuracy.value)).unwrap_or(f64::NAN);
            (format!("{} %", percent(mean)), limit, format!("accuracy on {view}"))
        }
        (None, None) => ("–".into(), String::new(), "no answers".into()),
    };
    let accuracy = |view: View| {
        let accuracy = one.mean(|m| m.accuracy(view).map(|a| a.accuracy.value))?;
        Some(format!("{view} {} %", percent(accuracy)))
    };
    Card { name, value, limits: limit, label, more: views.into_iter().filter_map(accuracy).collect() }
}

/// The adversarial search of the first network that was searched, photographs as they are first.
fn vulnerable(context: &Context) -> Option<Card> {
    let main = context.main_dataset();
    let searches = || context.probes.adversarial.iter().map(|(_, s)| s).filter(move |s| s.dataset == main);
    let search = searches().find(|s| s.trained_on == "original").or_else(|| searches().next())?;
    let found = search.rules.iter().find(|r| r.rule == Rule::Targeted)?;
    Some(Card {
        name: if search.trained_on == "original" {
            "trained on original".into()
        } else {
            search.model.clone()
        },
        value: format!("{} %", percent(found.share.value)),
        limits: limits(&found.share, percent),
        label: "of foregrounds have a background that turns the answer into its own class".into(),
        more: Vec::new(),
    })
}

fn limits(i: &Interval, print: fn(f64) -> String) -> String {
    if i.low.is_nan() { String::new() } else { format!("{} to {}", print(i.low), print(i.high)) }
}
