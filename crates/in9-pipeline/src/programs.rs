//! The workspace's programs: built once, found, and identified by their contents.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::graph::Program;

pub(crate) struct Programs {
    folder: PathBuf,
    digests: Vec<String>,
}

impl Programs {
    /// Builds the programs in release, or takes those in `folder`.
    pub(crate) fn ready(folder: Option<PathBuf>, device: &str) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder,
            None => build(device)?,
        };
        let folder = std::path::absolute(&folder)?;
        let mut digests = Vec::new();
        for program in Program::ALL {
            let path = folder.join(program.name()).with_extension(std::env::consts::EXE_EXTENSION);
            let bytes = std::fs::read(&path)
                .with_context(|| format!("{}: the program is not there", path.display()))?;
            digests.push(blake3::hash(&bytes).to_hex().to_string());
        }
        Ok(Self { folder, digests })
    }

    pub(crate) fn path(&self, program: Program) -> PathBuf {
        self.folder.join(program.name()).with_extension(std::env::consts::EXE_EXTENSION)
    }

    pub(crate) fn digest(&self, program: Program) -> Result<&str> {
        let at = Program::ALL.iter().position(|p| *p == program).context("a program without a place")?;
        Ok(&self.digests[at])
    }
}

fn build(device: &str) -> Result<PathBuf> {
    eprintln!("building the programs (release; the first time takes a few minutes) …");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--quiet", "--bins"]);
    for program in Program::ALL {
        cargo.args(["-p", program.name()]);
    }
    if device.starts_with("cuda") {
        cargo.args(["--features", "in9-models/cudnn,in9-analysis/cudnn"]);
    }
    ensure!(cargo.status().context("starting cargo")?.success(), "the programs do not compile; see above");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(target.join("release"))
}
