//! What the jobs of an output folder have to do, written there once for all of them.

use std::fs;
use std::path::{Path, PathBuf};

use in9_base::files::{self, NewFile};
use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::graph::Graph;
use crate::plan::plan;
use crate::recipe::{Cluster, Recipe};

/// Where everything about a submission is, in the output folder.
pub(crate) const FOLDER: &str = ".cluster";

/// No submission is longer than this, in bytes.
const LONGEST: u64 = 16 << 20;

/// A recipe and all that decides how it runs on a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The recipe's name.
    pub name: String,
    /// The recipe, as TOML, with what the command line has added.
    pub recipe: String,
    /// Where networks run: `cpu`, `cuda:0`.
    pub device: String,
    /// The user's photographs.
    pub data: Option<PathBuf>,
    /// Their digest when the work was submitted, so that not every job has to list them.
    pub data_digest: Option<String>,
    /// Resources of each kind of stage.
    pub cluster: Cluster,
    /// Who is given the jobs.
    pub executor: Executor,
}

impl Submission {
    /// What was submitted from the output folder `out`, if anything was.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn read(out: &Path) -> Result<Option<Self>> {
        let path = path(out);
        if !path.exists() {
            return Ok(None);
        }
        let submission = serde_json::from_slice(&files::read(&path, LONGEST)?);
        submission.map(Some).map_err(|error| Error::Note { path, what: error.to_string() })
    }

    /// As [`Submission::read`], where there must be one.
    ///
    /// # Errors
    /// [`Error::NotSubmitted`] if there is none; otherwise as [`Submission::read`].
    pub fn of(out: &Path) -> Result<Self> {
        Self::read(out)?.ok_or_else(|| Error::NotSubmitted { out: out.to_owned() })
    }

    /// Writes it into the cache's output folder, beside a copy of the program: whatever is built meanwhile, all jobs run the
    /// one that was submitted.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn write(&self, cache: &Cache) -> Result<()> {
        let (path, program) = (path(cache.out()), program(cache.out()));
        files::create_folder(files::parent(&path))?;
        copy_program(cache.programs().path(), &program)?;
        let text = serde_json::to_vec_pretty(self);
        let text = text.map_err(|error| Error::Note { path: path.clone(), what: error.to_string() })?;
        Ok(files::write_bytes(&path, text)?)
    }

    /// The graph of the recipe.
    ///
    /// # Errors
    /// If the recipe is none.
    pub fn graph(&self) -> Result<Graph> {
        let recipe = Recipe::parse(Path::new(&self.name), &self.recipe)?;
        Ok(plan(&self.name, &recipe, &self.device))
    }

    /// Whether the jobs of `other` do the same as this one's, whatever they are given for it.
    pub(super) fn gives_the_same_jobs(&self, other: &Self) -> bool {
        let (graph, others) = (self.graph(), other.graph());
        let pieces = |submission: &Self, graph: &Graph| -> Vec<Option<u32>> {
            graph.stages.iter().map(|stage| submission.cluster.of(stage).pieces).collect()
        };
        let same = matches!((&graph, &others), (Ok(a), Ok(b)) if pieces(self, a) == pieces(other, b));
        let of =
            |s: &Self| (s.name.clone(), s.device.clone(), s.data.clone(), s.data_digest.clone(), s.executor);
        // Resources are part of a recipe.
        let without = |s: &Self| {
            let recipe = Recipe::parse(Path::new(&s.name), &s.recipe);
            recipe.map(|recipe| toml::to_string(&Recipe { cluster: None, ..recipe }).unwrap_or_default()).ok()
        };
        same && of(self) == of(other) && without(self) == without(other)
    }
}

/// The program that all jobs of the output folder `out` run.
pub(crate) fn program(out: &Path) -> PathBuf {
    out.join(FOLDER).join("in9").with_extension(std::env::consts::EXE_EXTENSION)
}

fn path(out: &Path) -> PathBuf {
    out.join(FOLDER).join("submission.json")
}

/// Puts a copy of the program `from` at `to`, unless it is there. Jobs that run keep the one they began with.
fn copy_program(from: &Path, to: &Path) -> Result<()> {
    if from == to || (to.exists() && in9_base::digest::file(from)? == in9_base::digest::file(to)?) {
        return Ok(());
    }
    let mut copy = NewFile::begin(to)?;
    std::io::copy(&mut files::open(from)?, &mut copy).map_err(Error::write(to))?;
    copy.place()?;
    let permissions = fs::metadata(from).map_err(Error::read(from))?.permissions();
    fs::set_permissions(to, permissions).map_err(Error::write(to))
}
