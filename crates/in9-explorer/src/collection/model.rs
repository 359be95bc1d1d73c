//! One model on one test set.

use std::collections::BTreeMap;

use in9_analysis::metrics::Category;
use in9_analysis::metrics::ModelSummary;
use in9_analysis::{Foreground, Key, ModelFrame, NO_BACKGROUND, Outcome};
use in9_data::View;

use super::fooling::Fooling;
use super::probe::Effects;
use super::saliency::Saliency;
use super::{Answers, NO_CLASS, Photographs};

/// What is known of a model: its answers, its numbers, and what probes found.
pub(crate) struct Model {
    /// Name in addresses; unique in its test set.
    pub(crate) id: String,
    pub(crate) key: Key,
    /// Answers on each view, in the order of [`View::ALL`].
    pub(crate) answers: [Option<Answers>; View::ALL.len()],
    pub(crate) summary: Option<ModelSummary>,
    pub(crate) effects: Option<Effects>,
    pub(crate) fooling: Option<Fooling>,
    pub(crate) saliency: Option<Saliency>,
}

impl Model {
    /// Answers on a view, if the model was tested on it.
    pub(crate) fn on(&self, view: View) -> Option<&Answers> {
        let at = View::ALL.iter().position(|&v| v == view)?;
        self.answers[at].as_ref()
    }

    /// Whether the first answer to a photograph in a view is right; `None` if it was not tested.
    pub(crate) fn right(&self, view: View, photograph: usize, photographs: &Photographs) -> Option<bool> {
        let answers = self.on(view)?;
        let first = answers.first(photograph)?;
        Some(answers.predicted(first) == photographs.class(photograph))
    }

    /// The category of a photograph, if the model was tested on the three views that tell it.
    pub(crate) fn category(&self, photograph: usize, photographs: &Photographs) -> Option<Category> {
        let [full, foreground, background] = [View::Original, View::MixedRand, View::OnlyBgT]
            .map(|view| self.right(view, photograph, photographs));
        Some(Category::of(full?, foreground?, background?))
    }

    /// The answers in the form that the metrics read.
    pub(crate) fn frame(&self, photographs: &Photographs) -> ModelFrame {
        let tested =
            |&&i: &&u32| self.answers.iter().flatten().any(|answers| answers.first(i as usize).is_some());
        let order: Vec<u32> = photographs.by_id().iter().filter(tested).copied().collect();
        let foregrounds = order
            .iter()
            .map(|&i| Foreground {
                id: photographs.id(i as usize).into(),
                class: photographs.class(i as usize),
            })
            .collect();
        let mut views = BTreeMap::new();
        for (view, answers) in View::ALL.into_iter().zip(&self.answers) {
            let Some(answers) = answers else { continue };
            let outcomes = (0u32..).zip(&order).flat_map(|(foreground, &i)| {
                answers.of(i as usize).map(move |answer| {
                    let predicted = answers.predicted(answer);
                    Outcome {
                        foreground,
                        class: photographs.class(i as usize),
                        predicted: (predicted != NO_CLASS).then_some(predicted),
                        // Here nothing is resampled.
                        background: NO_BACKGROUND,
                        background_class: NO_CLASS,
                    }
                })
            });
            views.insert(view, outcomes.collect::<Vec<_>>());
        }
        ModelFrame { key: self.key.clone(), foregrounds, views }
    }
}
