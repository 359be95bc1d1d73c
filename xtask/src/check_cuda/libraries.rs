//! Where a machine keeps CUDA's libraries and tools.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::toolkit::python;

/// Folders that hold a driver or a toolkit where the loader does not look by itself.
const USUAL: [&str; 5] = [
    "/usr/local/cuda/lib64",
    "/usr/local/cuda/targets/x86_64-linux/lib",
    "/usr/local/nvidia/lib64",
    "/usr/local/nvidia/lib",
    "/usr/lib/wsl/lib",
];

/// Prints the folders of the wheels that a Python sees.
const WHEELS: &str = "import glob, site, sys\n\
    roots = {p for p in sys.path + site.getsitepackages() if p.endswith('-packages')}\n\
    print('\\n'.join(f for r in sorted(roots) for f in sorted(glob.glob(r + '/nvidia/*/lib'))))";

/// A value of LD_LIBRARY_PATH: what it has now, a toolkit's folder, those of a Python's wheels, the usual ones.
pub(super) fn search_path(toolkit: Option<&Path>) -> Result<OsString> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths).collect();
    folders.extend(toolkit.map(|toolkit| toolkit.join("lib64")));
    if let Ok(output) = Command::new(python()).args(["-c", WHEELS]).output() {
        folders.extend(String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from));
    }
    folders.extend(USUAL.map(PathBuf::from));
    folders.retain(|folder| folder.is_dir());
    Ok(std::env::join_paths(folders)?)
}

/// Refuses a program that does not start, with the loader's own line: it names the library that is missing.
pub(super) fn check_start(program: &Path, paths: &OsStr) -> Result<()> {
    let mut version = Command::new(program);
    let output = version.arg("--version").env("LD_LIBRARY_PATH", paths).output();
    let output = output.with_context(|| format!("starting {}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{}: does not start: {}; it needs NVIDIA's driver and the libraries of CUDA 13 with cuDNN 9, of a toolkit \
         (--toolkit), of a Python's wheels (IN9_PYTHON), or in LD_LIBRARY_PATH",
        program.display(),
        said.lines().next().unwrap_or("it said nothing")
    )
}

/// A tool of the toolkit, where it is there.
pub(super) fn tool(name: &str, toolkit: Option<&Path>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(toolkit.map(|toolkit| toolkit.join("bin")));
    folders.chain(["/usr/local/cuda/bin".into()]).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_program_that_does_not_start_is_refused_with_what_would_help() {
        let error = check_start(Path::new("false"), OsStr::new("")).unwrap_err().to_string();
        assert!(error.starts_with("false: does not start: ") && error.contains("--toolkit"), "{error}");
        assert!(check_start(Path::new("true"), OsStr::new("")).is_ok());
        assert!(check_start(Path::new("no such program"), OsStr::new("")).is_err());
    }
}
