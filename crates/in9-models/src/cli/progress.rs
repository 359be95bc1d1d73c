//! Progress of long work: a bar on a terminal, a line every ten seconds otherwise.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use in9_models::train::{EpochReport, Observer, StepReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between lines when nobody looks at a terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Counts pictures against a total.
pub(crate) struct Progress {
    bar: ProgressBar,
    lines: bool,
    started: Instant,
    last_line: Instant,
    done: u64,
    /// Pictures that were done before this process started.
    before: u64,
    total: u64,
    what: String,
}

impl Progress {
    pub(crate) fn new(total: u64, what: &str, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = match terminal && !quiet {
            true => ProgressDrawTarget::stderr_with_hz(5),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let template = "{msg:24!} {wide_bar} {human_pos}/{human_len} {prefix} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        let now = Instant::now();
        Self {
            bar,
            lines: !terminal && !quiet,
            started: now,
            last_line: now,
            done: 0,
            before: 0,
            total,
            what: what.to_owned(),
        }
    }

    /// Starts over with another total of which `done` are behind us.
    pub(crate) fn restart(&mut self, done: u64, total: u64) {
        (self.done, self.before, self.total) = (done, done, total);
        self.started = Instant::now();
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.bar.reset_eta();
    }

    pub(crate) fn say(&mut self, what: &str) {
        self.what = what.to_owned();
        self.bar.set_message(what.to_owned());
    }

    pub(crate) fn add(&mut self, pictures: u64) {
        self.done += pictures;
        let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
        let rate = (self.done - self.before) as f64 / seconds;
        self.bar.set_prefix(format!("{rate:.0} images/s"));
        self.bar.set_position(self.done);
        if self.lines && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            let left = self.total.saturating_sub(self.done) as f64 / rate.max(1e-9);
            let left = indicatif::HumanDuration(Duration::from_secs_f64(left.min(1e9)));
            eprintln!("{}: {}/{} images, {rate:.0} images/s, {left} left", self.what, self.done, self.total);
        }
    }

    /// A line that stays.
    pub(crate) fn note(&self, line: &str) {
        if self.lines {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows a training.
pub(crate) struct TrainProgress {
    progress: Progress,
    epochs: u32,
    per_batch: Option<u64>,
    batches: (u64, u64),
}

impl TrainProgress {
    pub(crate) fn new(epochs: u32, quiet: bool) -> Self {
        let progress = Progress::new(0, "training", quiet);
        Self { progress, epochs, per_batch: None, batches: (0, 0) }
    }

    pub(crate) fn finish(&self) {
        self.progress.finish();
    }
}

impl Observer for TrainProgress {
    fn start(&mut self, done: u64, total: u64) {
        self.batches = (done, total);
        if done > 0 {
            self.progress.note(&format!("going on after {done} of {total} batches"));
        }
    }

    fn step(&mut self, report: &StepReport) {
        let pictures = report.pictures as u64;
        if self.per_batch.is_none() {
            // Batches have one size, so pictures follow from batches.
            self.per_batch = Some(pictures);
            let (done, total) = self.batches;
            self.progress.restart(done * pictures, total * pictures);
        }
        let epoch = report.epoch + 1;
        self.progress.say(&format!("epoch {epoch}/{}, loss {:.3}", self.epochs, report.loss));
        self.progress.add(pictures);
    }

    fn epoch(&mut self, report: &EpochReport) {
        let (epoch, epochs) = (report.epoch + 1, self.epochs);
        let (loss, accuracy) = (report.train.loss, 100.0 * report.train.accuracy);
        let val = match report.val {
            Some(val) => format!(", val loss {:.3}, val accuracy {:.1} %", val.loss, 100.0 * val.accuracy),
            None => String::new(),
        };
        let rate = report.pictures_per_second;
        self.progress.note(&format!(
            "epoch {epoch}/{epochs}: loss {loss:.3}, accuracy {accuracy:.1} %{val}, {rate:.0} images/s"
        ));
    }
}
