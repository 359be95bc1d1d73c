//! Datasets of a recipe.

use in9_base::PlainName;
use serde::{Deserialize, Serialize};

use super::Flags;

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
    /// The folder below the user's photographs that it is made of; absent if it is the user's folder itself.
    pub folder: Option<PlainName>,
    /// Whether it is left out, with all that is only about it, where that folder is not there.
    #[serde(default)]
    pub optional: bool,
    /// Nothing is built: networks are tested on the pictures that the release publishes for each view, as they are,
    /// of the photographs of this other dataset, which is the imported release.
    pub pictures_of: Option<PlainName>,
    /// Photographs to be expected of each split, for the estimate of what a run will cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expected>,
    /// Of a toy world: how often an object stands in its own kind of scene, 0 to 1.
    pub rho: Option<f64>,
    /// Further flags of `in9 toy`.
    #[serde(default)]
    pub render: Flags,
    /// Flags of `in9 build`.
    #[serde(default)]
    pub build: Flags,
}

/// How many photographs a dataset is made of and keeps, as far as that is known before it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// Photographs of its classes in the source, each of which is read.
    pub listed: u64,
    /// Training photographs kept.
    #[serde(default)]
    pub train: u64,
    /// Photographs kept in each split that is tested on.
    pub test: u64,
}

impl Dataset {
    /// Whether a classifier of the thousand ImageNet classes can answer in the dataset's.
    pub(super) fn has_imagenet_classes(&self) -> bool {
        let taxonomy = self.build.get("taxonomy").and_then(toml::Value::as_str);
        taxonomy.map_or(&self.source != "toy", |name| name.starts_with("imagenet"))
    }

    /// Whether it will hold photographs without masks and backgrounds, so that only the view `original` is there.
    pub fn photographs_only(&self) -> bool {
        let set = |name: &str| self.build.get(name);
        set("photos-only").and_then(toml::Value::as_bool).unwrap_or(false)
            || set("selection").and_then(toml::Value::as_str).is_some_and(|s| s == "in-9l" || s == "in-9lb")
    }
}
