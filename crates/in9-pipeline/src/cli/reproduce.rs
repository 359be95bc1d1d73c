//! `reproduce`: runs a recipe.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use in9_base::files;
use in9_base::shell::{self, Machine, Shell};
use indicatif::HumanDuration;

use super::board::Board;
use super::{Ready, Setting, Target};
use crate::cache::{Cache, State};
use crate::executor::Executor;
use crate::run::{self, Manner, Outcome, OutputPlace};

/// Runs a recipe from photographs to a report; what is done already is kept.
///
/// Examples:
///   in9 reproduce
///   in9 reproduce --recipe tiny-imagenet --data tiny-imagenet-200
///   in9 reproduce --from report
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
    /// Who runs the stages.
    #[arg(long, value_enum, default_value_t = Executor::Local)]
    executor: Executor,
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
        let manner = Manner {
            jobs: machine.threads(),
            executor: self.executor,
            gpu: self.target.device.starts_with("cuda"),
            data: ready.data.clone(),
        };
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
            dry_run(&ready, &cache, &manner, &wanted, &again, shell)?;
            return Ok(shell::Outcome::Done);
        }
        let advice =
            || format!("name a folder that is writable with --out, instead of {}", ready.out.display());
        let _place = OutputPlace::take(&ready.out).with_context(advice)?;
        for at in again {
            cache.reset(&ready.graph.stages[at])?;
        }
        shell.say(format_args!("{} · {}", ready.recipe.title, ready.recipe.about));
        files::write_bytes(&ready.out.join("recipe.toml"), toml::to_string(&ready.recipe)?)?;
        let board = Board::new(&ready.graph, &cache, &wanted, manner.jobs, *shell)?;
        let outcome = run::run(&ready.graph, &wanted, &cache, &manner, &board);
        board.clear();
        conclude(&outcome?, &ready, setting, started, shell)
    }
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
    if !failed.is_empty() {
        bail!("{}; what is done is kept: the same command goes on from here", failed.join("; "));
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
