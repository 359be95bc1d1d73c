//! What can go wrong in a run, sorted by who is at fault.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. Each prints as one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the recipe ----
    /// There is no recipe of this name.
    #[error("{name}: no such recipe (there are: {}; or name a file that ends in .toml)", known.join(", "))]
    NoSuchRecipe {
        /// What was asked for.
        name: String,
        /// The recipes that come with this crate.
        known: Vec<&'static str>,
    },
    /// A recipe's file is no recipe.
    #[error("{}: not a recipe: {}", path.display(), one_line(&source.to_string()))]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        source: Box<toml::de::Error>,
    },
    /// A recipe contradicts itself, or names what is not there.
    #[error("recipe {recipe}: {what}")]
    Recipe {
        /// The recipe's name.
        recipe: String,
        /// What is wrong with it.
        what: String,
    },
    /// A program refuses the arguments that the recipe gives to a stage.
    #[error("{stage}: {what}")]
    Arguments {
        /// The stage.
        stage: String,
        /// What the program said.
        what: String,
    },

    // ---- what the caller asked for ----
    /// The recipe needs photographs and was given none.
    #[error("recipe {recipe} needs photographs: {wanted}")]
    NeedsData {
        /// The recipe's name.
        recipe: String,
        /// What the photographs must be.
        wanted: String,
    },
    /// Photographs and outputs lie in one another.
    #[error("the photographs ({}) and the output ({}) lie in one another; choose another place for the output", data.display(), out.display())]
    DataInOutput {
        /// The folder of photographs.
        data: PathBuf,
        /// The output folder.
        out: PathBuf,
    },
    /// A further model that cannot join the recipe.
    #[error("model {wanted}: {what}")]
    Model {
        /// The model as it was given.
        wanted: String,
        /// Why it cannot join.
        what: String,
    },
    /// No stage has this name.
    #[error("no stage is called {name} (there are, for example: {})", examples.join(", "))]
    NoSuchStage {
        /// What was asked for.
        name: String,
        /// Some stages that there are.
        examples: Vec<String>,
    },
    /// A selected stage reads what is not done and not selected.
    #[error("{stage} needs {input}, which is not done; run that first")]
    InputNotDone {
        /// The selected stage.
        stage: String,
        /// What it reads.
        input: String,
    },
    /// Pieces are to be joined, and some are not done.
    #[error("{stage}: of {of} pieces {} are not done: {}", missing.len(), in9_base::piece::numbers(missing))]
    PiecesMissing {
        /// The stage.
        stage: String,
        /// The numbers of the missing pieces, ascending.
        missing: Vec<u32>,
        /// How many pieces there are.
        of: u32,
    },
    /// Something that this program did not write stands where a stage would write.
    #[error("{}: stands where {stage} would write, and no run wrote it; nothing was changed: move it away or choose another place for the output", path.display())]
    NotOurs {
        /// What is in the way.
        path: PathBuf,
        /// The stage that would write there.
        stage: String,
    },

    /// The note that says what a stage has written is damaged, so that nobody knows whose its output is.
    #[error("{}: a damaged stamp: nobody knows what of {} a run has written; nothing was changed: move both away, and the same command makes the output again", stamp.display(), output.display())]
    DamagedStamp {
        /// The stamp.
        stamp: PathBuf,
        /// The output that it was of.
        output: PathBuf,
    },

    // ---- the programs ----
    /// A program cannot be started.
    #[error("{}: cannot be started: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A program does not tell what a command was made from.
    #[error("{}: does not tell what its command {command} was built from; it is no `in9` of this version, or was built without a feature that this needs", program.display())]
    NoIdentity {
        /// The program.
        program: PathBuf,
        /// The command.
        command: String,
    },
    /// A stage's program ended with an error.
    #[error("{said} ({status}; the whole log: {})", log.display())]
    Failed {
        /// The last thing that it said.
        said: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Everything that it said.
        log: PathBuf,
    },
    /// A stage's program ended well and its output is not there.
    #[error("its program ended well and wrote nothing to {}", path.display())]
    NoOutput {
        /// Where the output should be.
        path: PathBuf,
    },
    /// A process of an earlier run still writes the same output.
    #[error("{}: a process of an earlier run is still writing; end it first", log.display())]
    StillRunning {
        /// The log that it holds.
        log: PathBuf,
    },

    // ---- the cluster ----
    /// A scheduler's client did not do what it was asked for.
    #[error("{command}: {said}")]
    Scheduler {
        /// What was asked for.
        command: String,
        /// What it answered.
        said: String,
    },
    /// Jobs of an earlier submission are at work, of which these are some.
    #[error("jobs {} of an earlier submission are still waiting or running; wait until they have ended, or cancel them", jobs.join(", "))]
    StillSubmitted {
        /// The scheduler's names of the jobs.
        jobs: Vec<String>,
    },
    /// Nothing was submitted from this output folder.
    #[error("{}: nothing was submitted to a cluster from here", out.display())]
    NotSubmitted {
        /// The output folder.
        out: PathBuf,
    },
    /// What was noted of a submission cannot be understood.
    #[error("{}: is no note of a submission: {what}", path.display())]
    Note {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The scratch folder is not there.
    #[error("{}: the folder for scratch is not there on this machine", folder.display())]
    NoScratch {
        /// The folder.
        folder: PathBuf,
    },
    /// A variable that is part of the scratch folder's name is not set.
    #[error(
        "{text:?} names the folder for scratch, and {name:?} is no variable of this machine's environment"
    )]
    NoVariable {
        /// The variable.
        name: String,
        /// The folder as it was given.
        text: String,
    },

    // ---- the machine ----
    /// Files that cannot be read or written.
    #[error(transparent)]
    Files(#[from] in9_base::Error),
}

impl Error {
    /// The operating system refused to read `path`; shaped for `map_err`.
    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let error = in9_base::Error::read(path);
        |source| Self::Files(error(source))
    }

    /// The operating system refused to write `path`; shaped for `map_err`.
    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let error = in9_base::Error::write(path);
        |source| Self::Files(error(source))
    }
}

/// A text of several lines on one, without the drawings around them.
fn one_line(text: &str) -> String {
    let parts = text.lines().map(str::trim).filter(|line| !line.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}
