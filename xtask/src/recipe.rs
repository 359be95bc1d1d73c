//! Recipes: what a reproduction consists of, as data (`data-manifests/recipes/*.toml`).
//!
//! A recipe names datasets, trainings, published models and probes. Settings that belong to a program are
//! passed on to it as flags, so a recipe never has to know what they mean; the program refuses what it does
//! not know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// Flags of a program: `size = 64` becomes `--size 64`, `fresh-pairings = true` becomes `--fresh-pairings`.
pub(crate) type Flags = BTreeMap<String, toml::Value>;

/// A reproduction: everything between photographs and the report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Recipe {
    /// The report's title.
    pub(crate) title: String,
    /// One sentence on what runs and for how long, printed at the start.
    pub(crate) about: String,
    /// Seeds every random choice that has no seed of its own.
    #[serde(default)]
    pub(crate) seed: u64,
    /// What `--data` must name; absent if the recipe needs no photographs.
    pub(crate) data: Option<String>,
    /// Splits that every model is tested on.
    #[serde(default = "test_only")]
    pub(crate) splits: Vec<String>,
    #[serde(rename = "dataset")]
    pub(crate) datasets: Vec<Dataset>,
    #[serde(rename = "train", default)]
    pub(crate) trainings: Vec<Training>,
    #[serde(rename = "model", default)]
    pub(crate) models: Vec<Published>,
    #[serde(rename = "probe", default)]
    pub(crate) probes: Vec<Probe>,
}

/// Photographs taken apart into one dataset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Dataset {
    pub(crate) name: String,
    /// A source of `in9-data build`, or `release`.
    pub(crate) source: String,
    /// The dataset that the report's tables are about.
    #[serde(default)]
    pub(crate) main: bool,
    /// Of a toy world: how often an object stands in its own kind of scene.
    pub(crate) rho: Option<f64>,
    /// Further flags of `in9-data toy`.
    #[serde(default)]
    pub(crate) render: Flags,
    /// Flags of `in9-data build`.
    #[serde(default)]
    pub(crate) build: Flags,
}

/// One network a view and seed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Training {
    pub(crate) dataset: String,
    pub(crate) arch: String,
    pub(crate) views: Vec<String>,
    #[serde(default = "seed_zero")]
    pub(crate) seeds: Vec<u64>,
    /// Part of the networks' names, for trainings that differ in their options only.
    pub(crate) tag: Option<String>,
    /// Flags of `in9-models train`.
    #[serde(default)]
    pub(crate) options: Flags,
}

/// A network with published weights: only tested.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Published {
    pub(crate) name: String,
    pub(crate) dataset: String,
    pub(crate) arch: String,
    /// A file, or a tag of the registry.
    pub(crate) weights: String,
    /// Flags of `in9-models predict`.
    #[serde(default)]
    pub(crate) options: Flags,
}

/// A measurement that runs trained networks on composites of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Probe {
    /// A sub-command of `in9-analysis`.
    pub(crate) kind: String,
    pub(crate) dataset: String,
    /// The views whose networks are probed: of those without a tag the first, as the recipe orders them.
    pub(crate) views: Vec<String>,
    #[serde(default)]
    pub(crate) options: Flags,
}

fn test_only() -> Vec<String> {
    vec!["test".to_owned()]
}

fn seed_zero() -> Vec<u64> {
    vec![0]
}

impl Training {
    /// Name of the network that is trained on `view` with `seed`.
    pub(crate) fn network(&self, view: &str, seed: u64) -> String {
        let tag = self.tag.as_ref().map_or(String::new(), |tag| format!("-{tag}"));
        format!("{}-{view}{tag}-s{seed}", self.arch)
    }
}

impl Dataset {
    /// Whether a classifier of the thousand ImageNet classes can answer in the dataset's.
    fn has_imagenet_classes(&self) -> bool {
        let taxonomy = self.build.get("taxonomy").and_then(toml::Value::as_str);
        taxonomy.map_or(self.source != "toy", |name| name.starts_with("imagenet"))
    }
}

impl Recipe {
    /// Reads a recipe: the name of one in `data-manifests/recipes`, or a path that ends in `.toml`.
    pub(crate) fn load(name: &str) -> Result<(String, Self)> {
        let path = if Path::new(name).extension().is_some_and(|end| end == "toml") {
            PathBuf::from(name)
        } else {
            Path::new("data-manifests/recipes").join(name).with_extension("toml")
        };
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{}: no such recipe (there are: {})", path.display(), known().join(", "))
        })?;
        let recipe: Self =
            toml::from_str(&text).with_context(|| format!("{}: not a recipe", path.display()))?;
        recipe.check().with_context(|| path.display().to_string())?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).context("a recipe's file needs a name")?;
        Ok((stem.to_owned(), recipe))
    }

    /// Adds a published network, `ARCH=WEIGHTS`, tested on the main dataset at ImageNet's usual size; a path
    /// of weights starts from `here`.
    pub(crate) fn add_model(&mut self, wanted: &str, here: &Path) -> Result<()> {
        let (arch, weights) = wanted.split_once('=').with_context(|| {
            format!(
                "--model {wanted}: not ARCH=WEIGHTS (such as resnet50=imagenet1k-v1 or resnet50=weights.pth)"
            )
        })?;
        ensure!(is_plain(arch), "--model {wanted}: {arch:?} is no architecture; `in9-models list` shows all");
        let dataset = self.datasets.iter().find(|d| d.main).context("a recipe is checked when it is read")?;
        ensure!(
            dataset.has_imagenet_classes(),
            "--model {wanted}: the classes of {} are not classes of ImageNet",
            dataset.name
        );
        let file = here.join(weights);
        // As in9-models tells a file from a tag.
        let looks_like_a_file = weights.contains(std::path::MAIN_SEPARATOR)
            || file.extension().is_some_and(|e| e == "pth" || e == "pt" || e == "safetensors");
        ensure!(file.is_file() || !looks_like_a_file, "--model {wanted}: {} is not there", file.display());
        let (weights, tag) = if file.is_file() {
            (file.to_string_lossy().into_owned(), file.file_stem().unwrap_or_default().to_string_lossy())
        } else {
            (weights.to_owned(), weights.strip_prefix(&format!("{arch}.")).unwrap_or(weights).into())
        };
        let name = format!("{arch}-{tag}").replace(|c: char| !is_plain_char(c), "-");
        ensure!(
            self.models.iter().all(|model| model.name != name),
            "--model {wanted}: the recipe has a network called {name} already"
        );
        self.models.push(Published {
            name,
            dataset: dataset.name.clone(),
            arch: arch.to_owned(),
            weights,
            options: Flags::from([("size".to_owned(), toml::Value::Integer(224))]),
        });
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for dataset in &self.datasets {
            ensure!(names.insert(dataset.name.as_str()), "two datasets are called {}", dataset.name);
            ensure!(
                is_plain(&dataset.name),
                "{}: a name may hold letters, digits, '-', '_' and '.'",
                dataset.name
            );
            ensure!(
                (dataset.source == "toy") == dataset.rho.is_some(),
                "dataset {}: rho belongs to a toy world, and every toy world has one",
                dataset.name
            );
        }
        ensure!(
            self.datasets.iter().filter(|d| d.main).count() == 1,
            "exactly one dataset must be `main = true`"
        );
        let used = self.trainings.iter().map(|t| &t.dataset);
        let used =
            used.chain(self.models.iter().map(|m| &m.dataset)).chain(self.probes.iter().map(|p| &p.dataset));
        for name in used {
            if !names.contains(name.as_str()) {
                bail!("no dataset is called {name}");
            }
        }
        let mut networks = BTreeSet::new();
        for training in &self.trainings {
            let tag = training.tag.as_deref().unwrap_or("plain");
            ensure!(is_plain(tag), "{tag}: a tag may hold letters, digits, '-', '_' and '.'");
            for (view, seed) in training.views.iter().flat_map(|v| training.seeds.iter().map(move |s| (v, s)))
            {
                let name = format!("{}/{}", training.dataset, training.network(view, *seed));
                ensure!(!networks.contains(&name), "two networks are called {name}; give one of them a tag");
                networks.insert(name);
            }
        }
        for probe in &self.probes {
            let plain = self.trainings.iter().filter(|t| t.dataset == probe.dataset && t.tag.is_none());
            for view in &probe.views {
                let trained = plain.clone().any(|t| t.views.contains(view));
                ensure!(trained, "probe {}: nothing is trained on {view} of {}", probe.kind, probe.dataset);
            }
        }
        Ok(())
    }
}

/// Names become parts of paths and of stage names.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_plain_char)
}

fn is_plain_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn known() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("data-manifests/recipes") else { return Vec::new() };
    let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<_> = entries.filter_map(|entry| stem(entry.ok()?.path())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"
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

    fn checked(text: &str) -> Result<Recipe> {
        let recipe: Recipe = toml::from_str(text)?;
        recipe.check()?;
        Ok(recipe)
    }

    #[test]
    fn defaults_are_filled_in() {
        let recipe = checked(SMALL).unwrap();
        assert_eq!(recipe.splits, ["test"]);
        assert_eq!(recipe.trainings[0].seeds, [0]);
    }

    #[test]
    fn mistakes_are_named() {
        for (wrong, said) in [
            (SMALL.replace("[\"original\"]", "[\"original\"]\nepoch = 3"), "unknown field"),
            (SMALL.replace("rho = 0.5", ""), "rho belongs to a toy world"),
            (SMALL.replace("main = true", ""), "exactly one dataset"),
            (SMALL.replace("dataset = \"d\"", "dataset = \"e\""), "no dataset is called e"),
            (SMALL.replace("name = \"d\"", "name = \"../d\""), "a name may hold"),
            (SMALL.replace("views", "tag = \"a b\"\nviews"), "a tag may hold"),
            (
                format!("{SMALL}[[train]]\ndataset=\"d\"\narch=\"resnet-tiny\"\nviews=[\"original\"]"),
                "two networks are called d/resnet-tiny-original-s0",
            ),
            (
                format!("{SMALL}[[probe]]\nkind=\"saliency\"\ndataset=\"d\"\nviews=[\"no-fg\"]"),
                "nothing is trained on no-fg",
            ),
        ] {
            let error = format!("{:#}", checked(&wrong).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_published_network_joins_a_recipe() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("w 1.pth"), "w").unwrap();
        let photographs = SMALL.replace("source = \"toy\"", "source = \"folder\"").replace("rho = 0.5", "");
        let photographs =
            photographs.replace("main = true", "main = true\nbuild = { taxonomy = \"imagenet-9\" }");
        let mut recipe = checked(&photographs).unwrap();
        for model in ["resnet50=w 1.pth", "resnet50=imagenet1k-v1", "resnet50=resnet50.gluon"] {
            recipe.add_model(model, dir.path()).unwrap();
        }
        recipe.check().unwrap();
        let names: Vec<&str> = recipe.models.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["resnet50-w-1", "resnet50-imagenet1k-v1", "resnet50-gluon"]);
        assert_eq!(Path::new(&recipe.models[0].weights), dir.path().join("w 1.pth"));
        assert_eq!(recipe.models[2].weights, "resnet50.gluon");
        for (wrong, said) in [
            ("resnet50", "not ARCH=WEIGHTS"),
            ("../x=w 1.pth", "no architecture"),
            ("resnet50=w 1.pth", "already"),
            ("resnet18=gone.pth", "gone.pth is not there"),
        ] {
            let error = format!("{:#}", recipe.add_model(wrong, dir.path()).unwrap_err());
            assert!(error.contains(said), "{error}");
        }
        let error = checked(SMALL).unwrap().add_model("resnet50=imagenet1k-v1", dir.path()).unwrap_err();
        assert!(error.to_string().contains("classes of ImageNet"), "{error}");
    }

    #[test]
    fn every_committed_recipe_is_valid() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data-manifests/recipes");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            checked(&std::fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|e| panic!("{}: {e:#}", path.display()));
            seen += 1;
        }
        assert!(seen >= 4);
    }
}
