//! What a report's training runs say about themselves in their `run.toml`.

use crate::error::{Error, Result};
use crate::report::spec::RunEntry;
use serde::Deserialize;

/// A training run, as far as the report needs to know it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Name of the network in prediction tables.
    pub model: String,
    /// Architecture.
    pub arch: String,
    /// Name of the data set.
    pub dataset: String,
    /// View that was trained on.
    pub view: String,
    /// Photographs that were trained on.
    pub samples: u64,
    /// Share of the training set that these are, in `0..=1`.
    pub fraction: f64,
    /// Classes that were told apart.
    pub classes: usize,
    /// Whether these are finer than the data set's.
    pub fine: bool,
}

// Only what is used; in9-models knows the rest.
#[derive(Deserialize)]
struct File {
    name: String,
    model: Model,
    data: Data,
}

#[derive(Deserialize)]
struct Model {
    arch: String,
    classes: Vec<String>,
}

#[derive(Deserialize)]
struct Data {
    dataset: String,
    view: String,
    samples: u64,
    fraction: Option<f64>,
    group: Option<u32>,
}

impl Run {
    /// Reads the `run.toml` of an entry; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or holds something else.
    pub fn read(entry: &RunEntry) -> Result<Option<Self>> {
        let path = entry.path.join("run.toml");
        if !path.is_file() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let file: File = toml::from_str(&text).map_err(|e| Error::input(&path, e.message().to_owned()))?;
        Ok(Some(Self {
            model: file.name,
            arch: file.model.arch,
            dataset: file.data.dataset,
            view: file.data.view,
            samples: file.data.samples,
            fraction: file.data.fraction.unwrap_or(1.0),
            classes: file.model.classes.len(),
            fine: file.data.group.unwrap_or(0) > 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_were_left_out_have_their_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let entry = RunEntry { name: "r".into(), path: dir.path().to_owned() };
        assert_eq!(Run::read(&entry).unwrap(), None);
        let text = "name = \"r\"\n[model]\narch = \"a\"\nclasses = [\"x\", \"y\"]\n\
                    [data]\ndataset = \"d\"\nview = \"original\"\nsamples = 7\n";
        std::fs::write(dir.path().join("run.toml"), text).unwrap();
        let run = Run::read(&entry).unwrap().unwrap();
        assert_eq!((run.fraction, run.classes, run.fine, run.samples), (1.0, 2, false, 7));
        std::fs::write(dir.path().join("run.toml"), format!("{text}fraction = 0.25\ngroup = 1\n")).unwrap();
        let run = Run::read(&entry).unwrap().unwrap();
        assert_eq!((run.fraction, run.fine), (0.25, true));
        std::fs::write(dir.path().join("run.toml"), "name = 3").unwrap();
        assert!(Run::read(&entry).unwrap_err().to_string().contains("run.toml"));
    }
}
