//! One crate's commands.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Command, Error, Parser};
use in9_base::shell::{self, Program};

/// A crate's command line, whatever its type.
pub(crate) struct Part {
    /// Whose commands are this part's; of a program without commands, it is the command itself.
    command: fn() -> Command,
    /// The name of such a program here.
    alone: Option<&'static str>,
    check: fn(&[OsString]) -> Result<(), Error>,
    run: fn(Vec<OsString>) -> ExitCode,
    identity: &'static str,
}

impl Part {
    /// The command line `C`, and what its crate was built from; empty for a crate that computes nothing.
    pub(crate) fn of<C: Parser + Program>(identity: &'static str) -> Self {
        Self {
            command: C::command,
            alone: None,
            check: |words| parse::<C>(words).map(|_| ()),
            run: |words| match parse::<C>(&words) {
                Ok(program) => shell::run(program),
                Err(error) => error.exit(),
            },
            identity,
        }
    }

    /// The command line `C` of a program without commands, which is here the command `name`.
    pub(crate) fn alone<C: Parser + Program>(name: &'static str, identity: &'static str) -> Self {
        Self { alone: Some(name), ..Self::of::<C>(identity) }
    }

    pub(crate) fn commands(&self) -> Vec<Command> {
        let command = (self.command)();
        match self.alone {
            Some(name) => vec![command.name(name)],
            None => command.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.commands().iter().any(|command| command.get_name() == name)
    }

    pub(crate) fn identity(&self) -> &'static str {
        self.identity
    }

    /// Reads the arguments and does nothing.
    pub(crate) fn check(&self, words: &[OsString]) -> Result<(), Error> {
        (self.check)(&self.own(words))
    }

    pub(crate) fn run(&self, words: &[OsString]) -> ExitCode {
        (self.run)(self.own(words))
    }

    /// The words as the part's own program would be given them.
    fn own(&self, words: &[OsString]) -> Vec<OsString> {
        let command = self.alone.and_then(|name| words.iter().position(|word| word == name));
        let kept = words.iter().enumerate().filter(|(at, _)| Some(*at) != command);
        kept.map(|(_, word)| word.clone()).collect()
    }
}

/// Reads `words`, of which the first is the program's name.
fn parse<C: Parser>(words: &[OsString]) -> Result<C, Error> {
    let command = C::command().name("in9").bin_name("in9");
    let mut matches = command.try_get_matches_from(words)?;
    C::from_arg_matches_mut(&mut matches)
}
