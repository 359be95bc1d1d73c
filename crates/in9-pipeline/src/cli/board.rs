//! What is shown while stages run: bars on a terminal, plain lines otherwise.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::graph::Kind;

/// How often a running stage's last words are repeated when no terminal shows them.
const REPEAT: Duration = Duration::from_secs(30);

pub(crate) struct Board {
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
    lanes: usize,
}

/// One running stage.
pub(crate) struct Lane<'a> {
    board: &'a Board,
    bar: ProgressBar,
    name: String,
    said: Mutex<Instant>,
    started: Instant,
}

impl Board {
    /// For stages of these kinds, of which `lanes` run side by side.
    pub(crate) fn new(kinds: impl Iterator<Item = Kind>, lanes: usize) -> Self {
        let mut left = BTreeMap::new();
        for kind in kinds {
            *left.entry(kind).or_insert(0) += 1;
        }
        let count: usize = left.values().sum();
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = bars.add(ProgressBar::new(count as u64));
        total.set_style(style("{bar:30.green/dim} {pos}/{len} stages, {elapsed} {msg}"));
        total.enable_steady_tick(Duration::from_millis(500));
        let state = Progress { left, took: BTreeMap::new(), started: Instant::now(), lanes: lanes.max(1) };
        Self { terminal: !bars.is_hidden(), bars, total, state: Mutex::new(state) }
    }

    /// A stage starts.
    pub(crate) fn start(&self, name: &str, cores: usize) -> Lane<'_> {
        let bar = self.bars.insert_before(&self.total, ProgressBar::new_spinner());
        bar.set_style(style("{spinner:.cyan} {prefix} {elapsed:.dim} {wide_msg:.dim}"));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        if !self.terminal {
            eprintln!("start  {name} ({cores} {})", if cores == 1 { "core" } else { "cores" });
        }
        let now = Instant::now();
        Lane { board: self, bar, name: name.to_owned(), said: Mutex::new(now), started: now }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        if self.terminal {
            // Only a terminal that went away can refuse this.
            let _ = self.bars.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    pub(crate) fn clear(&self) {
        self.total.finish_and_clear();
    }

    /// Time left, from what ended stages of each kind took; `None` before a kind of stage has ended that is
    /// still to come.
    fn left(&self) -> Option<Duration> {
        let state = self.state.lock().expect("no holder panics");
        let mut seconds = 0.0;
        for (kind, left) in &state.left {
            if *left == 0 {
                continue;
            }
            let took = state.took.get(kind);
            let mean = match took {
                Some(took) => took.iter().sum::<f64>() / took.len() as f64,
                // Training is what takes long: without one there is nothing to go by.
                None if *kind == Kind::Train => return None,
                None => 1.0,
            };
            let lanes = if kind.is_wide() { 1.0 } else { state.lanes as f64 };
            seconds += mean * *left as f64 / lanes;
        }
        Some(Duration::from_secs_f64(seconds))
    }
}

impl Lane<'_> {
    /// What the program said last.
    pub(crate) fn say(&self, line: &str) {
        self.bar.set_message(line.to_owned());
        let mut said = self.said.lock().expect("no holder panics");
        if !self.board.terminal && said.elapsed() >= REPEAT {
            *said = Instant::now();
            eprintln!("       {}: {line}", self.name);
        }
    }

    /// The stage has ended.
    pub(crate) fn end(self, kind: Kind, outcome: &str) {
        self.bar.finish_and_clear();
        let seconds = self.started.elapsed().as_secs_f64();
        {
            let mut state = self.board.state.lock().expect("no holder panics");
            if let Some(left) = state.left.get_mut(&kind) {
                *left = left.saturating_sub(1);
            }
            state.took.entry(kind).or_default().push(seconds);
        }
        let left = self.board.left().filter(|left| left.as_secs() >= 1);
        let left = left.map_or_else(String::new, |left| format!("about {} left", HumanDuration(left)));
        self.board.total.inc(1);
        self.board.total.set_message(left.clone());
        let mut line = format!("{outcome:<6} {} in {seconds:.1} s", self.name);
        if !self.board.terminal {
            let total = self.board.state.lock().expect("no holder panics").started.elapsed();
            line += &format!(
                "  [{}/{} stages, {} so far",
                self.board.total.position(),
                self.board.total.length().unwrap_or(0),
                HumanDuration(total)
            );
            line += &if left.is_empty() { "]".to_owned() } else { format!(", {left}]") };
        }
        self.board.say(&line);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a fixed template")
}
