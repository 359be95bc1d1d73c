//! Stages and the graph they form.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use in9_base::files::Journal;

use crate::error::{Error, Result};

/// What a stage does; the order is the one in which ready stages are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Photographs of a procedural world are drawn.
    Render,
    /// Photographs are taken apart into a dataset.
    Build,
    /// A network is trained.
    Train,
    /// A network answers for every view of a dataset.
    Predict,
    /// A network is measured on composites made for it.
    Probe,
    /// Prediction tables become accuracies and gaps.
    Score,
    /// Everything becomes one report.
    Report,
}

impl Kind {
    /// Whether a stage of this kind makes good use of all cores at once. The others run side by side, each on
    /// its share of the cores, which wastes less than threads that wait for each other.
    pub fn is_wide(self) -> bool {
        matches!(self, Self::Render | Self::Build | Self::Score | Self::Report)
    }

    /// Whether its program runs a network, and so can use a GPU.
    pub fn runs_a_network(self) -> bool {
        matches!(self, Self::Train | Self::Predict | Self::Probe)
    }

    /// Its name in recipes and in what is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Build => "build",
            Self::Train => "train",
            Self::Predict => "predict",
            Self::Probe => "probe",
            Self::Score => "score",
            Self::Report => "report",
        }
    }
}

/// One argument of a stage's command. Paths stay symbolic until the command is run, so that a stage's key
/// does not depend on where the outputs lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arg {
    /// A word as it is.
    Text(String),
    /// What the stage writes.
    Output,
    /// What another stage wrote, by its place in [`Graph::stages`].
    Input(usize),
    /// The user's photographs.
    Data,
    /// A folder below them, by its name.
    DataFolder(String),
    /// A file of the user's, such as published weights; its name and contents are part of the stage's key.
    File(PathBuf),
    /// A file of this name and content, written beside the output before the stage runs.
    Spec(String, String),
    /// A file or folder of the pipeline's own, relative to the output folder: a piece that is to be merged.
    Below(PathBuf),
}

/// One call of a program with one output, done whole or not at all.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its name, parts separated by `/`: `train/world/resnet-tiny-original-s0`.
    pub id: String,
    /// What it does.
    pub kind: Kind,
    /// The command of the program: `train`. It decides which crates' sources the stage depends on.
    pub command: String,
    /// What follows the command.
    pub args: Vec<Arg>,
    /// Stages that must be done before, beyond those named in `args`.
    pub after: Vec<usize>,
    /// File or folder that is written, relative to the output folder.
    pub output: PathBuf,
}

impl Stage {
    /// The stages whose outputs this one reads, each once.
    pub fn inputs(&self) -> Vec<usize> {
        let named =
            self.args.iter().filter_map(|arg| if let Arg::Input(stage) = arg { Some(*stage) } else { None });
        let mut inputs: Vec<_> = named.chain(self.after.iter().copied()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// The name, beside the output, of what its program goes on from when a run was ended, to the same bytes; `None` for
    /// a program that begins again.
    pub(crate) fn resumes_from(&self) -> Option<OsString> {
        let ending = match (self.kind, self.command.as_str()) {
            (Kind::Train, _) => "",
            // A piece is made where it stays.
            (Kind::Build, "build") if self.args.contains(&Arg::Text("--shard".to_owned())) => "",
            (Kind::Build, "build" | "import-release") => ".building",
            (Kind::Predict, "predict") | (Kind::Probe, "adversarial" | "saliency" | "counterfactual") => {
                Journal::ENDING
            }
            _ => return None,
        };
        let mut name = self.output.file_name()?.to_owned();
        name.push(ending);
        Some(name)
    }

    /// What its program may write beside the output: what the names of these files have behind the output's own.
    pub(crate) fn beside(&self) -> &'static [&'static str] {
        let is_piece = self.args.contains(&Arg::Text("--shard".to_owned()));
        match self.command.as_str() {
            // What the answers were measured with; a piece's folder says it itself.
            "predict" if !is_piece => &[".card.toml"],
            _ => &[],
        }
    }

    /// Whether its program goes on from what a run that was ended left behind.
    pub fn resumes(&self) -> bool {
        self.resumes_from().is_some()
    }

    /// Whether its program is told to use a GPU.
    pub(crate) fn is_on_a_gpu(&self) -> bool {
        let device = self.args.iter().skip_while(|arg| **arg != Arg::Text("--device".to_owned())).nth(1);
        matches!(device, Some(Arg::Text(device)) if device.starts_with("cuda"))
    }

    /// Whether it reads the user's photographs.
    pub fn reads_data(&self) -> bool {
        self.args.iter().any(|arg| matches!(arg, Arg::Data | Arg::DataFolder(_)))
    }

    /// Whether `name` means this stage: its id, its kind, or the beginning of its id up to a slash.
    pub fn matches(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        self.id == name || self.id.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
    }

    /// A file about this stage in `folder`, such as its log.
    pub(crate) fn file_in(&self, folder: &Path, ending: &str) -> PathBuf {
        folder.join(format!("{}.{ending}", self.id.replace('/', "~")))
    }
}

/// Stages in an order in which each stands behind its inputs.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The stages.
    pub stages: Vec<Stage>,
}

impl Graph {
    /// Adds a stage and returns its place.
    pub fn add(&mut self, stage: Stage) -> usize {
        debug_assert!(stage.inputs().iter().all(|input| *input < self.stages.len()));
        self.stages.push(stage);
        self.stages.len() - 1
    }

    /// The stages that `name` means.
    ///
    /// # Errors
    /// [`Error::NoSuchStage`] if there is none.
    pub fn select(&self, name: &str) -> Result<Vec<usize>> {
        let found: Vec<_> = (0..self.stages.len()).filter(|at| self.stages[*at].matches(name)).collect();
        if found.is_empty() {
            let step = (self.stages.len() / 3).max(1);
            let examples = self.stages.iter().step_by(step).map(|stage| stage.id.clone()).collect();
            return Err(Error::NoSuchStage { name: name.to_owned(), examples });
        }
        Ok(found)
    }

    /// `from` and all that depends on them.
    pub fn downstream(&self, from: &[usize]) -> Vec<usize> {
        let mut reached = vec![false; self.stages.len()];
        for at in 0..self.stages.len() {
            reached[at] = from.contains(&at) || self.stages[at].inputs().iter().any(|input| reached[*input]);
        }
        (0..reached.len()).filter(|at| reached[*at]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(id: &str, inputs: &[usize]) -> Stage {
        Stage {
            id: id.to_owned(),
            kind: Kind::Train,
            command: "train".to_owned(),
            args: inputs.iter().map(|input| Arg::Input(*input)).collect(),
            after: Vec::new(),
            output: PathBuf::from(id),
        }
    }

    fn diamond() -> Graph {
        let mut graph = Graph::default();
        for (id, inputs) in
            [("build/a", &[][..]), ("train/a/x", &[0]), ("train/a/y", &[0]), ("report", &[1, 2])]
        {
            graph.add(stage(id, inputs));
        }
        graph
    }

    #[test]
    fn stages_are_found_by_id_kind_and_folder() {
        let graph = diamond();
        assert_eq!(graph.select("train").unwrap(), [1, 2]);
        assert_eq!(graph.select("train/a/").unwrap(), [1, 2]);
        assert_eq!(graph.select("train/a/y").unwrap(), [2]);
        let error = graph.select("tra").unwrap_err().to_string();
        assert!(error.starts_with("no stage is called tra ") && error.contains("build/a"), "{error}");
    }

    #[test]
    fn what_depends_on_a_stage_comes_with_it() {
        let graph = diamond();
        assert_eq!(graph.downstream(&[1]), [1, 3]);
        assert_eq!(graph.downstream(&[0]), [0, 1, 2, 3]);
    }
}
