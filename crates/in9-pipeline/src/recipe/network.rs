//! Networks of a recipe: those that it trains, and published ones.

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

use super::nearest::meant;
use super::{Flags, Recipe};

/// One network a view and seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Training {
    /// The name of the dataset that it is trained on.
    pub dataset: PlainName,
    /// An architecture that `in9 list` shows.
    pub arch: PlainName,
    /// What the networks' names begin with; by default the architecture. With a name, another architecture can be put
    /// in its place without a change of what refers to the networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PlainName>,
    /// Views of the dataset, one network each.
    pub views: Vec<PlainName>,
    /// Seeds, one network each; the recipe's seed is added to them.
    #[serde(default = "seed_zero")]
    pub seeds: Vec<u64>,
    /// Part of the networks' names, for trainings that differ in dataset or options only.
    pub tag: Option<PlainName>,
    /// The datasets that the networks are tested on; by default the one that they are trained on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PlainName>,
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
    /// The datasets that it is tested on, where these are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PlainName>,
    /// An architecture that `in9 list` shows.
    pub arch: PlainName,
    /// A file, or a tag of the registry.
    pub weights: String,
    /// Its accuracy on ImageNet in percent, where the registry does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imagenet: Option<f64>,
    /// Flags of `in9 predict`.
    #[serde(default)]
    pub options: Flags,
}

fn seed_zero() -> Vec<u64> {
    vec![0]
}

impl Training {
    /// Name of the network that is trained on `view` with `seed`.
    pub fn network(&self, view: &str, seed: u64) -> String {
        let tag = self.tag.as_ref().map_or(String::new(), |tag| format!("-{tag}"));
        format!("{}-{view}{tag}-s{seed}", self.name.as_ref().unwrap_or(&self.arch))
    }
}

/// One network of a recipe.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    /// Its name in tables.
    pub name: String,
    /// The dataset that it belongs to: of a training, the one that it is trained on.
    pub dataset: &'a PlainName,
    /// The datasets that it is tested on.
    pub tests: Vec<&'a PlainName>,
    /// Where its weights come from.
    pub origin: Origin<'a>,
}

/// Where a network's weights come from.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// From a training on a view with a seed.
    Trained(&'a Training, &'a PlainName, u64),
    /// From others.
    Published(&'a Published),
}

impl Network<'_> {
    /// Whether it is the network of a training on `view` without a tag.
    pub(crate) fn is_plain(&self, view: &str) -> bool {
        matches!(self.origin, Origin::Trained(training, of, _) if training.tag.is_none() && of == view)
    }
}

impl Recipe {
    /// Every network: those of the trainings in the recipe's order, then the published ones.
    pub fn networks(&self) -> Vec<Network<'_>> {
        let tests = |tests: &'_ [PlainName], own| match tests {
            [] => vec![own],
            _ => Vec::new(),
        };
        let mut networks = Vec::new();
        for training in &self.trainings {
            for view in &training.views {
                for &seed in &training.seeds {
                    let mut tested = tests(&training.tests, &training.dataset);
                    tested.extend(&training.tests);
                    networks.push(Network {
                        name: training.network(view, seed),
                        dataset: &training.dataset,
                        tests: tested,
                        origin: Origin::Trained(training, view, seed),
                    });
                }
            }
        }
        for model in &self.models {
            let mut tested = tests(&model.tests, &model.dataset);
            tested.extend(&model.tests);
            networks.push(Network {
                name: model.name.to_string(),
                dataset: &model.dataset,
                tests: tested,
                origin: Origin::Published(model),
            });
        }
        networks
    }

    /// The network that `name` means: its name, or its dataset's and its own with a slash between them where
    /// several have the name. Returns its place in `networks`.
    pub(crate) fn find(networks: &[Network<'_>], name: &str) -> Result<usize, String> {
        let is = |network: &Network| {
            network.name == name || format!("{}/{}", network.dataset, network.name) == name
        };
        let found: Vec<usize> = (0..networks.len()).filter(|at| is(&networks[*at])).collect();
        match found[..] {
            [one] => Ok(one),
            [] => {
                let names: Vec<&str> = networks.iter().map(|n| n.name.as_str()).collect();
                Err(format!("no network is called {name}{}", meant(name, &names)))
            }
            _ => {
                let all: Vec<String> =
                    found.iter().map(|at| format!("{}/{name}", networks[*at].dataset)).collect();
                Err(format!("several networks are called {name}; say {}", all.join(" or ")))
            }
        }
    }
}
