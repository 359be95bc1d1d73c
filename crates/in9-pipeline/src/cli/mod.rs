//! The command line: `reproduce`, `status` and `pieces`.

mod board;
mod pieces;
mod plan;
mod reproduce;
mod status;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;
use in9_base::shell::Shell;

pub use pieces::Pieces;
pub use reproduce::Reproduce;
pub use status::Status;

use crate::cache::{Cache, digest_of_photographs};
use crate::error::Error;
use crate::graph::Graph;
use crate::plan::plan;
use crate::programs::Programs;
use crate::recipe::{Adjustments, Recipe};

/// What the program around a command line decides.
#[allow(missing_debug_implementations, reason = "it holds a closure")]
pub struct Setting<'a> {
    /// The folder that the user's relative paths start from.
    pub here: &'a Path,
    /// The folder in which `out/RECIPE` lies unless `--out` names another.
    pub home: &'a Path,
    /// Finds or builds the program of a recipe's stages, for networks on a device (`cpu`, `cuda:0`); called
    /// unless the user has named one.
    pub program: &'a dyn Fn(&Recipe, &str) -> Result<PathBuf>,
    /// The words before an output folder that show its photographs to whoever has run a recipe, if anything does.
    pub look: Option<&'a [&'a str]>,
}

/// What `reproduce` and `status` have in common.
#[derive(Debug, Args)]
struct Target {
    /// A recipe (toy, tiny-imagenet, imagenet, in9-release), or a file that ends in .toml.
    #[arg(long, default_value = "toy")]
    recipe: String,
    /// The photographs, for recipes that need some.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Also test a published ImageNet classifier at 224 pixels, for the paper's comparison with networks
    /// trained from scratch: a file of weights, or a tag that `in9 list --long` shows. May be given several
    /// times.
    #[arg(long = "model", value_name = "ARCH=WEIGHTS")]
    models: Vec<String>,
    /// Changes a setting of the recipe: SECTION.KEY=VALUE (train.epochs=1, dataset.size=64, probe.limit=20,
    /// model.batch-size=16, seed=2), or SECTION.NAME.KEY=VALUE for the entries of a dataset, architecture, tag or
    /// kind (train.in9l.epochs=2, probe.adversarial.limit=20). May be given several times.
    #[arg(long, value_name = "SETTING")]
    set: Vec<String>,
    /// Only this network of the recipe, and what measures it. May be given several times.
    #[arg(long, value_name = "NAME")]
    only_network: Vec<String>,
    /// A rehearsal: this share of the photographs and of the epochs, 0 to 1. The report says so.
    #[arg(long, value_name = "SHARE")]
    scale: Option<f64>,
    /// Where everything is written [default: out/RECIPE].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Where networks run: cpu or cuda:N.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Use the program `in9` in this folder.
    #[arg(long, env = "IN9_PROGRAMS", hide_env_values = true)]
    programs: Option<PathBuf>,
    /// Read every byte of every output, whatever its size and times say, and make damaged ones again.
    #[arg(long)]
    verify_cache: bool,
}

/// A target made ready: the recipe read, the programs found, the graph laid out.
struct Ready {
    name: String,
    recipe: Recipe,
    graph: Graph,
    programs: Programs,
    data: Option<PathBuf>,
    data_digest: Option<String>,
    out: PathBuf,
    thorough: bool,
}

impl Target {
    fn ready(&self, setting: &Setting, shell: &Shell) -> Result<Ready> {
        let here = setting.here;
        let adjustments =
            Adjustments { set: self.set.clone(), networks: self.only_network.clone(), scale: self.scale };
        let (name, mut recipe) = Recipe::load_adjusted(&self.recipe, here, &adjustments)?;
        for model in &self.models {
            recipe.add_model(model, here)?;
        }
        let out = match &self.out {
            Some(out) => here.join(out),
            None => setting.home.join("out").join(&name),
        };
        let data = self.data.as_ref().map(|data| here.join(data));
        let mut data_digest = None;
        if let Some(wanted) = &recipe.data {
            let Some(data) = &data else {
                bail!("recipe {name} needs --data: {wanted}");
            };
            ensure!(data.exists(), "{}: not there; --data must name {wanted}", data.display());
            if inside(data, &out) || inside(&out, data) {
                return Err(Error::DataInOutput { data: data.clone(), out }.into());
            }
            for gone in recipe.leave_out_missing(&|folder| data.join(folder).is_dir()) {
                shell.say(format_args!(
                    "{gone}: is left out, with all that is only about it: its folder is not in {}",
                    data.display()
                ));
            }
            data_digest = Some(digest_of_photographs(data)?);
        }
        let graph = plan(&name, &recipe, &self.device);
        let program = match &self.programs {
            Some(folder) => here.join(folder).join("in9").with_extension(std::env::consts::EXE_EXTENSION),
            None => (setting.program)(&recipe, &self.device)?,
        };
        let programs = Programs::open(&program)?;
        Ok(Ready { name, recipe, graph, programs, data, data_digest, out, thorough: self.verify_cache })
    }
}

impl Ready {
    fn cache(&self) -> Cache<'_> {
        Cache::new(&self.out, &self.programs, self.data_digest.clone(), self.thorough)
    }
}

/// Whether `path` is `folder` or lies below it, links resolved. What is not there yet is taken as it is named.
fn inside(path: &Path, folder: &Path) -> bool {
    let real = |path: &Path| {
        let there = path.ancestors().find(|part| part.exists());
        let rest = there.and_then(|there| path.strip_prefix(there).ok());
        match (there.and_then(|there| there.canonicalize().ok()), rest) {
            (Some(there), Some(rest)) => there.join(rest),
            _ => path.to_owned(),
        }
    };
    real(path).starts_with(real(folder))
}
