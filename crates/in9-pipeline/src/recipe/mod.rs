//! Recipes: what a reproduction consists of, as data (`data-manifests/recipes/*.toml`).
//!
//! A recipe names datasets, trainings, published models and probes. Settings that belong to a program are
//! passed on to it as flags, so a recipe never has to know what they mean; the program refuses what it does
//! not know, before anything runs ([`crate::Programs::check`]). Names are checked types: none of them can
//! become a path out of the output folder.

mod check;
mod library;
mod published;

use std::collections::BTreeMap;
use std::fmt;

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

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
    /// What is measured on trained networks beyond their answers.
    #[serde(rename = "probe", default)]
    pub probes: Vec<Probe>,
}

/// Photographs taken apart into one dataset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dataset {
    /// The name by which the recipe's other parts call it.
    pub name: PlainName,
    /// A source of `in9 build`, or `release`.
    pub source: PlainName,
    /// The dataset that the report's tables are about.
    #[serde(default)]
    pub main: bool,
    /// Of a toy world: how often an object stands in its own kind of scene, 0 to 1.
    pub rho: Option<f64>,
    /// Further flags of `in9 toy`.
    #[serde(default)]
    pub render: Flags,
    /// Flags of `in9 build`.
    #[serde(default)]
    pub build: Flags,
}

/// One network a view and seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Training {
    /// The dataset's name.
    pub dataset: PlainName,
    /// An architecture that `in9 list` shows.
    pub arch: PlainName,
    /// Views of the dataset, one network each.
    pub views: Vec<PlainName>,
    /// Seeds, one network each; the recipe's seed is added to them.
    #[serde(default = "seed_zero")]
    pub seeds: Vec<u64>,
    /// Part of the networks' names, for trainings that differ in their options only.
    pub tag: Option<PlainName>,
    /// Flags of `in9 train`.
    #[serde(default)]
    pub options: Flags,
}

/// A network with published weights: only tested.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Published {
    /// Its name in tables and in the report.
    pub name: PlainName,
    /// The dataset that it is tested on.
    pub dataset: PlainName,
    /// An architecture that `in9 list` shows.
    pub arch: PlainName,
    /// A file, or a tag of the registry.
    pub weights: String,
    /// Flags of `in9 predict`.
    #[serde(default)]
    pub options: Flags,
}

/// A measurement that runs trained networks on composites of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Probe {
    /// What is measured.
    pub kind: ProbeKind,
    /// The dataset whose networks are probed.
    pub dataset: PlainName,
    /// The views whose networks are probed: of those without a tag the first, as the recipe orders them.
    pub views: Vec<PlainName>,
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
}

impl fmt::Display for ProbeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adversarial => "adversarial",
            Self::Saliency => "saliency",
            Self::Counterfactual => "counterfactual",
        })
    }
}

fn one_pairing() -> u32 {
    1
}

fn test_only() -> Vec<PlainName> {
    vec!["test".parse().expect("a plain name")]
}

fn seed_zero() -> Vec<u64> {
    vec![0]
}

impl Training {
    /// Name of the network that is trained on `view` with `seed`.
    pub fn network(&self, view: &str, seed: u64) -> String {
        let tag = self.tag.as_ref().map_or(String::new(), |tag| format!("-{tag}"));
        format!("{}-{view}{tag}-s{seed}", self.arch)
    }
}

impl Dataset {
    /// Whether a classifier of the thousand ImageNet classes can answer in the dataset's.
    fn has_imagenet_classes(&self) -> bool {
        let taxonomy = self.build.get("taxonomy").and_then(toml::Value::as_str);
        taxonomy.map_or(&self.source != "toy", |name| name.starts_with("imagenet"))
    }
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
