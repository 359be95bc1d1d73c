//! Progress: a bar with rate and time left on a terminal, plain lines otherwise.

use super::out::Log;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Progress of one piece of work.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    log: Log,
    what: &'static str,
    begun: Instant,
    said: Instant,
}

impl Bar {
    /// Begins a piece of work of unknown length.
    pub(crate) fn new(log: Log, what: &'static str) -> Self {
        let terminal = !log.quiet && std::io::stderr().is_terminal();
        let bar = terminal.then(|| {
            let bar = ProgressBar::new(0);
            // A broken template would only lose the looks.
            if let Ok(style) =
                ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta} left")
            {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        let now = Instant::now();
        Self { bar, log, what, begun: now, said: now }
    }

    /// Notes that `done` of `all` are done; `note` is said with it in plain lines.
    pub(crate) fn set(&mut self, done: usize, all: usize, note: &str) {
        if let Some(bar) = &self.bar {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        } else if self.said.elapsed() > Duration::from_secs(10) {
            self.said = Instant::now();
            let seconds = self.begun.elapsed().as_secs_f64();
            let rate = done as f64 / seconds;
            let left = (all - done.min(all)) as f64 / rate.max(1e-9);
            self.log.say(&format!("{}: {done}/{all}{note}, {rate:.1}/s, {left:.0} s left", self.what));
        }
    }

    /// Ends the work.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
