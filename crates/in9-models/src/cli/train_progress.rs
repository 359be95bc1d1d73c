//! Shows a training.

use in9_base::shell::{Progress, Shell};

use crate::train::{EpochReport, Observer, StepReport};

/// A bar over the pictures of a training, and a line an epoch.
pub(super) struct TrainProgress {
    progress: Progress,
    epochs: u32,
    per_batch: Option<u64>,
    batches: (u64, u64),
}

impl TrainProgress {
    pub(super) fn new(epochs: u32, shell: &Shell) -> Self {
        let progress = shell.progress("training", "images", 0);
        Self { progress, epochs, per_batch: None, batches: (0, 0) }
    }

    pub(super) fn finish(&self) {
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
        self.progress.rename(&format!("epoch {epoch}/{}, loss {:.3}", self.epochs, report.loss));
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
