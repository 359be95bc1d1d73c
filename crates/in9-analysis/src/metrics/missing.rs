//! What a model's predictions do not give, and what it would take.

use crate::frame::ModelFrame;
use in9_data::View;
use serde::Serialize;
use std::collections::BTreeSet;

/// A figure that cannot be computed from a model's predictions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The figure's name.
    pub figure: &'static str,
    /// Why it is missing.
    pub reason: Reason,
}

/// Why a figure cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The model was not tested on these views.
    NotTestedOn(Vec<View>),
    /// The views were tested on different photographs, so that nothing can be paired.
    NoForegroundShared(Vec<View>),
    /// One photograph says nothing about how others would vary.
    OneForeground,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let listed = |views: &[View]| views.iter().map(|v| v.name()).collect::<Vec<_>>().join(", ");
        let figure = self.figure;
        match &self.reason {
            Reason::NotTestedOn(views) => write!(f, "{figure}: needs predictions on {}", listed(views)),
            Reason::NoForegroundShared(views) => {
                write!(
                    f,
                    "{figure}: {} share no foreground; test them on the same photographs",
                    listed(views)
                )
            }
            Reason::OneForeground => {
                write!(f, "{figure}: one photograph gives none; test on more")
            }
        }
    }
}

/// The figures that `model`'s predictions do not give.
pub fn missing(model: &ModelFrame) -> Vec<Missing> {
    let figures: [(&str, &[View]); 2] = [
        ("BG-gap", &[View::MixedSame, View::MixedRand]),
        ("categories", &[View::Original, View::MixedRand, View::OnlyBgT]),
    ];
    let mut missing = Vec::new();
    for (figure, needed) in figures {
        let absent: Vec<View> = needed.iter().copied().filter(|v| model.view(*v).is_empty()).collect();
        if !absent.is_empty() {
            missing.push(Missing { figure, reason: Reason::NotTestedOn(absent) });
        } else if !share_a_foreground(model, needed) {
            missing.push(Missing { figure, reason: Reason::NoForegroundShared(needed.to_vec()) });
        }
    }
    if model.foregrounds.len() == 1 {
        missing.push(Missing { figure: "intervals of differences", reason: Reason::OneForeground });
    }
    missing
}

fn share_a_foreground(model: &ModelFrame, views: &[View]) -> bool {
    let tested = |view: &View| model.view(*view).iter().map(|o| o.foreground).collect::<BTreeSet<u32>>();
    let mut views = views.iter().map(tested);
    let Some(first) = views.next() else { return false };
    let rest: Vec<_> = views.collect();
    first.iter().any(|f| rest.iter().all(|other| other.contains(f)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;

    #[test]
    fn what_is_not_there_is_named_with_what_it_needs() {
        let text = |rows: &[(&str, u16, View, u16)]| -> Vec<String> {
            missing(&frame(2, rows).models[0]).iter().map(ToString::to_string).collect()
        };
        let (a, b) = (("a", 0, View::MixedRand, 0), ("b", 1, View::MixedRand, 0));
        assert_eq!(
            text(&[a, b]),
            [
                "BG-gap: needs predictions on mixed-same",
                "categories: needs predictions on original, only-bg-t"
            ]
        );
        let apart =
            [a, ("b", 1, View::MixedSame, 1), ("b", 1, View::Original, 1), ("b", 1, View::OnlyBgT, 1)];
        assert_eq!(
            text(&apart),
            [
                "BG-gap: mixed-same, mixed-rand share no foreground; test them on the same photographs",
                "categories: original, mixed-rand, only-bg-t share no foreground; test them on the same photographs"
            ]
        );
        let alone =
            [a, ("a", 0, View::MixedSame, 0), ("a", 0, View::Original, 0), ("a", 0, View::OnlyBgT, 0)];
        assert_eq!(text(&alone), ["intervals of differences: one photograph gives none; test on more"]);
    }
}
