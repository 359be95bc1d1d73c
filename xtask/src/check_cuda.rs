//! `cargo xtask check-cuda`: type-checks the `cuda` and `cudnn` features on a machine without a GPU.
//!
//! The toolkit comes from NVIDIA's Python wheels, linked into one folder as a toolkit has it; the driver's
//! library, which no wheel holds, is only needed to link and so not to check. Nothing runs on a GPU here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

/// nvcc, its headers and its code generator must be of one version, which pip would not see to.
const WHEELS: [&str; 9] = [
    "nvidia-cuda-nvcc==13.2.*",
    "nvidia-cuda-crt==13.2.*",
    "nvidia-nvvm==13.2.*",
    "nvidia-cuda-runtime==13.2.*",
    "nvidia-cuda-nvrtc==13.2.*",
    "nvidia-cuda-cccl",
    "nvidia-cublas==13.4.*",
    "nvidia-curand",
    "nvidia-cudnn-cu13",
];

/// Type-checks the `cuda` and `cudnn` features; installs the toolkit's wheels below target/cuda first.
///
/// The first time takes about ten minutes and 2 GB.
#[derive(Args)]
pub(crate) struct CheckCuda {
    /// A CUDA toolkit that is installed already.
    #[arg(long, env = "CUDA_HOME")]
    toolkit: Option<PathBuf>,
    /// Compute capability to compile Candle's kernels for.
    #[arg(long, env = "CUDA_COMPUTE_CAP", default_value = "80")]
    compute_cap: String,
}

impl CheckCuda {
    pub(crate) fn run(self, here: &Path) -> Result<()> {
        let folder = std::env::current_dir()?.join("target/cuda");
        let toolkit = match self.toolkit {
            Some(toolkit) => here.join(toolkit),
            None => install(&folder)?,
        };
        let nvcc = toolkit.join("bin/nvcc");
        ensure!(nvcc.exists(), "{}: not there; --toolkit must name a CUDA toolkit", nvcc.display());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(toolkit.join("bin")).chain(std::env::split_paths(&path)))?;
        for features in ["cuda", "cudnn"] {
            eprintln!("== cargo check --features {features}");
            let mut check = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            check.args(["check", "--locked", "--package", "in9", "--features", features]);
            // A folder of its own: other features would have the usual one compiled anew each time.
            check.arg("--target-dir").arg(folder.join("target"));
            for name in ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"] {
                check.env(name, &toolkit);
            }
            check.env("NVCC", &nvcc).env("CUDA_COMPUTE_CAP", &self.compute_cap).env("PATH", &path);
            if !check.status().context("starting cargo")?.success() {
                bail!("the features {features} do not type-check");
            }
        }
        println!("cuda and cudnn type-check (nothing was run on a GPU)");
        Ok(())
    }
}

/// Installs the wheels into `folder` and links them into one toolkit.
fn install(folder: &Path) -> Result<PathBuf> {
    let toolkit = folder.join("toolkit");
    if toolkit.join("complete").exists() {
        return Ok(toolkit);
    }
    let site = folder.join("wheels");
    eprintln!("installing the CUDA toolkit's wheels into {} …", site.display());
    let python = std::env::var_os("IN9_PYTHON").unwrap_or_else(|| "python3".into());
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
    pip.arg(&site).args(WHEELS);
    ensure!(
        pip.status().context("starting pip")?.success(),
        "the wheels cannot be installed; name a toolkit with --toolkit"
    );
    if toolkit.exists() {
        fs::remove_dir_all(&toolkit)?;
    }
    for (from, to) in [("nvidia/cu13", ""), ("nvidia/cudnn/include", "include"), ("nvidia/cudnn/lib", "lib")]
    {
        link_tree(&site.join(from), &toolkit.join(to))?;
    }
    link(Path::new("lib"), &toolkit.join("lib64"))?;
    // The linker asks for `libx.so`; the wheels hold `libx.so.13`.
    for entry in fs::read_dir(toolkit.join("lib"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some((stem, _)) = name.split_once(".so.") {
            let plain = toolkit.join("lib").join(format!("{stem}.so"));
            if !plain.exists() {
                link(Path::new(&name), &plain)?;
            }
        }
    }
    fs::write(toolkit.join("complete"), "")?;
    Ok(toolkit)
}

/// Makes `to` a copy of the folder `from` whose files are links.
fn link_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{}: not in the wheels", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            link_tree(&entry.path(), &target)?;
        } else if !target.exists() {
            link(&entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    std::os::unix::fs::symlink(from, to).with_context(|| format!("linking {}", to.display()))
}

#[cfg(not(unix))]
fn link(_: &Path, to: &Path) -> Result<()> {
    bail!("{}: links are only made on Unix; name a toolkit with --toolkit", to.display())
}
