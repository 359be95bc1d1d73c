//! `pieces`: what runs on a cluster, and how far it is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use in9_base::shell::{self, Machine, Shell};
use in9_base::{Piece, piece};

use super::Setting;
use crate::cache::{Cache, State};
use crate::error::Error;
use crate::graph::{Graph, Stage};
use crate::programs::Programs;
use crate::recipe::Cluster;
use crate::run::{self, Manner, Observer, OutputPlace, Ran, Stop};
use crate::submit::{self, Note, Submission, Submitted};

/// What was left to a cluster by `reproduce --executor`: how far it is, and submitting again what is missing.
///
/// Examples:
///   in9 pieces status out/imagenet
///   in9 pieces retry out/imagenet
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Pieces {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows each stage, and of those in pieces which are missing; from any machine that sees the output folder
    Status {
        /// The output folder of the run.
        out: PathBuf,
    },
    /// Submits exactly what is missing and not under way
    Retry {
        /// The output folder of the run.
        out: PathBuf,
        /// Other resources of the jobs: a TOML file with a table [cluster].
        #[arg(long, value_name = "FILE")]
        cluster: Option<PathBuf>,
    },
    /// Runs a stage or one piece of it; what jobs do
    Run {
        /// The output folder of the run.
        out: PathBuf,
        /// The stage's id.
        #[arg(long)]
        stage: String,
        /// Piece i of n: i/n with i from 1, or auto or auto/n where Slurm, HyperQueue or SkyPilot says which.
        #[arg(long, value_name = "I/N", value_parser = shell::piece)]
        shard: Option<Piece>,
        /// Folder on this machine's own disk to work in; $NAME stands for a variable of the environment.
        #[arg(long, value_name = "DIR")]
        scratch: Option<String>,
    },
    /// Joins the pieces of a stage; what jobs do
    Merge {
        /// The output folder of the run.
        out: PathBuf,
        /// The stage's id.
        #[arg(long)]
        stage: String,
        /// How many pieces there are.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        of: u32,
        /// Folder on this machine's own disk to work in; $NAME stands for a variable of the environment.
        #[arg(long, value_name = "DIR")]
        scratch: Option<String>,
    },
}

/// What was submitted from an output folder, ready to be looked at or run.
struct Opened {
    submission: Submission,
    graph: Graph,
    programs: Programs,
    out: PathBuf,
}

impl Opened {
    fn new(out: &Path, setting: &Setting) -> Result<Self> {
        let out = setting.here.join(out);
        let submission = Submission::of(&out)?;
        let graph = submission.graph()?;
        let programs = Programs::open(&submit::program(&out))?;
        Ok(Self { submission, graph, programs, out })
    }

    fn cache(&self) -> Cache<'_> {
        Cache::new(&self.out, &self.programs, self.submission.data_digest.clone(), false)
    }

    fn manner(&self, machine: Machine) -> Manner {
        Manner { jobs: machine.threads(), data: self.submission.data.clone(), ..Manner::default() }
    }

    fn stage(&self, id: &str) -> Result<usize> {
        let at = self.graph.stages.iter().position(|stage| stage.id == id);
        at.with_context(|| format!("no stage is called {id}"))
    }
}

impl Pieces {
    /// Runs the command.
    ///
    /// # Errors
    /// If nothing was submitted from the folder, or a stage has failed.
    pub fn run(self, setting: &Setting, machine: Machine, shell: &Shell) -> Result<shell::Outcome> {
        match self.command {
            Command::Status { out } => status(&Opened::new(&out, setting)?, shell)?,
            Command::Retry { out, cluster } => {
                let mut opened = Opened::new(&out, setting)?;
                if let Some(path) = cluster {
                    opened.submission.cluster = Cluster::load(&setting.here.join(path))?;
                }
                retry(&opened, machine, shell)?;
            }
            Command::Run { out, stage, shard, scratch } => {
                let (opened, piece) = (Opened::new(&out, setting)?, shard.unwrap_or(Piece::WHOLE));
                alone(&opened, &stage, piece, scratch, machine, shell, run::run_alone)?;
            }
            Command::Merge { out, stage, of, scratch } => {
                let (opened, piece) = (Opened::new(&out, setting)?, Piece::new(1, of)?);
                alone(&opened, &stage, piece, scratch, machine, shell, run::run_merge)?;
            }
        }
        Ok(shell::Outcome::Done)
    }
}

fn status(opened: &Opened, shell: &Shell) -> Result<()> {
    let cache = opened.cache();
    let states = cache.states(&opened.graph)?;
    let note = Note::read(&opened.out)?;
    // A machine without the scheduler's clients can show the rest.
    let active = note.as_ref().map(Note::active).transpose().unwrap_or_default().unwrap_or_default();
    let width = opened.graph.stages.iter().map(|stage| stage.id.len()).max().unwrap_or(0);
    for (stage, state) in opened.graph.stages.iter().zip(&states) {
        let job = note.as_ref().and_then(|note| note.last(&stage.id)).filter(|id| active.contains(*id));
        let word = match state {
            State::Done(_) => "done",
            _ if job.is_some() => "queued",
            State::Waiting => "waits",
            State::Stale | State::Damaged(_) | State::Missing => "to do",
        };
        let mut details: Vec<String> = job.iter().map(|id| format!("job {id}")).collect();
        if !state.is_done() {
            details.extend(missing(&cache, stage, &opened.submission, &states)?);
        }
        shell.print(format!("{word:<6} {:<width$}  {}", stage.id, details.join("; ")).trim_end())?;
    }
    let done = states.iter().filter(|state| state.is_done()).count();
    shell.say(format_args!("{done} of {} stages are done in {}", states.len(), opened.out.display()));
    if active.is_empty() && done < states.len() {
        shell.say(format_args!(
            "nothing is under way; in9 pieces retry {} submits what is missing",
            opened.out.display()
        ));
    }
    Ok(())
}

/// How many pieces of a stage are done, and which are missing, as an array takes their numbers; `None` if it is not
/// divided.
pub(super) fn missing(
    cache: &Cache,
    stage: &Stage,
    submission: &Submission,
    states: &[State],
) -> Result<Option<String>> {
    let of = submission.cluster.of(stage).pieces.filter(|of| *of > 1 && stage.is_divisible());
    let Some(first) = of.and_then(|of| Piece::new(1, of).ok()) else { return Ok(None) };
    let missing = cache.missing_pieces(stage, first, states)?;
    let (of, done) = (first.of() as usize, first.of() as usize - missing.len());
    Ok(Some(match missing.is_empty() {
        true => format!("{done} of {of} pieces are done, not joined"),
        false => format!("{done} of {of} pieces are done, missing --array={}", piece::numbers(&missing)),
    }))
}

fn retry(opened: &Opened, machine: Machine, shell: &Shell) -> Result<()> {
    let note = Note::read(&opened.out)?.ok_or_else(|| Error::NotSubmitted { out: opened.out.clone() })?;
    let _place = OutputPlace::take(&opened.out)?;
    let submitted = |at: &usize| note.has(&opened.graph.stages[*at].id);
    let wanted: Vec<usize> = (0..opened.graph.stages.len()).filter(submitted).collect();
    let cache = opened.cache();
    let manner = opened.manner(machine);
    tell(&submit::submit(&opened.submission, &opened.graph, &wanted, &cache, &manner)?, &opened.out, shell)
}

/// Tells what was submitted: a line a job on standard output.
pub(super) fn tell(submitted: &Submitted, out: &Path, shell: &Shell) -> Result<()> {
    for (job, ids) in &submitted.jobs {
        let what = match &job.task {
            submit::Task::Whole => String::new(),
            submit::Task::Pieces { of, numbers } => {
                format!("  pieces {} of {of}", piece::numbers(numbers))
            }
            submit::Task::Merge { of } => format!("  joins {of} pieces"),
        };
        shell.print(format_args!("{}  {}{what}", ids.join(","), job.stage))?;
    }
    shell.say(format_args!(
        "{} stages are done, {} under way; submitted {} tasks in {} jobs",
        submitted.kept,
        submitted.under_way,
        submitted.tasks(),
        submitted.jobs.len()
    ));
    if !submitted.jobs.is_empty() {
        shell.say(format_args!("in9 pieces status {} shows how far they are", out.display()));
    }
    Ok(())
}

/// What a job does with the stage at a place of the graph, or with a piece of it.
type Work = fn(&Graph, usize, Piece, &Cache<'_>, &Manner, &dyn Observer) -> crate::Result<Ran>;

/// Runs one stage or piece as a job does: told to stop, it keeps what can be gone on from, and where its time was up it is
/// started again.
fn alone(
    opened: &Opened,
    stage: &str,
    piece: Piece,
    scratch: Option<String>,
    machine: Machine,
    shell: &Shell,
    work: Work,
) -> Result<()> {
    let at = opened.stage(stage)?;
    let stage = &opened.graph.stages[at];
    let scratch = scratch.map(|text| run::expanded(&text, &|name| std::env::var_os(name))).transpose()?;
    let stop = Stop::default();
    #[cfg(unix)]
    shell::on_stop({
        let stop = stop.clone();
        move |signal| stop.ask(signal)
    });
    let manner = Manner { scratch, stop: stop.clone(), ..opened.manner(machine) };
    let ran = work(&opened.graph, at, piece, &opened.cache(), &manner, &Lines(*shell));
    match (ran, stop.asked()) {
        (Ok(Ran::Now(stamp)), _) => {
            shell.say(format_args!("done   {} in {:.1} s", stage.id, stamp.seconds));
            Ok(())
        }
        (Ok(Ran::Before), _) => {
            shell.say(format_args!("done   {} before", stage.id));
            Ok(())
        }
        (Err(error), None) => Err(error.into()),
        (Err(_), Some(signal)) => stopped(stage, signal, shell),
    }
}

/// The end of a job that was told to stop.
fn stopped(stage: &Stage, signal: i32, shell: &Shell) -> Result<()> {
    #[cfg(unix)]
    if signal == shell::TIME_IS_UP {
        if !stage.resumes() {
            bail!(
                "{}: its time is up, and it cannot go on from half a piece; give it more time or more pieces",
                stage.id
            );
        }
        shell.say(format_args!("{}: its time is up; it goes on in another job", stage.id));
        crate::requeue()?;
    }
    shell.say(format_args!("{}: stopped; what is done is kept", stage.id));
    std::process::exit(128 + signal);
}

/// Tells what a job does, one line each.
struct Lines(Shell);

impl Observer for Lines {
    fn start(&self, stage: &Stage, cores: usize) {
        self.0.say(format_args!("start  {} on {cores} cores", stage.id));
    }
}
