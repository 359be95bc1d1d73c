//! `cargo xtask check-cuda`: builds everything for GPUs on a machine without one; with `--run`, checks it on one.

mod build;
mod kernels;
mod libraries;
mod limited;
mod run;
mod summary;
mod toolkit;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

/// Compile and link the feature `cuda`, and show what each kernel takes; with --run, check and time it on a GPU.
///
/// NVIDIA's toolkit is installed from its Python wheels below target/cuda first. The first time takes about ten minutes
/// and 2 GB.
#[derive(Args)]
#[command(after_help = "\
Examples:
  cargo xtask check-cuda                               build, without a GPU
  cargo xtask check-cuda --collect out/programs        build, and copy what a machine with a GPU needs
  out/programs/xtask check-cuda --run --programs out/programs --out cuda.json
                                                       there, offline, without Cargo
  out/programs/xtask check-cuda --run --programs out/programs --only bench,pytorch
                                                       speed alone")]
pub(crate) struct CheckCuda {
    /// A CUDA toolkit that is installed already.
    #[arg(long, env = "CUDA_HOME")]
    toolkit: Option<PathBuf>,
    /// Compute capability to compile Candle's kernels for; ours are compiled for 80 and 90 whatever this is.
    #[arg(long, env = "CUDA_COMPUTE_CAP", default_value = "80")]
    compute_cap: String,
    /// Compile our own kernels only, which takes a minute.
    #[arg(long)]
    kernels_only: bool,
    /// Copy the programs that --run needs to this folder.
    #[arg(long, value_name = "FOLDER")]
    collect: Option<PathBuf>,
    /// Run on a GPU: parity with the processor and with PyTorch, a training, captured graphs, speed, compute-sanitizer.
    /// Within ten minutes; what a part that hangs has found by then is kept.
    #[arg(long)]
    run: bool,
    /// Use programs that --collect put there, and build nothing.
    #[arg(long, value_name = "FOLDER", requires = "run")]
    programs: Option<PathBuf>,
    /// Parts of --run, separated by commas: layers, networks, training, graphs, bench, pytorch, sanitizer [default: all].
    #[arg(long, value_name = "PARTS", value_delimiter = ',', requires = "run",
          value_parser = ["layers", "networks", "training", "graphs", "bench", "pytorch", "sanitizer"])]
    only: Vec<String>,
    /// Number of the GPU.
    #[arg(long, default_value_t = 0)]
    device: usize,
    /// Where --run writes what it found.
    #[arg(long, value_name = "JSON", default_value = "cuda.json")]
    out: PathBuf,
}

impl CheckCuda {
    pub(crate) fn run(self, here: &Path) -> Result<()> {
        let out = here.join(&self.out);
        if let Some(programs) = &self.programs {
            return run::run(&here.join(programs), self.device, &out, self.toolkit.as_deref(), &self.only);
        }
        let folder = std::env::current_dir()?.join("target/cuda");
        let toolkit = match &self.toolkit {
            Some(toolkit) => here.join(toolkit),
            None => toolkit::install(&folder)?,
        };
        kernels::compile(&toolkit, &folder)?;
        if self.kernels_only {
            return Ok(());
        }
        let programs = build::build(&toolkit, &folder, &self.compute_cap)?;
        if let Some(collect) = &self.collect {
            build::collect(&programs, &here.join(collect))?;
        }
        match self.run {
            true => run::run(&programs, self.device, &out, Some(&toolkit), &self.only),
            false => {
                println!("everything compiles and links (nothing was run on a GPU)");
                Ok(())
            }
        }
    }
}
