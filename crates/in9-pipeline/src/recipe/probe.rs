//! Probes of a recipe.

use std::fmt;

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

use super::Flags;

/// A measurement that runs networks on composites of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Probe {
    /// What is measured.
    pub kind: ProbeKind,
    /// The dataset whose photographs are shown.
    pub dataset: PlainName,
    /// Views of this dataset whose networks are probed: of those without a tag the first, as the recipe orders
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<PlainName>,
    /// Further networks, by their names, trained or published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
    /// Flags of the probe's command.
    #[serde(default)]
    pub options: Flags,
}

/// A kind of [`Probe`], which is also the name of its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProbeKind {
    /// Backgrounds that change the answer (paper, Section 3.3).
    Adversarial,
    /// Where in the picture the answer comes from.
    Saliency,
    /// Changes of the answer when object or background are exchanged.
    Counterfactual,
    /// What errors of the masks do to the gap.
    MaskError,
    /// Accuracy and gap over how objects are pasted.
    Surface,
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adversarial => "adversarial",
            Self::Saliency => "saliency",
            Self::Counterfactual => "counterfactual",
            Self::MaskError => "mask-error",
            Self::Surface => "surface",
        })
    }
}
