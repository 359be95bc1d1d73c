//! The list of objections that the inputs leave open.

use crate::claims::Claim;
use crate::context::Context;
use crate::page::{Block, Section};
use in9_data::View;

/// The section, where anything was judged.
pub(crate) fn section(context: &Context, claims: &[Claim]) -> Option<Section> {
    if claims.is_empty() {
        return None;
    }
    let blocks = objections(context, claims).into_iter().map(Block::Prose).collect();
    Some(Section {
        id: "limits",
        title: "Limits".into(),
        lead: "What a referee could still object to.".into(),
        blocks,
    })
}

fn objections(context: &Context, claims: &[Claim]) -> Vec<String> {
    let mut list = Vec::new();
    let once = claims.iter().filter(|c| c.trainings < 2).count();
    if once > 0 {
        list.push(format!(
            "{once} of {} verdicts rest on one training of some network. Their intervals cover the choice of test \
             photographs and backgrounds, not the variation between trainings, and another seed may turn them.",
            claims.len()
        ));
    }
    let few = claims.iter().filter(|c| (2..5).contains(&c.trainings)).count();
    if few > 0 {
        list.push(format!(
            "{few} verdicts rest on two to four trainings of some network. In simulations 95 % intervals over three \
             trainings hold the truth in 93 to 98 % of cases, over two in as few as 88 %."
        ));
    }
    let weak = claims.iter().filter(|c| c.figures.iter().any(|f| f.power.is_some_and(|p| p < 0.8)));
    let weak: Vec<&str> = weak.map(|c| c.id).collect();
    if !weak.is_empty() {
        let mut names = weak.clone();
        names.dedup();
        list.push(format!(
            "This test set could not have shown an effect worth the name with a probability of 80 % for {} claims ({}): \
             where these are inconclusive, that says little.",
            names.len(),
            names.join(", ")
        ));
    }
    let draws = context
        .test_sets()
        .first()
        .is_some_and(|set| set.models.iter().any(|(m, s)| m.view(View::MixedRand).len() > s.foregrounds));
    if !draws {
        list.push(
            "Mixed views were tested with one pairing. What other backgrounds for the same photographs would change is in \
             the intervals, but cannot be told from the photographs' own variation."
                .into(),
        );
    }
    list.push(
        "Trainings differ in their seed only. Another learning rate, augmentation, architecture or number of epochs is \
         another configuration, about which nothing is said; the networks are smaller and shorter trained than the paper's, \
         so agreement with the paper is about directions and not about sizes."
            .into(),
    );
    list.push(
        "Backgrounds are those of other test photographs, so a photograph can be foreground in one composite and background \
         in another. Intervals cover backgrounds that several photographs share, but not this."
            .into(),
    );
    list.push(
        "Margins (what is worth a claim's name, and what is near zero) follow from the paper's own figures where it gives \
         any; half and a quarter of them are this report's choice. With other margins some verdicts would be others; the \
         figures with their intervals do not depend on them."
            .into(),
    );
    list.push(
        "A mask's outline and a pasted object's edge are visible in every composite. The cost of pasting itself is shown \
         beside the BG-gap where it was measured, but a network may treat edges before a foreign background otherwise than \
         before its own."
            .into(),
    );
    if !context.probes.adversarial.is_empty() {
        list.push(
            "How many foregrounds are vulnerable grows with the number of backgrounds tried and with ordinary errors; the \
             shares are comparable between networks of about the same accuracy only."
                .into(),
        );
    }
    if !context.probes.saliency.is_empty() || !context.probes.counterfactual.is_empty() {
        list.push(
            "Probes were run on single trainings, on part of the photographs where a limit was given.".into(),
        );
    }
    if context.spec.dataset.iter().any(|d| d.rho.is_some()) {
        list.push(
            "The toy world is drawn: its objects, scenes and their variety are this project's, and nothing about real \
             photographs follows from a verdict on it. It shows whether a measure finds a truth that is known."
                .into(),
        );
    }
    list
}
