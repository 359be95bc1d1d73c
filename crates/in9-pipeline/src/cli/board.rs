//! What is shown while stages run: bars on a terminal, plain lines otherwise.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use in9_base::shell::Shell;
use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cache::Cache;
use crate::graph::{Graph, Kind, Stage};
use crate::run::{Ending, Observer};

/// How often a running stage's last words are repeated when no terminal shows them.
const REPEAT: Duration = Duration::from_secs(30);

pub(super) struct Board {
    shell: Shell,
    terminal: bool,
    bars: MultiProgress,
    total: ProgressBar,
    state: Mutex<Progress>,
}

struct Progress {
    left: BTreeMap<Kind, usize>,
    /// Seconds that ended stages of a kind took.
    took: BTreeMap<Kind, Vec<f64>>,
    started: Instant,
    /// Stages that run side by side.
    lanes: usize,
    running: BTreeMap<String, Lane>,
}

/// One running stage.
struct Lane {
    bar: ProgressBar,
    said: Instant,
    started: Instant,
}

impl Board {
    /// For those of the `wanted` stages that are not done, on so many cores.
    pub(super) fn new(
        graph: &Graph,
        cache: &Cache,
        wanted: &[usize],
        cores: usize,
        shell: Shell,
    ) -> Result<Self> {
        let states = cache.states(graph)?;
        let mut left = BTreeMap::new();
        for at in wanted.iter().filter(|at| !states[**at].is_done()) {
            *left.entry(graph.stages[*at].kind).or_insert(0) += 1;
        }
        let count: usize = left.values().sum();
        let target =
            if shell.is_quiet() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(ProgressBar::new(count as u64));
        total.set_style(style("{bar:30.green/dim} {pos}/{len} stages, {elapsed} {msg}"));
        total.enable_steady_tick(Duration::from_millis(500));
        let state = Progress {
            left,
            took: BTreeMap::new(),
            started: Instant::now(),
            lanes: cores.max(1),
            running: BTreeMap::new(),
        };
        Ok(Self { shell, terminal: !bars.is_hidden(), bars, total, state: Mutex::new(state) })
    }

    pub(super) fn clear(&self) {
        self.total.finish_and_clear();
    }
}

impl Observer for Board {
    fn start(&self, stage: &Stage, cores: usize) {
        let bar = self.bars.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim} {wide_msg:.dim}"));
        bar.set_prefix(stage.id.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        if !self.terminal {
            let unit = if cores == 1 { "core" } else { "cores" };
            self.shell.say(format_args!("start  {} ({cores} {unit})", stage.id));
        }
        let now = Instant::now();
        if let Ok(mut state) = self.state.lock() {
            state.running.insert(stage.id.clone(), Lane { bar, said: now, started: now });
        }
    }

    fn say(&self, stage: &Stage, line: &str) {
        let Ok(mut state) = self.state.lock() else { return };
        let Some(lane) = state.running.get_mut(&stage.id) else { return };
        lane.bar.set_message(line.to_owned());
        if !self.terminal && lane.said.elapsed() >= REPEAT {
            lane.said = Instant::now();
            self.shell.say(format_args!("       {}: {line}", stage.id));
        }
    }

    fn end(&self, stage: &Stage, ending: Ending) {
        let Ok(mut state) = self.state.lock() else { return };
        let Some(lane) = state.running.remove(&stage.id) else { return };
        lane.bar.finish_and_clear();
        let seconds = lane.started.elapsed().as_secs_f64();
        let left = state.left.entry(stage.kind).or_default();
        *left = left.saturating_sub(1);
        state.took.entry(stage.kind).or_default().push(seconds);
        let left = state.time_left().filter(|left| left.as_secs() >= 1);
        let left = left.map_or_else(String::new, |left| format!("about {} left", HumanDuration(left)));
        let total = state.started.elapsed();
        drop(state);
        self.total.inc(1);
        self.total.set_message(left.clone());
        let word = if matches!(ending, Ending::Done) { "done" } else { "FAILED" };
        let mut line = format!("{word:<6} {} in {seconds:.1} s", stage.id);
        if !self.terminal {
            line += &format!(
                "  [{}/{} stages, {} so far",
                self.total.position(),
                self.total.length().unwrap_or(0),
                HumanDuration(total)
            );
            line += &if left.is_empty() { "]".to_owned() } else { format!(", {left}]") };
        }
        self.note(&line);
        if let Ending::Failed(error) = ending {
            self.note(&format!("       {}: {error}", stage.id));
        }
    }

    fn note(&self, line: &str) {
        if self.terminal {
            // Only a terminal that went away can refuse this.
            let _ = self.bars.println(line);
        } else {
            self.shell.say(line);
        }
    }
}

impl Progress {
    /// Time left, from what ended stages of each kind took; `None` before a kind of stage has ended that is
    /// still to come.
    fn time_left(&self) -> Option<Duration> {
        let mut seconds = 0.0;
        for (kind, left) in self.left.iter().filter(|(_, left)| **left > 0) {
            let mean = match self.took.get(kind) {
                Some(took) => took.iter().sum::<f64>() / took.len() as f64,
                // Training is what takes long: without one there is nothing to go by.
                None if *kind == Kind::Train => return None,
                None => 1.0,
            };
            let lanes = if kind.is_wide() { 1.0 } else { self.lanes as f64 };
            seconds += mean * *left as f64 / lanes;
        }
        Some(Duration::from_secs_f64(seconds))
    }
}

/// A broken template would only lose the looks.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
