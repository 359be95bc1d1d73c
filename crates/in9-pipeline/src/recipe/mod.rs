//! Recipes: what a reproduction consists of, as data (`data-manifests/recipes/*.toml`).
//!
//! A recipe names datasets, trainings, published models, probes and curves. Settings that belong to a program are
//! passed on to it as flags, so a recipe never has to know what they mean; the program refuses what it does
//! not know, before anything runs ([`crate::Programs::check`]). Names are checked types: none of them can
//! become a path out of the output folder.

mod adjust;
mod check;
mod cluster;
mod curve;
mod dataset;
mod library;
mod nearest;
mod network;
mod probe;
mod published;

use std::collections::BTreeMap;

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

pub use adjust::Adjustments;
pub(crate) use cluster::seconds;
pub use cluster::{Cluster, Resources};
pub use curve::{Curve, CurveKind, CurvePoint};
pub use dataset::Dataset;
pub use network::{Network, Origin, Published, Training};
pub use probe::{Probe, ProbeKind};

/// Flags of a program: `size = 64` becomes `--size 64`, `fresh-pairings = true` becomes `--fresh-pairings`.
pub type Flags = BTreeMap<String, toml::Value>;

/// A reproduction: everything between photographs and the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recipe {
    /// The report's title.
    pub title: String,
    /// One sentence on what runs and for how long, printed at the start.
    pub about: String,
    /// Seeds every random choice that has no seed of its own.
    #[serde(default)]
    pub seed: u64,
    /// What the photographs must be; absent if the recipe needs none.
    pub data: Option<String>,
    /// Splits that every model is tested on.
    #[serde(default = "test_only")]
    pub splits: Vec<PlainName>,
    /// A rehearsal: the share of the photographs and of the epochs that is used, above 0 and at most 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// How the recipe was adjusted from outside, one change a line; the report shows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Pairings that every network is tested with on the mixed views: the frozen one and further ones.
    #[serde(default = "one_pairing")]
    pub pairings: u32,
    /// The datasets; exactly one is the main one.
    #[serde(rename = "dataset")]
    pub datasets: Vec<Dataset>,
    /// The trainings.
    #[serde(rename = "train", default)]
    pub trainings: Vec<Training>,
    /// Networks with published weights.
    #[serde(rename = "model", default)]
    pub models: Vec<Published>,
    /// What is measured on networks beyond their answers.
    #[serde(rename = "probe", default)]
    pub probes: Vec<Probe>,
    /// Networks that the report joins to a curve.
    #[serde(rename = "curve", default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// What stages are given on a cluster; without effect on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
}

fn one_pairing() -> u32 {
    1
}

fn test_only() -> Vec<PlainName> {
    vec!["test".parse().expect("a plain name")]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::Result;

    pub(crate) const SMALL: &str = r#"
        title = "t"
        about = "a"
        [[dataset]]
        name = "d"
        source = "toy"
        rho = 0.5
        main = true
        [[train]]
        dataset = "d"
        arch = "resnet-tiny"
        views = ["original"]
    "#;

    pub(crate) fn checked(text: &str) -> Result<Recipe> {
        Recipe::parse("small".as_ref(), text)
    }

    #[test]
    fn defaults_are_filled_in() {
        let recipe = checked(SMALL).unwrap();
        assert_eq!(recipe.splits.iter().map(PlainName::as_str).collect::<Vec<_>>(), ["test"]);
        assert_eq!(recipe.trainings[0].seeds, [0]);
    }
}
