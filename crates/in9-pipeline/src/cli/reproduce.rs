//! `reproduce`: runs a recipe.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use in9_base::files;
use in9_base::shell::{self, Machine, Shell};
use indicatif::HumanDuration;

use super::board::Board;
use super::{Ready, Setting, Target, pieces};
use crate::cache::{Cache, State};
use crate::error::Error;
use crate::executor::Executor;
use crate::graph::Stage;
use crate::recipe::{Cluster, Published};
use crate::run::{self, Manner, Outcome, OutputPlace};
use crate::submit::{self, Note, Submission};

/// Runs a recipe from photographs to a report; what is done already is kept.
///
/// Examples:
///   in9 reproduce
///   in9 reproduce --recipe tiny-imagenet --data tiny-imagenet-200
///   in9 reproduce --from report
///   in9 reproduce --recipe imagenet --data imagenet --executor slurm --cluster cluster.toml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Reproduce {
    #[command(flatten)]
    target: Target,
    /// Run only these stages (an id, or the beginning of one: `train`, `train/toy-r90`).
    #[arg(long, conflicts_with = "from")]
    only: Vec<String>,
    /// Run these stages again, and all that depends on them.
    #[arg(long)]
    from: Vec<String>,
    /// Print the commands and run none.
    #[arg(long)]
    dry_run: bool,
    /// Say what the run will cost, with hours from a measurement of two minutes on this machine, and run nothing.
    #[arg(long, conflicts_with = "dry_run")]
    plan: bool,
    /// Who runs the stages. Slurm and HyperQueue are given everything that is missing as jobs that wait for each other;
    /// nothing stays behind here, and `in9 pieces status OUT` shows how far they are.
    #[arg(long, value_enum, default_value_t = Executor::Local)]
    executor: Executor,
    /// Resources of the jobs: a TOML file with the recipe's table [cluster], in its place.
    #[arg(long, value_name = "FILE")]
    cluster: Option<PathBuf>,
}

impl Reproduce {
    /// Runs the command.
    ///
    /// # Errors
    /// If the recipe cannot be run, or a stage has failed.
    pub fn run(self, setting: &Setting, machine: Machine, shell: &Shell) -> Result<shell::Outcome> {
        let started = Instant::now();
        let ready = self.target.ready(setting, shell)?;
        if self.plan {
            super::plan::tell(&ready, &self.target.device, machine, shell)?;
            return Ok(shell::Outcome::Done);
        }
        let cache = ready.cache();
        let manner = Manner { jobs: machine.threads(), data: ready.data.clone(), ..Manner::default() };
        let submission = match self.executor {
            Executor::Local => None,
            executor => Some(self.submission(&ready, executor, setting)?),
        };
        if let Some(submission) = &submission {
            advice(&ready, submission).iter().for_each(|note| shell.say(note));
        }
        let select = |names: &[String]| -> Result<Vec<usize>> {
            let mut found = Vec::new();
            for name in names {
                found.extend(ready.graph.select(name)?);
            }
            found.sort_unstable();
            found.dedup();
            Ok(found)
        };
        let all: Vec<usize> = (0..ready.graph.stages.len()).collect();
        let wanted = if self.only.is_empty() { all } else { select(&self.only)? };
        let again = ready.graph.downstream(&select(&self.from)?);
        if self.dry_run {
            match &submission {
                Some(submission) => dry_submission(&ready, submission, &cache, &manner, &wanted, shell)?,
                None => dry_run(&ready, &cache, &manner, &wanted, &again, shell)?,
            }
            return Ok(shell::Outcome::Done);
        }
        let advice =
            || format!("name a folder that is writable with --out, instead of {}", ready.out.display());
        let _place = OutputPlace::take(&ready.out).with_context(advice)?;
        if submission.is_none() {
            refuse_while_submitted(&ready.out)?;
        }
        for at in again {
            cache.reset(&ready.graph.stages[at])?;
        }
        shell.say(format_args!("{} · {}", ready.recipe.title, ready.recipe.about));
        files::write_bytes(&ready.out.join("recipe.toml"), toml::to_string(&ready.recipe)?)?;
        if let Some(submission) = &submission {
            let submitted = submit::submit(submission, &ready.graph, &wanted, &cache, &manner)?;
            pieces::tell(&submitted, &ready.out, shell)?;
            return Ok(shell::Outcome::Done);
        }
        let board = Board::new(&ready.graph, &cache, &wanted, manner.jobs, *shell)?;
        let outcome = run::run(&ready.graph, &wanted, &cache, &manner, &board);
        board.clear();
        conclude(&outcome?, &ready, setting, started, shell)
    }
}

impl Reproduce {
    /// What jobs have to know, wherever they run.
    fn submission(&self, ready: &Ready, executor: Executor, setting: &Setting) -> Result<Submission> {
        let cluster = match &self.cluster {
            Some(path) => Cluster::load(&setting.here.join(path))?,
            None => ready.recipe.cluster.clone().unwrap_or_default(),
        };
        Ok(Submission {
            name: ready.name.clone(),
            recipe: toml::to_string(&ready.recipe)?,
            device: self.target.device.clone(),
            data: ready.data.clone(),
            data_digest: ready.data_digest.clone(),
            cluster,
            executor,
        })
    }
}

/// What a cluster may lack, or be asked for in vain, that nobody would notice before jobs have waited and run.
fn advice(ready: &Ready, submission: &Submission) -> Vec<String> {
    let mut notes = Vec::new();
    let tag = |model: &Published| match model.weights.starts_with(&format!("{}.", model.arch)) {
        true => model.weights.clone(),
        false => format!("{}.{}", model.arch, model.weights),
    };
    let tags_only = |model: &&Published| !Path::new(&model.weights).is_file();
    let tags: BTreeSet<String> = ready.recipe.models.iter().filter(tags_only).map(tag).collect();
    if !tags.is_empty() {
        let tags = tags.into_iter().collect::<Vec<_>>().join(" ");
        notes.push(format!(
            "note: jobs download published weights that are not in the cache; if nodes have no network: in9 fetch {tags}"
        ));
    }
    let idle = |stage: &&Stage| {
        stage.kind.runs_a_network()
            && !stage.is_on_a_gpu()
            && submission.cluster.of(stage).gpus.is_some_and(|gpus| gpus > 0)
    };
    if let Some(stage) = ready.graph.stages.iter().find(idle) {
        notes.push(format!(
            "note: GPUs are asked for, but {} would leave them idle: networks run on {}; give --device cuda:0",
            stage.id, submission.device
        ));
    }
    notes
}

/// The run's last words.
fn conclude(
    outcome: &Outcome,
    ready: &Ready,
    setting: &Setting,
    started: Instant,
    shell: &Shell,
) -> Result<shell::Outcome> {
    shell.say(format_args!(
        "{} stages ran, {} were done already, {} failed, {} could not run; {}",
        outcome.ran,
        outcome.kept,
        outcome.failed.len(),
        outcome.blocked.len(),
        HumanDuration(started.elapsed())
    ));
    for id in &outcome.skips {
        shell.say(format_args!("note: {id} left out faulty input; its log names each"));
    }
    let failed: Vec<String> = outcome.failed.iter().map(|(id, error)| format!("{id}: {error}")).collect();
    const KEPT: &str = "what is done is kept: the same command goes on from here";
    match failed.as_slice() {
        [] => {}
        [one] => bail!("{one}; {KEPT}"),
        several => bail!("{} stages failed:\n  {}\n{KEPT}", several.len(), several.join("\n  ")),
    }
    let report = ready.out.join("report/index.html");
    if report.exists() {
        shell.print(report.display())?;
        if let Some([program, words @ ..]) = setting.look {
            let mut look = Command::new(program);
            // As short as it may be for whoever types it where this was typed.
            let near = ready.out.strip_prefix(setting.here).ok().filter(|near| *near != Path::new(""));
            look.args(words).arg(near.unwrap_or(&ready.out));
            shell.say(format_args!("see the photographs behind it: {}", run::shown(&look)));
        }
    }
    Ok(if outcome.skips.is_empty() { shell::Outcome::Done } else { shell::Outcome::Skips })
}

/// Jobs of a scheduler and this machine would do the same work, in the same places.
fn refuse_while_submitted(out: &Path) -> Result<()> {
    let Some(note) = Note::read(out)? else { return Ok(()) };
    // Where nobody can say, as on a machine without the scheduler's clients, locks keep the two apart.
    let jobs: Vec<String> = note.active().unwrap_or_default().into_iter().collect();
    if jobs.is_empty() { Ok(()) } else { Err(Error::StillSubmitted { jobs }.into()) }
}

fn dry_submission(
    ready: &Ready,
    submission: &Submission,
    cache: &Cache,
    manner: &Manner,
    wanted: &[usize],
    shell: &Shell,
) -> Result<()> {
    let states = cache.states(&ready.graph)?;
    let todo: Vec<usize> = wanted.iter().copied().filter(|at| !states[*at].is_done()).collect();
    let jobs = submit::checked_jobs(submission, &ready.graph, &todo, &[], &states, cache, manner)?;
    shell.print(submission.executor.described(&jobs, submission, cache)?.trim_end())
}

fn dry_run(
    ready: &Ready,
    cache: &Cache,
    manner: &Manner,
    wanted: &[usize],
    again: &[usize],
    shell: &Shell,
) -> Result<()> {
    let states = cache.states(&ready.graph)?;
    for at in wanted {
        let stage = &ready.graph.stages[*at];
        if matches!(states[*at], State::Done(_)) && !again.contains(at) {
            shell.print(format_args!("# {} is done", stage.id))?;
        } else {
            let output = ready.out.join(&stage.output);
            let command = run::command(&ready.graph, stage, cache, manner, manner.jobs, &output)?;
            shell.print(format_args!("# {}\n{}", stage.id, run::shown(&command)))?;
        }
    }
    Ok(())
}
