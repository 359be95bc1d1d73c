//! `cargo xtask reproduce` and `cargo xtask status`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use indicatif::HumanDuration;

use crate::cache::{Cache, State, listing_digest, write_whole};
use crate::executor::Executor;
use crate::graph::Graph;
use crate::plan::plan;
use crate::programs::Programs;
use crate::recipe::Recipe;
use crate::run::{self, Manner, Outcome};

/// What `reproduce` and `status` have in common.
#[derive(Args)]
struct Target {
    /// A recipe of data-manifests/recipes (toy, tiny-imagenet, imagenet, in9-release), or a file.
    #[arg(long, default_value = "toy")]
    recipe: String,
    /// The photographs, for recipes that need some.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Also test a published ImageNet classifier at 224 pixels, for the paper's comparison with networks
    /// trained from scratch: a file of weights, or a tag that `in9-models list --long` shows. May be given
    /// several times.
    #[arg(long = "model", value_name = "ARCH=WEIGHTS")]
    models: Vec<String>,
    /// Where everything is written [default: out/RECIPE].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where networks run: cpu or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Use the programs in this folder instead of building them.
    #[arg(long, env = "IN9_PROGRAMS", hide_env_values = true)]
    programs: Option<PathBuf>,
}

/// Runs a recipe from photographs to a report; what is done already is kept.
///
/// Examples:
///   cargo xtask reproduce
///   cargo xtask reproduce --recipe tiny-imagenet --data tiny-imagenet-200
///   cargo xtask reproduce --from report
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Reproduce {
    #[command(flatten)]
    target: Target,
    /// Cores to use [default: all].
    #[arg(long, short)]
    jobs: Option<usize>,
    /// Run only these stages (an id, or the beginning of one: `train`, `train/toy-r90`).
    #[arg(long, conflicts_with = "from")]
    only: Vec<String>,
    /// Run these stages again, and all that depends on them.
    #[arg(long)]
    from: Vec<String>,
    /// Print the commands and run none.
    #[arg(long)]
    dry_run: bool,
    /// Who runs the stages.
    #[arg(long, value_enum, default_value_t = Executor::Local)]
    executor: Executor,
}

/// Shows each stage of a recipe and whether it is done.
#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    target: Target,
}

/// A target made ready: the recipe read, the programs built, the graph laid out.
struct Ready {
    recipe: Recipe,
    graph: Graph,
    programs: Programs,
    data: Option<PathBuf>,
    data_digest: Option<String>,
    out: PathBuf,
}

impl Target {
    fn ready(&self, here: &Path) -> Result<Ready> {
        let (name, mut recipe) = Recipe::load(&self.recipe)?;
        for model in &self.models {
            recipe.add_model(model, here)?;
        }
        let out = match &self.out {
            Some(out) => here.join(out),
            None => std::env::current_dir()?.join("out").join(&name),
        };
        let data = self.data.as_ref().map(|data| here.join(data));
        if let Some(wanted) = &recipe.data {
            let data = data.as_ref().with_context(|| format!("recipe {name} needs --data: {wanted}"))?;
            ensure!(data.exists(), "{}: not there; --data must name {wanted}", data.display());
        }
        let data_digest =
            data.as_deref().filter(|_| recipe.data.is_some()).map(listing_digest).transpose()?;
        let graph = plan(&name, &recipe, &self.device);
        let programs = Programs::ready(self.programs.as_ref().map(|folder| here.join(folder)), &self.device)?;
        Ok(Ready { recipe, graph, programs, data, data_digest, out })
    }
}

impl Ready {
    fn cache(&self) -> Cache<'_> {
        Cache { out: &self.out, programs: &self.programs, data: self.data_digest.clone() }
    }
}

impl Reproduce {
    /// `here` is the folder that the user's relative paths start from.
    pub(crate) fn run(self, here: &Path) -> Result<ExitCode> {
        let started = Instant::now();
        let ready = self.target.ready(here)?;
        let cache = ready.cache();
        let all: Vec<usize> = (0..ready.graph.stages.len()).collect();
        let manner = Manner {
            jobs: self
                .jobs
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
                .max(1),
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
        let wanted = if self.only.is_empty() { all } else { select(&self.only)? };
        let again = ready.graph.downstream(&select(&self.from)?);
        if self.dry_run {
            return dry_run(&ready, &cache, &manner, &wanted, &again);
        }
        let _lock = run::lock(&ready.out)?;
        for at in again {
            cache.reset(&ready.graph.stages[at])?;
        }
        eprintln!("{} · {}", ready.recipe.title, ready.recipe.about);
        write_whole(&ready.out.join("recipe.toml"), toml::to_string(&ready.recipe)?.as_bytes())?;
        let outcome = run::run(&ready.graph, &wanted, &cache, &manner)?;
        Ok(conclude(&outcome, &ready, started))
    }
}

/// The run's last words and exit code: 0 done, 1 failed, 3 done with skips.
fn conclude(outcome: &Outcome, ready: &Ready, started: Instant) -> ExitCode {
    let failed: Vec<_> = outcome.failed.iter().filter(|(_, said)| !said.is_empty()).collect();
    eprintln!(
        "{} stages ran, {} were done already, {} failed, {} could not run; {}",
        outcome.ran,
        outcome.kept,
        failed.len(),
        outcome.blocked,
        HumanDuration(started.elapsed())
    );
    for (id, said) in &failed {
        eprintln!("error: {id}: {said}");
    }
    for id in &outcome.skips {
        eprintln!("note: {id} left out faulty input; its log names each");
    }
    if !failed.is_empty() {
        eprintln!("what is done is kept: the same command goes on from here");
        return ExitCode::FAILURE;
    }
    let report = ready.out.join("report/index.html");
    if report.exists() {
        println!("{}", report.display());
    }
    if outcome.skips.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

fn dry_run(
    ready: &Ready,
    cache: &Cache,
    manner: &Manner,
    wanted: &[usize],
    again: &[usize],
) -> Result<ExitCode> {
    let states = cache.states(&ready.graph)?;
    for at in wanted {
        let stage = &ready.graph.stages[*at];
        if matches!(states[*at], State::Done(_)) && !again.contains(at) {
            println!("# {} is done", stage.id);
        } else {
            println!("# {}", stage.id);
            println!("{}", run::shown(&run::command(&ready.graph, stage, cache, manner, manner.jobs)?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Status {
    pub(crate) fn run(self, here: &Path) -> Result<ExitCode> {
        let ready = self.target.ready(here)?;
        let states = ready.cache().states(&ready.graph)?;
        let width = ready.graph.stages.iter().map(|stage| stage.id.len()).max().unwrap_or(0);
        for (stage, state) in ready.graph.stages.iter().zip(&states) {
            let (word, detail) = match state {
                State::Done(stamp) => ("done", format!("{:7.1} s  {}", stamp.seconds, &stamp.digest[..12])),
                State::Stale => ("stale", "its settings, inputs or program changed".to_owned()),
                State::Missing => ("to do", String::new()),
                State::Waiting => ("waits", "for an earlier stage".to_owned()),
            };
            println!("{}", format!("{word:<6} {:<width$}  {detail}", stage.id).trim_end());
        }
        let done = states.iter().filter(|state| matches!(state, State::Done(_))).count();
        eprintln!("{done} of {} stages are done in {}", states.len(), ready.out.display());
        Ok(ExitCode::SUCCESS)
    }
}
