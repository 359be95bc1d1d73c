//! Stages and the graph they form.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// What a stage does; the order is the one in which ready stages are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Render,
    Build,
    Train,
    Predict,
    Probe,
    Score,
    Report,
}

impl Kind {
    /// Whether a stage of this kind makes good use of all cores at once. The others run side by side, each on
    /// its share of the cores, which wastes less than threads that wait for each other.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self, Self::Render | Self::Build | Self::Score | Self::Report)
    }
}

/// A program of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    Data,
    Models,
    Analysis,
    Report,
}

impl Program {
    pub(crate) const ALL: [Self; 4] = [Self::Data, Self::Models, Self::Analysis, Self::Report];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Data => "in9-data",
            Self::Models => "in9-models",
            Self::Analysis => "in9-analysis",
            Self::Report => "in9-report",
        }
    }
}

/// One argument of a stage's command. Paths stay symbolic until the command is run, so that a stage's key
/// does not depend on where the outputs lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arg {
    Text(String),
    /// What the stage writes.
    Output,
    /// What another stage wrote, by its place in [`Graph::stages`].
    Input(usize),
    /// The user's photographs.
    Data,
    /// A file of the user's, such as published weights; its name and contents are part of the stage's key.
    File(PathBuf),
    /// A file of this name and content, written beside the output before the stage runs.
    Spec(String, String),
}

/// One program call with one output, done whole or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    pub(crate) args: Vec<Arg>,
    /// Stages that must be done before, beyond those named in `args`.
    pub(crate) after: Vec<usize>,
    /// File or folder that is written, below the output folder.
    pub(crate) output: PathBuf,
}

impl Stage {
    /// The stages whose outputs this one reads, each once.
    pub(crate) fn inputs(&self) -> Vec<usize> {
        let named =
            self.args.iter().filter_map(|arg| if let Arg::Input(stage) = arg { Some(*stage) } else { None });
        let mut inputs: Vec<_> = named.chain(self.after.iter().copied()).collect();
        inputs.sort_unstable();
        inputs.dedup();
        inputs
    }

    /// The id as the name of a file.
    pub(crate) fn file_name(&self) -> String {
        self.id.replace('/', "~")
    }

    pub(crate) fn reads_data(&self) -> bool {
        self.args.contains(&Arg::Data)
    }

    /// Whether `name` means this stage: its id, its kind, or the beginning of its id up to a slash.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        self.id == name || self.id.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Stages in an order in which each stands behind its inputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    pub(crate) stages: Vec<Stage>,
}

impl Graph {
    /// Adds a stage and returns its place.
    pub(crate) fn add(&mut self, stage: Stage) -> usize {
        debug_assert!(stage.inputs().iter().all(|input| *input < self.stages.len()));
        self.stages.push(stage);
        self.stages.len() - 1
    }

    /// The stages that `name` means.
    pub(crate) fn select(&self, name: &str) -> Result<Vec<usize>> {
        let found: Vec<_> = (0..self.stages.len()).filter(|at| self.stages[*at].matches(name)).collect();
        if found.is_empty() {
            bail!("no stage is called {name}; `cargo xtask status` lists them");
        }
        Ok(found)
    }

    /// `from` and all that depends on them.
    pub(crate) fn downstream(&self, from: &[usize]) -> Vec<usize> {
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
            program: Program::Models,
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
        assert!(graph.select("tra").is_err());
    }

    #[test]
    fn what_depends_on_a_stage_comes_with_it() {
        let graph = diamond();
        assert_eq!(graph.downstream(&[1]), [1, 3]);
        assert_eq!(graph.downstream(&[0]), [0, 1, 2, 3]);
    }
}
