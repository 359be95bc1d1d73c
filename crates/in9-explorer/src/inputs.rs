//! What there is to explore.

use std::path::{Path, PathBuf};

use in9_base::files;
use serde::Deserialize;

use crate::error::{Error, Result};

/// A list of inputs longer than this is none.
const LONGEST_LIST: u64 = 16 << 20;

/// The files that a collection is read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Title of the page.
    pub title: String,
    /// Folders of datasets with the names that prediction tables give them.
    pub datasets: Vec<(String, PathBuf)>,
    /// Prediction tables.
    pub predictions: Vec<PathBuf>,
    /// Folders of probe outputs.
    pub probes: Vec<PathBuf>,
    /// Name of the dataset that is shown first.
    pub main: Option<String>,
    /// The report's page, if there is one.
    pub report: Option<PathBuf>,
}

/// The part of `report.toml` that the explorer needs.
#[derive(Deserialize)]
struct List {
    #[serde(default)]
    title: String,
    #[serde(default)]
    dataset: Vec<ListedDataset>,
    #[serde(default)]
    predictions: Vec<Listed>,
    #[serde(default)]
    probe: Vec<Listed>,
}

#[derive(Deserialize)]
struct ListedDataset {
    name: String,
    path: PathBuf,
    #[serde(default)]
    main: bool,
}

#[derive(Deserialize)]
struct Listed {
    path: PathBuf,
}

impl Inputs {
    /// Recognises each path by what it holds: the output folder of `reproduce` by its `report.toml`, a dataset by its
    /// `manifest.json`, a probe's output by its `summary.json`, a prediction table by its ending `.csv`.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a path that is none of them, [`Error::Input`] for a list that cannot be understood,
    /// [`Error::File`] for one that cannot be read.
    pub fn find(paths: &[PathBuf]) -> Result<Self> {
        let mut inputs = Self::default();
        for path in paths {
            if path.join("report.toml").exists() {
                inputs.add_list(path)?;
            } else if path.join("manifest.json").exists() {
                inputs.datasets.push((name_of(path), path.clone()));
            } else if path.join("summary.json").exists() {
                inputs.probes.push(path.clone());
            } else if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv")) {
                inputs.predictions.push(path.clone());
            } else {
                return Err(Error::Unknown { path: path.clone() });
            }
        }
        if inputs.title.is_empty() {
            inputs.title = paths.first().map_or_else(String::new, |path| name_of(path));
        }
        Ok(inputs)
    }

    fn add_list(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join("report.toml");
        let text = files::read_text(&path, LONGEST_LIST)?;
        let list: List = toml::from_str(&text).map_err(|e| Error::Input {
            path: path.clone(),
            what: format!("not a list of inputs: {}", e.message().lines().collect::<Vec<_>>().join(" ")),
        })?;
        self.title = list.title;
        for dataset in list.dataset {
            if dataset.main {
                self.main = Some(dataset.name.clone());
            }
            self.datasets.push((dataset.name, folder.join(dataset.path)));
        }
        self.predictions.extend(list.predictions.into_iter().map(|entry| folder.join(entry.path)));
        self.probes.extend(list.probe.into_iter().map(|entry| folder.join(entry.path)));
        let report = folder.join("report/index.html");
        self.report = report.is_file().then_some(report);
        Ok(())
    }
}

fn name_of(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.file_name().map_or_else(|| "photographs".to_owned(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn each_input_is_known_by_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, text) in [
            (
                "out/report.toml",
                "title = \"T\"\nnew = 1\n[[dataset]]\nname = \"d\"\npath = \"data/d\"\nmain = true\n[[predictions]]\npath = \"p.csv\"\n[[probe]]\nkind = \"saliency\"\npath = \"s\"\n",
            ),
            ("out/report/index.html", ""),
            ("world/manifest.json", ""),
            ("probe/summary.json", ""),
            ("more.CSV", ""),
            ("notes.txt", ""),
        ] {
            fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            fs::write(at(name), text).unwrap();
        }
        let inputs = Inputs::find(&[at("out"), at("world"), at("probe"), at("more.CSV")]).unwrap();
        assert_eq!(inputs.title, "T");
        assert_eq!(inputs.main.as_deref(), Some("d"));
        assert_eq!(inputs.datasets, [("d".to_owned(), at("out/data/d")), ("world".to_owned(), at("world"))]);
        assert_eq!(inputs.predictions, [at("out/p.csv"), at("more.CSV")]);
        assert_eq!(inputs.probes, [at("out/s"), at("probe")]);
        assert_eq!(inputs.report, Some(at("out/report/index.html")));
        for unknown in ["notes.txt", "absent"] {
            assert!(matches!(Inputs::find(&[at(unknown)]), Err(Error::Unknown { .. })));
        }
    }
}
