//! What every program does around its work: threads, progress, signals, one-line errors, exit codes.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong
//! usage, 3 done but some input was left out, 130 and 143 stopped by Ctrl-C and by SIGTERM (and likewise 128 and the
//! number of SIGHUP and SIGUSR1).

mod jobs;
mod message;
mod progress;
#[cfg(unix)]
mod signals;
mod statistics;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use crate::piece::{NoPiece, Piece};
pub use jobs::{Jobs, available, start_pool};
pub use message::one_line;
pub use progress::Progress;
#[cfg(unix)]
pub use signals::{TIME_IS_UP, on_stop};
pub use statistics::Statistics;

// For readers of the documentation only: clap would print it in the place of what the program is for.
#[cfg_attr(doc, doc = "How the work is done; none of it changes a byte of the results.")]
#[allow(missing_docs, reason = "see the line above")]
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[command(next_help_heading = "Machine")]
pub struct Machine {
    /// Worker threads [default: every core that this process may use]
    #[arg(long, short, global = true, value_name = "N")]
    pub jobs: Option<Jobs>,
    /// Say nothing but results and errors
    #[arg(long, global = true)]
    pub quiet: bool,
}

impl Machine {
    /// Worker threads to use.
    pub fn threads(&self) -> usize {
        self.jobs.map_or_else(jobs::from_environment, Jobs::count)
    }
}

/// The piece that a program is asked for, as clap parses it: `i/n`, `auto` or `auto/n` ([`Piece::asked`] by the variables of
/// this process).
///
/// # Errors
/// If the text, or what the scheduler says, names no piece.
pub fn piece(text: &str) -> Result<Piece, NoPiece> {
    Piece::asked(text, &|name| std::env::var(name).ok())
}

/// How a command that did not fail has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Some input was reported and left out.
    Skips,
}

/// A parsed command line that can be run.
pub trait Program {
    /// How the work is to be done.
    fn machine(&self) -> Machine;

    /// Starts `threads` worker threads; called once, before any other thread runs.
    ///
    /// # Errors
    /// If they cannot be started.
    fn start(&self, threads: usize) -> anyhow::Result<()> {
        start_pool(threads)
    }

    /// Does the work.
    ///
    /// # Errors
    /// Whatever stops the work; it is printed as one line.
    fn run(self, shell: &Shell) -> anyhow::Result<Outcome>;
}

/// Parses the command line and runs it: the whole of a program's `main`.
pub fn main<P: Program + clap::Parser>() -> ExitCode {
    run(P::parse())
}

/// Runs a parsed command line: threads, signals, errors, exit code.
pub fn run(program: impl Program) -> ExitCode {
    let machine = program.machine();
    let shell = Shell { quiet: machine.quiet };
    let work = || {
        crate::parent::watch()?;
        program.start(machine.threads())?;
        #[cfg(unix)]
        signals::watch()?;
        program.run(&shell)
    };
    match work() {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Skips) => ExitCode::from(3),
        Err(error) if message::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Prints an error and its causes as one line on standard error.
pub fn complain(error: &anyhow::Error) {
    say(format_args!("error: {}", one_line(error)));
}

/// Where a program's words go.
#[derive(Debug, Clone, Copy)]
pub struct Shell {
    quiet: bool,
}

impl Shell {
    /// A shell that says nothing but errors if `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Whether nothing but results and errors is said.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// A message to people: one line on standard error.
    pub fn say(&self, line: impl Display) {
        if !self.quiet {
            say(line);
        }
    }

    /// Results: `text` and an end of line on standard output.
    ///
    /// # Errors
    /// If they cannot be written. A reader that went away ends the program quietly, by [`run`].
    pub fn print(&self, text: impl Display) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(|error| anyhow::Error::from(error).context("cannot write to standard output"))
    }

    /// Shows the progress of `total` units of work called `what`: a bar on a terminal, a line every ten
    /// seconds elsewhere.
    pub fn progress(&self, what: &str, unit: &'static str, total: u64) -> Progress {
        Progress::new(*self, what, unit, total)
    }
}

/// One line on standard error. A full disk or closed pipe behind it must not end the work.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
