//! The numbers at the top of the page.

use crate::claims::{Claim, tally};
use crate::context::Context;
use crate::page::see;
use in9_analysis::output::number::{count, percent, points};
use in9_analysis::probes::adversarial::Rule;
use in9_analysis::stats::Interval;
use in9_data::View;

/// A number at the top of the page.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) value: String,
    pub(crate) limits: String,
    pub(crate) label: String,
}

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
        "{recipe}{} · {} · {} networks · {} classes",
        context.main_dataset(),
        sets.join(", "),
        models.len(),
        context.classes()
    )
}

/// The explorer's overview of the test set that the page is about.
pub(crate) fn see(context: &Context) -> Option<String> {
    let sets = context.test_sets();
    sets.first().map(|set| see::overview(set.dataset, set.split))
}

/// The cards: gaps of the two main networks, accuracy, claims.
pub(crate) fn cards(context: &Context, claims: &[Claim]) -> Vec<Card> {
    let mut cards = Vec::new();
    let sets = context.test_sets();
    if let Some(set) = sets.first() {
        for trained in ["original", "mixed-rand"] {
            let Some((_, summary)) = set.trained_on(trained) else { continue };
            if let Some(gap) = &summary.gap {
                cards.push(Card {
                    value: points(gap.gap.value),
                    limits: format!("{}, balanced {}", limits(&gap.gap, points), points(gap.balanced.value)),
                    label: format!("BG-gap, trained on {trained} (points)"),
                });
            }
        }
        if let Some((_, summary)) = set.trained_on("original") {
            for view in [View::Original, View::OnlyBgT] {
                let Some(a) = summary.accuracy(view) else { continue };
                cards.push(Card {
                    value: format!("{} %", percent(a.accuracy.value)),
                    limits: format!(
                        "{}, balanced {}",
                        limits(&a.accuracy, percent),
                        percent(a.balanced.value)
                    ),
                    label: format!("accuracy on {view}, trained on original"),
                });
            }
        }
    }
    let main = context.main_dataset();
    let mut searches = context.probes.adversarial.iter().map(|(_, s)| s);
    if let Some(s) = searches.find(|s| s.dataset == main && s.trained_on == "original")
        && let Some(found) = s.rules.iter().find(|r| r.rule == Rule::Targeted)
    {
        cards.push(Card {
            value: format!("{} %", percent(found.share.value)),
            limits: limits(&found.share, percent),
            label: "foregrounds with an adversarial background (targeted), trained on original".into(),
        });
    }
    let t = tally(claims);
    if t.judged > 0 {
        let split = sets.first().map_or("", |s| s.split);
        cards.push(Card {
            value: format!("{} of {}", t.supported, t.judged),
            limits: format!(
                "{} contradicted, {} mixed, {} inconclusive",
                t.contradicted, t.mixed, t.inconclusive
            ),
            label: format!("of the paper's claims supported on {split}"),
        });
    }
    cards
}

fn limits(i: &Interval, print: fn(f64) -> String) -> String {
    if i.low.is_nan() { String::new() } else { format!("{} to {}", print(i.low), print(i.high)) }
}
