//! What a report is made of: `report.toml`.

use crate::error::{Error, Result};
use in9_base::files;
use in9_data::groups::Grouping;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A list of inputs is no longer than this many bytes.
const LONGEST: u64 = 1 << 20;

/// The list of a report's inputs. Paths are relative to the list itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Title of the page.
    pub title: String,
    /// Name of the recipe that made the inputs.
    #[serde(default)]
    pub recipe: String,
    /// Seed of the bootstrap and of the choice of examples.
    #[serde(default)]
    pub seed: u64,
    /// Share of the recipe's photographs and epochs that a rehearsal used, above 0 and at most 1; absent if all.
    pub scale: Option<f64>,
    /// Further ways in which the recipe was adjusted for this run, one a line.
    #[serde(default)]
    pub changed: Vec<String>,
    /// Data sets.
    #[serde(default)]
    pub dataset: Vec<DatasetEntry>,
    /// Prediction tables.
    #[serde(default)]
    pub predictions: Vec<PathEntry>,
    /// Training runs.
    #[serde(default)]
    pub run: Vec<RunEntry>,
    /// Outputs of the probe commands.
    #[serde(default)]
    pub probe: Vec<ProbeEntry>,
    /// Dataset-size and granularity curves over models of the prediction tables.
    #[serde(default)]
    pub curve: Vec<CurveEntry>,
    /// CSV with columns `model,imagenet`: models to add to the progress plot.
    pub imagenet: Option<PathBuf>,
}

/// A data set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetEntry {
    /// Name as prediction rows give it.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// How often an object stands in its own kind of scene, in `0..=1`, if that is known.
    pub rho: Option<f64>,
    /// Of a toy world, how often an object has the size of its class, in `0..=1`.
    #[serde(default)]
    pub size_leak: f64,
    /// Of a toy world, how often an object stands at the place of its class, in `0..=1`.
    #[serde(default)]
    pub place_leak: f64,
    /// Whether the report's tables are about this one.
    #[serde(default)]
    pub main: bool,
    /// What group each of its test photographs is of, as `in9-analysis score --groups` takes it: a metadata table, or
    /// `backgrounds`.
    pub groups: Option<PathBuf>,
}

impl DatasetEntry {
    /// Whether the boxes of this toy world tell something of the class.
    pub fn leaks(&self) -> bool {
        self.size_leak > 0.0 || self.place_leak > 0.0
    }
}

/// A file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathEntry {
    /// The file.
    pub path: PathBuf,
}

/// A training run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEntry {
    /// Name of the run.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
}

/// A probe's output.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeEntry {
    /// Which probe.
    pub kind: ProbeKind,
    /// Its folder.
    pub path: PathBuf,
}

/// A probe of in9-analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeKind {
    /// Adversarial backgrounds.
    Adversarial,
    /// Saliency maps.
    Saliency,
    /// Counterfactual attribution.
    Counterfactual,
    /// Errors of the masks.
    MaskError,
    /// Sources of masks.
    MaskSources,
    /// Accuracy and gap over how objects are pasted.
    Surface,
    /// What features owe to objects and backgrounds.
    Additivity,
}

impl ProbeKind {
    /// Name in the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adversarial => "adversarial",
            Self::Saliency => "saliency",
            Self::Counterfactual => "counterfactual",
            Self::MaskError => "mask-error",
            Self::MaskSources => "mask-sources",
            Self::Surface => "surface",
            Self::Additivity => "additivity",
        }
    }
}

/// What differs along a curve; everything else is alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CurveKind {
    /// Share of the training photographs (Figure 11).
    Size,
    /// Number of training classes, on all photographs (Figure 10).
    Granularity,
}

/// A curve over models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurveEntry {
    /// What differs along it.
    pub kind: CurveKind,
    /// Its points.
    pub point: Vec<CurvePoint>,
}

/// A point of a curve.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// Place on the horizontal axis: multiple of the training set, or number of training classes.
    pub x: f64,
    /// Name of the model in the prediction tables.
    pub model: String,
}

impl Spec {
    /// Reads a list and makes its paths relative to the current folder.
    ///
    /// # Errors
    /// If the file cannot be read, holds something else, or a number in it is out of its range.
    pub fn load(path: &Path) -> Result<Self> {
        let text = files::read_text(path, LONGEST)?;
        let mut spec: Self = toml::from_str(&text).map_err(|e| Error::toml(path, &e.to_string()))?;
        let base = path.parent().unwrap_or(Path::new(""));
        let tables = |groups: &&mut PathBuf| groups.as_os_str() != Grouping::BACKGROUNDS;
        let groups = spec.dataset.iter_mut().flat_map(|d| &mut d.groups);
        groups.filter(tables).for_each(|table| *table = base.join(&*table));
        let paths = spec.dataset.iter_mut().map(|d| &mut d.path);
        let paths = paths.chain(spec.predictions.iter_mut().map(|p| &mut p.path));
        let paths = paths.chain(spec.run.iter_mut().map(|r| &mut r.path));
        let paths = paths.chain(spec.probe.iter_mut().map(|p| &mut p.path));
        for path in paths.chain(spec.imagenet.iter_mut()) {
            *path = base.join(&*path);
        }
        let out_of_range =
            |what, expected, found| Err(Error::OutOfRange { path: path.to_owned(), what, expected, found });
        if let Some(rho) = spec.dataset.iter().filter_map(|d| d.rho).find(|rho| !(0.0..=1.0).contains(rho)) {
            return out_of_range("rho", "0 to 1", rho);
        }
        let leaks = spec.dataset.iter().flat_map(|d| [d.size_leak, d.place_leak]);
        if let Some(leak) = leaks.into_iter().find(|leak| !(0.0..=1.0).contains(leak)) {
            return out_of_range("leak", "0 to 1", leak);
        }
        let mut places = spec.curve.iter().flat_map(|c| &c.point).map(|p| p.x);
        if let Some(x) = places.find(|x| !(*x > 0.0 && *x <= 1e9)) {
            return out_of_range("x of a curve", "above 0, at most 1e9", x);
        }
        if let Some(scale) = spec.scale.filter(|scale| !(*scale > 0.0 && *scale <= 1.0)) {
            return out_of_range("scale", "above 0, at most 1", scale);
        }
        if spec.predictions.is_empty() {
            return Err(Error::NoPredictions { path: path.to_owned() });
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_list_and_unknown_keys_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.toml");
        std::fs::write(&path, "title = \"t\"\n[[predictions]]\npath = \"p.csv\"\n").unwrap();
        assert_eq!(Spec::load(&path).unwrap().predictions[0].path, dir.path().join("p.csv"));
        std::fs::write(&path, "title = \"t\"\ncolour = 1\n").unwrap();
        let error = Spec::load(&path).unwrap_err().to_string();
        assert!(error.contains("colour") && error.lines().count() == 1, "{error}");
        for rho in ["7", "-0.1", "nan"] {
            let text = format!(
                "title = \"t\"\n[[predictions]]\npath = \"p\"\n[[dataset]]\nname = \"d\"\npath = \"d\"\nrho = {rho}\n"
            );
            std::fs::write(&path, text).unwrap();
            let error = Spec::load(&path).unwrap_err();
            assert!(matches!(error, Error::OutOfRange { what: "rho", .. }), "{rho}: {error}");
        }
        std::fs::write(&path, "title = \"t\"\n").unwrap();
        assert!(Spec::load(&path).unwrap_err().to_string().contains("[[predictions]]"));
    }
}
