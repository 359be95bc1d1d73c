//! A bar with rate and time left on a terminal; a plain line every ten seconds otherwise.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

const EVERY: Duration = Duration::from_secs(10);

/// Shows how far one stage of work is.
pub(crate) struct Bar {
    quiet: bool,
    state: Mutex<State>,
}

struct State {
    stage: &'static str,
    bar: Option<ProgressBar>,
    /// Work done before this run, which must not count into the rate.
    already: u64,
    begun: Instant,
    told: Instant,
}

impl Bar {
    pub(crate) fn new(quiet: bool) -> Self {
        let now = Instant::now();
        Self { quiet, state: Mutex::new(State { stage: "", bar: None, already: 0, begun: now, told: now }) }
    }

    /// Says that `done` of `total` are done.
    pub(crate) fn tell(&self, stage: &'static str, done: u64, total: u64) {
        if self.quiet {
            return;
        }
        let Ok(mut state) = self.state.lock() else { return };
        if state.stage != stage {
            state.finish();
            let now = Instant::now();
            *state = State { stage, bar: None, already: done.saturating_sub(1), begun: now, told: now };
            if std::io::stderr().is_terminal() {
                let template = "{msg} [{bar:30}] {pos}/{len} {per_sec}, {eta} left";
                let style =
                    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
                state.bar = Some(ProgressBar::new(total).with_style(style).with_message(stage));
            }
        }
        match &state.bar {
            Some(bar) => bar.set_position(done),
            None if state.told.elapsed() >= EVERY => {
                state.told = Instant::now();
                let rate = done.saturating_sub(state.already) as f64 / state.begun.elapsed().as_secs_f64();
                let left = total.saturating_sub(done) as f64 / rate.max(1e-9);
                eprintln!("{stage}: {done} of {total}, {rate:.0}/s, {left:.0} s left");
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.finish();
        }
    }
}

impl State {
    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
