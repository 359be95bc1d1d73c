//! The program that runs the stages, and what its commands were built from.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The program `in9`: its sub-commands are the stages' programs.
#[derive(Debug, Clone)]
pub struct Programs {
    program: PathBuf,
    /// What each sub-command was built from: a digest of the sources of the crates that it runs.
    identities: BTreeMap<String, String>,
}

impl Programs {
    /// Asks `program` what its commands were built from (`in9 identity` prints a command and its identity a
    /// line).
    ///
    /// # Errors
    /// [`Error::Start`] if it cannot be started, [`Error::NoIdentity`] if it does not tell.
    pub fn open(program: &Path) -> Result<Self> {
        let program = std::path::absolute(program).map_err(Error::read(program))?;
        let output = Command::new(&program)
            .arg("identity")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|source| Error::Start { program: program.clone(), source })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        let identities: BTreeMap<_, _> =
            pairs.map(|(command, identity)| (command.to_owned(), identity.to_owned())).collect();
        if !output.status.success() || identities.is_empty() {
            return Err(Error::NoIdentity { program, command: "identity".to_owned() });
        }
        Ok(Self { program, identities })
    }

    /// Programs of no command.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { program: PathBuf::from("in9"), identities: BTreeMap::new() }
    }

    /// The program's path.
    pub fn path(&self) -> &Path {
        &self.program
    }

    /// What the sub-command `command` was built from.
    ///
    /// # Errors
    /// [`Error::NoIdentity`] if the program has no such command.
    pub fn identity(&self, command: &str) -> Result<&str> {
        let identity = self.identities.get(command).map(String::as_str);
        identity.ok_or_else(|| self.lacks(command))
    }

    /// Lets the program read the arguments of every stage without doing anything, so that a misspelt option
    /// is found before hours of work and not after. `commands` are (stage, arguments).
    ///
    /// # Errors
    /// [`Error::Arguments`] with the first stage whose arguments are refused; [`Error::Start`].
    pub fn check(&self, commands: &[(String, Vec<String>)]) -> Result<()> {
        let start = |source| Error::Start { program: self.program.clone(), source };
        let mut child = Command::new(&self.program)
            .arg("check-arguments")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let lines: Vec<&Vec<String>> = commands.iter().map(|(_, arguments)| arguments).collect();
        let text = serde_json::to_string(&lines).map_err(|error| start(error.into()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends early says why by its exit code.
            let _ = stdin.write_all(text.as_bytes());
        }
        let output = child.wait_with_output().map_err(start)?;
        let answers: Option<Vec<Option<String>>> = serde_json::from_slice(&output.stdout).ok();
        let answers = answers.filter(|answers| output.status.success() && answers.len() == commands.len());
        let answers = answers.ok_or_else(|| self.lacks("check-arguments"))?;
        for ((stage, _), answer) in commands.iter().zip(answers) {
            if let Some(what) = answer {
                return Err(Error::Arguments { stage: stage.clone(), what });
            }
        }
        Ok(())
    }

    fn lacks(&self, command: &str) -> Error {
        Error::NoIdentity { program: self.program.clone(), command: command.to_owned() }
    }
}
