//! Progress of long work: a bar with rate and time left on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Shell;

/// Time between lines when nobody looks at a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts work against a total. May be shared between threads.
pub struct Progress {
    shell: Shell,
    unit: &'static str,
    /// Drawn on a terminal only.
    bar: ProgressBar,
    lines: bool,
    state: Mutex<State>,
}

struct State {
    what: String,
    done: u64,
    total: u64,
    /// Work that was done before this process started, which must not count into the rate.
    before: u64,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    pub(super) fn new(shell: Shell, what: &str, unit: &'static str, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = match terminal && !shell.quiet {
            true => ProgressDrawTarget::stderr_with_hz(5),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // A broken template would only lose the looks.
        if let Ok(style) =
            ProgressStyle::with_template("{msg:24!} {wide_bar} {human_pos}/{human_len} {prefix} {eta} left")
        {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        let now = Instant::now();
        let state = State { what: what.to_owned(), done: 0, total, before: 0, started: now, last_line: now };
        Self { shell, unit, bar, lines: !terminal && !shell.quiet, state: Mutex::new(state) }
    }

    /// Says that `done` of `total` units of `what` are done. Another `what` begins another piece of work:
    /// its rate counts from here.
    pub fn tell(&self, what: &str, done: u64, total: u64) {
        let Ok(mut state) = self.state.lock() else { return };
        if state.what != what {
            let now = Instant::now();
            *state = State {
                what: what.to_owned(),
                done,
                total,
                before: done.saturating_sub(1),
                started: now,
                last_line: now,
            };
            self.bar.set_message(what.to_owned());
            self.bar.reset_eta();
        }
        state.total = total;
        self.bar.set_length(total);
        self.advance(&mut state, done);
    }

    /// Says that `count` more units are done.
    pub fn add(&self, count: u64) {
        if let Ok(mut state) = self.state.lock() {
            let done = state.done + count;
            self.advance(&mut state, done);
        }
    }

    /// Starts over with another total, of which `done` units were done before.
    pub fn restart(&self, done: u64, total: u64) {
        let Ok(mut state) = self.state.lock() else { return };
        (state.done, state.before, state.total, state.started) = (done, done, total, Instant::now());
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    /// Gives the work another name without starting over, as when an epoch or a loss is part of it.
    pub fn rename(&self, what: &str) {
        if let Ok(mut state) = self.state.lock() {
            what.clone_into(&mut state.what);
            self.bar.set_message(what.to_owned());
        }
    }

    /// A line that stays.
    pub fn note(&self, line: &str) {
        if self.lines {
            self.shell.say(line);
        } else {
            self.bar.println(line);
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn advance(&self, state: &mut State, done: u64) {
        state.done = done;
        let seconds = state.started.elapsed().as_secs_f64().max(1e-9);
        let rate = done.saturating_sub(state.before) as f64 / seconds;
        let unit = self.unit;
        let shown = if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") };
        self.bar.set_prefix(format!("{shown} {unit}/s"));
        self.bar.set_position(done);
        if self.lines && state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            let left = state.total.saturating_sub(done) as f64 / rate.max(1e-9);
            let left = HumanDuration(Duration::from_secs_f64(left.min(1e9)));
            let (what, total) = (&state.what, state.total);
            self.shell.say(format_args!("{what}: {done}/{total} {unit}, {shown} {unit}/s, {left} left"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_an_earlier_process_does_not_count_into_the_rate() {
        let progress = Shell::new(true).progress("training", "images", 0);
        progress.restart(1000, 2000);
        progress.add(10);
        let state = progress.state.lock().unwrap();
        assert_eq!((state.done, state.before, state.total), (1010, 1000, 2000));
    }

    #[test]
    fn another_piece_of_work_starts_over() {
        let progress = Shell::new(true).progress("masks", "photographs", 10);
        progress.tell("masks", 10, 10);
        progress.tell("resizing", 3, 20);
        let state = progress.state.lock().unwrap();
        assert_eq!((state.what.as_str(), state.done, state.before, state.total), ("resizing", 3, 2, 20));
    }
}
