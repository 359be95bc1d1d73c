//! NVIDIA's toolkit from its Python wheels, linked into one folder as a toolkit has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// nvcc, its headers and its code generator must be of one version, which pip would not see to. 13.0 is the oldest
/// toolkit of its generation: what it makes loads with every driver of CUDA 13.
const WHEELS: [&str; 9] = [
    "nvidia-cuda-nvcc==13.0.*",
    "nvidia-cuda-crt==13.0.*",
    "nvidia-nvvm==13.0.*",
    "nvidia-cuda-runtime==13.0.*",
    "nvidia-cuda-nvrtc==13.0.*",
    "nvidia-cuda-cccl==13.0.*",
    "nvidia-cublas==13.0.*",
    "nvidia-curand",
    "nvidia-cudnn-cu13",
];

/// Installs the wheels into `folder` and links them into one toolkit.
pub(super) fn install(folder: &Path) -> Result<PathBuf> {
    let toolkit = folder.join("toolkit");
    if toolkit.join("complete").exists() {
        return Ok(toolkit);
    }
    let site = folder.join("wheels");
    eprintln!("installing the CUDA toolkit's wheels into {} …", site.display());
    let mut pip = Command::new(python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]);
    // In a container pip runs as root, which harms nothing below target.
    pip.arg(&site).args(WHEELS).env("PIP_ROOT_USER_ACTION", "ignore");
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

/// The Python that has pip, and for --run perhaps PyTorch.
pub(super) fn python() -> std::ffi::OsString {
    std::env::var_os("IN9_PYTHON").unwrap_or_else(|| "python3".into())
}

/// nvcc of a toolkit.
pub(super) fn nvcc(toolkit: &Path) -> Result<PathBuf> {
    let nvcc = toolkit.join("bin/nvcc");
    ensure!(nvcc.exists(), "{}: not there; --toolkit must name a CUDA toolkit", nvcc.display());
    Ok(nvcc)
}

/// Has a command find the toolkit.
pub(super) fn environment(command: &mut Command, toolkit: &Path) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(toolkit.join("bin")).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(path)?).env("NVCC", nvcc(toolkit)?);
    for name in ["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT", "CUDA_TOOLKIT_ROOT_DIR"] {
        command.env(name, toolkit);
    }
    Ok(())
}

/// A stand-in for the driver's library, which no wheel holds and the linker wants: each of the functions that
/// cudarc names, answering that there is no device. Programs find the real one at run time.
pub(super) fn stub(folder: &Path, cudarc: &Path) -> Result<PathBuf> {
    let stubs = folder.join("stubs");
    let library = stubs.join("libcuda.so");
    if library.exists() {
        return Ok(stubs);
    }
    fs::create_dir_all(&stubs)?;
    let sys = cudarc.join("src/driver/sys/mod.rs");
    let text = fs::read_to_string(&sys).with_context(|| sys.display().to_string())?;
    let after_fn = text.split("fn cu").skip(1);
    let name = |rest: &str| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        format!("cu{}", &rest[..end])
    };
    let mut names: Vec<String> = after_fn.map(name).collect();
    names.sort();
    names.dedup();
    // 100 is CUDA_ERROR_NO_DEVICE.
    let source: String = names.iter().map(|name| format!("int {name}(void) {{ return 100; }}\n")).collect();
    fs::write(stubs.join("stub.c"), source)?;
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut cc = Command::new(compiler);
    cc.args(["-shared", "-fPIC", "-w", "-Wl,-soname,libcuda.so.1", "-o"])
        .arg(&library)
        .arg(stubs.join("stub.c"));
    ensure!(
        cc.status().context("starting the C compiler")?.success(),
        "the driver's stand-in does not compile"
    );
    Ok(stubs)
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
    anyhow::bail!("{}: links are only made on Unix; name a toolkit with --toolkit", to.display())
}
