//! `cargo xtask wheel`: the Python package, built, checked, and on request installed and tested.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

/// What builds and checks wheels; installed below target/wheel-tools.
const TOOLS: [&str; 3] = ["maturin>=1.9.4,<2", "abi3audit>=0.0.20", "twine>=6"];
const PACKAGE: &str = "crates/in9-python";
/// Where wheels come, in the target directory.
const WHEELS: &str = "target/wheels";

/// Build the Python package `in9` into target/wheels: a wheel for CPython 3.11 and later, and a source distribution
///
/// Both are checked with abi3audit and twine.
#[derive(Args)]
pub(crate) struct Wheel {
    /// Profile that the wheel is compiled with; dev is for tests
    #[arg(long, default_value = "release")]
    profile: String,
    /// Build for this interpreter alone, such as a free-threaded python3.14t, for which there is no stable interface
    #[arg(long, value_name = "PYTHON")]
    interpreter: Option<PathBuf>,
    /// Leave out the source distribution
    #[arg(long)]
    no_sdist: bool,
}

impl Wheel {
    pub(crate) fn run(self) -> Result<()> {
        let tools = tools()?;
        let manifest = format!("{PACKAGE}/Cargo.toml");
        let mut maturin = Command::new(tools.join("maturin"));
        maturin.args(["build", "--locked", "--manifest-path", &manifest, "--profile", &self.profile]);
        maturin.args(["--out", WHEELS, "--interpreter"]);
        let own = tools.join("python");
        maturin.arg(self.interpreter.as_deref().unwrap_or(&own));
        let before = files("whl")?;
        run(&mut maturin)?;
        let wheels = new(before, files("whl")?);
        if self.interpreter.is_none() {
            run(Command::new(tools.join("abi3audit")).args(["--strict", "--summary"]).args(&wheels))?;
        }
        run(Command::new(tools.join("twine")).args(["check", "--strict"]).args(&wheels))?;
        if !self.no_sdist {
            let before = files("gz")?;
            run(Command::new(tools.join("maturin")).args([
                "sdist",
                "--manifest-path",
                &manifest,
                "--out",
                WHEELS,
            ]))?;
            run(Command::new(tools.join("twine"))
                .args(["check", "--strict"])
                .args(new(before, files("gz")?)))?;
        }
        for wheel in &wheels {
            println!("{}", wheel.display());
        }
        Ok(())
    }
}

/// Files of target/wheels with this ending, and when each was written.
fn files(ending: &str) -> Result<Vec<(PathBuf, std::time::SystemTime)>> {
    let Ok(folder) = std::fs::read_dir(WHEELS) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in folder {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == ending) {
            let written = std::fs::metadata(&path)?.modified()?;
            found.push((path, written));
        }
    }
    Ok(found)
}

/// Those that were not there before, or were written again.
fn new(
    before: Vec<(PathBuf, std::time::SystemTime)>,
    after: Vec<(PathBuf, std::time::SystemTime)>,
) -> Vec<PathBuf> {
    after.into_iter().filter(|file| !before.contains(file)).map(|(path, _)| path).collect()
}

/// The folder of the tools' programs; installs them first where they are not.
fn tools() -> Result<PathBuf> {
    let folder = std::env::current_dir()?.join("target/wheel-tools");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if !programs.join("twine").with_extension(std::env::consts::EXE_EXTENSION).exists() {
        let python =
            std::env::var_os("IN9_WHEEL_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
        run(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(Command::new(programs.join("python")).args(pip).args(TOOLS))?;
    }
    Ok(programs)
}

fn run(command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_owned();
    eprintln!("== {} {}", program.display(), words(command));
    let status = command.status().with_context(|| format!("starting {}", program.display()))?;
    ensure!(status.success(), "{} failed", program.display());
    Ok(())
}

fn words(command: &Command) -> String {
    command.get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
