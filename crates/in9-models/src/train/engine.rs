//! The training loop.

use std::path::{Path, PathBuf};
use std::time::Instant;

use candle_core::Tensor;
use candle_core::backprop::GradStore;

use crate::error::{Error, Result};
use crate::model::{Mode, Model};
use crate::model_file;
#[cfg(feature = "cuda")]
use crate::replay::CapturedStep;
use crate::train::accumulated::Accumulated;
use crate::train::evaluate::{correct, evaluate, scalar};
use crate::train::folder::RunFolder;
use crate::train::optimizer::is_finite;
use crate::train::{
    Batch, Batches, EventFile, GroupDro, Progress, RunFile, Schedule, Score, Sgd, checkpoint, log,
};

/// A training that can be run: what, on what, how, and where to.
pub struct Training<'a> {
    /// The model; its parameters must be variables.
    pub model: &'a Model,
    /// The training batches.
    pub train: &'a dyn Batches,
    /// What is evaluated between epochs.
    pub val: Option<&'a dyn Batches>,
    /// The settings, written to `run.toml`.
    pub run: &'a RunFile,
    /// The run's folder; made if it is not there.
    pub dir: &'a Path,
    /// Whether to go on with a run that is there.
    pub resume: bool,
}

/// One batch is done.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Batches done in the run.
    pub batch: u64,
    /// Pictures in this batch.
    pub pictures: usize,
    /// Learning rate of the step that this batch is part of.
    pub rate: f64,
    /// The batch's loss.
    pub loss: f64,
}

/// One epoch is done.
#[derive(Clone, Copy, Debug)]
pub struct EpochReport {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// Loss (with label smoothing) and accuracy while training.
    pub train: Score,
    /// Loss and accuracy of the evaluation, when there was one.
    pub val: Option<Score>,
    /// Training speed in this process, without the evaluation.
    pub pictures_per_second: f64,
}

/// Is told how a training goes; what it does with that changes nothing in the results.
pub trait Observer {
    /// The run starts or goes on: `done` of `total` batches are behind it.
    fn start(&mut self, _done: u64, _total: u64) {}
    /// A batch is done.
    fn step(&mut self, _report: &StepReport) {}
    /// An epoch is done.
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// An observer that does nothing.
pub struct Silent;

impl Observer for Silent {}

/// How a training ended.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The final weights.
    pub model: PathBuf,
    /// Optimiser steps.
    pub steps: u64,
    /// The last epoch's scores; `None` when the run had been complete before.
    pub last: Option<EpochReport>,
}

impl Training<'_> {
    /// Trains to the end, or goes on from the last checkpoint.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings out of range; [`Error::RunExists`] and [`Error::OtherRun`] when the
    /// folder holds a run; [`Error::Base`] when it holds anything else or another process trains in it, and
    /// when nothing can be written; [`Error::Diverged`].
    pub fn run(&self, observer: &mut dyn Observer) -> Result<Summary> {
        let settings = &self.run.training;
        settings.check()?;
        let batches = self.train.per_epoch();
        if batches == 0 {
            let found = format!("{} samples", self.run.data.samples);
            return Err(Error::setting("samples", "at least one training batch", found));
        }
        let gpu = crate::device::description(self.model.device());
        let folder = RunFolder::take(self.dir, self.run, self.resume, gpu.as_deref())?;
        let mut sgd = Sgd::new(
            &self.model.parameters(),
            settings.momentum,
            settings.nesterov,
            settings.weight_decay,
            settings.decay,
        )?;
        let mut progress = if self.resume && folder.checkpoint().exists() {
            checkpoint::read(&folder.checkpoint(), self.model, &mut sgd, &folder.digest)?
        } else {
            Progress::start(folder.digest.clone())
        };
        if let Some(dro) = settings.group_dro.as_ref().filter(|_| progress.group_weights().is_empty()) {
            progress.set_group_weights(&dro.start());
        }
        if in9_base::files::is_planted("resumed-offset") && progress.batch > 0 {
            progress.batch += 1;
        }
        let total = batches * u64::from(settings.epochs);
        observer.start(progress.epoch * batches + progress.batch, total);
        let mut state = State {
            #[cfg(feature = "cuda")]
            captured: None,
            rates: settings.rates(batches),
            events: EventFile::create(folder.path())?,
            sgd,
            written: progress.batch,
            progress,
            folder,
        };
        let mut last = None;
        while state.progress.epoch < u64::from(settings.epochs) {
            last = Some(self.epoch(&mut state, observer)?);
        }
        write_log(&state)?;
        let model = state.folder.model();
        model_file::write(&model, self.model, &self.run.network())?;
        Ok(Summary { model, steps: state.progress.step, last })
    }

    /// The rest of the present epoch, its evaluation, and its checkpoint.
    fn epoch(&self, state: &mut State, observer: &mut dyn Observer) -> Result<EpochReport> {
        let settings = &self.run.training;
        let epoch = state.progress.epoch;
        let started = Instant::now();
        let seen_before = state.progress.seen;
        let per_epoch = self.train.per_epoch();
        let mut group = Accumulated::default();
        for batch in self.train.epoch(epoch, state.progress.batch)? {
            let batch = batch?;
            let report = self.batch(state, &batch, &mut group)?;
            observer.step(&report);
            let every = settings.checkpoint_every;
            let done = state.progress.batch;
            let whole = group.batches == 0 && done < per_epoch;
            if whole && every > 0 && done / every > state.written / every {
                self.write_checkpoint(state)?;
            }
        }
        let pictures = state.progress.seen;
        let n = pictures.max(1) as f64;
        let train = Score {
            loss: state.progress.loss_sum() / n,
            accuracy: state.progress.correct as f64 / n,
            pictures,
        };
        let seconds = started.elapsed().as_secs_f64();
        let last = epoch + 1 == u64::from(settings.epochs);
        let every = u64::from(settings.eval_every);
        let due = last || (every > 0 && (epoch + 1).is_multiple_of(every));
        let val = match self.val {
            Some(val) if due => {
                let model = self.model.frozen()?;
                Some(evaluate(&model, val.epoch(0, 0)?)?)
            }
            _ => None,
        };
        let report = EpochReport {
            epoch,
            train,
            val,
            pictures_per_second: (pictures - seen_before) as f64 / seconds.max(1e-9),
        };
        self.close_epoch(state, &report)?;
        observer.epoch(&report);
        Ok(report)
    }

    /// Forward, backward and, when its group is complete, the optimiser's step.
    fn batch(&self, state: &mut State, batch: &Batch, group: &mut Accumulated) -> Result<StepReport> {
        let settings = &self.run.training;
        let progress = &state.progress;
        let mode = Mode::Train {
            seed: self.run.seed,
            step: progress.epoch * self.train.per_epoch() + progress.batch,
        };
        let size = self.group_size(progress.batch);
        let smoothing = settings.label_smoothing;
        let rate = state.rates.rate(progress.step);
        #[cfg(feature = "cuda")]
        if let Some((value, right)) = self.captured(state, batch, rate, mode)? {
            if !value.is_finite() {
                return Err(diverged(state, value));
            }
            state.progress.step += 1;
            return self.note(state, batch, value, right, rate);
        }
        let (mut images, labels) = (batch.images.clone(), &batch.labels);
        if let Some(attack) = &settings.attack {
            let normalization = self.run.data.normalization();
            images = attack.perturb(self.model, &images, labels, smoothing, normalization)?;
        }
        let share = 1.0 / size as f64;
        let (value, logits, gradients) = match &settings.group_dro {
            None => {
                let (loss, logits, gradients) =
                    self.model.gradients(&images, labels, smoothing, share, mode)?;
                (scalar(&loss)?, logits, gradients)
            }
            Some(dro) => self.robust(dro, &images, batch, share, mode, &mut state.progress)?,
        };
        if !value.is_finite() {
            return Err(diverged(state, value));
        }
        let right = correct(&logits, &batch.labels)?;
        group.add(gradients)?;
        if group.batches == size {
            if let Some(gradients) = group.take() {
                state.sgd.step(&gradients, rate)?;
            }
            state.progress.step += 1;
        }
        self.note(state, batch, value, right, rate)
    }

    /// The whole step as a graph, where a GPU captures it: the loss, and how many are right.
    #[cfg(feature = "cuda")]
    fn captured(
        &self,
        state: &mut State,
        batch: &Batch,
        rate: f64,
        mode: Mode,
    ) -> Result<Option<(f64, u64)>> {
        let settings = &self.run.training;
        // Elsewhere gradients outlive the pass, or the pictures or what is minimised depend on it.
        if settings.accumulate != 1 || settings.attack.is_some() || settings.group_dro.is_some() {
            return Ok(None);
        }
        if state.captured.is_none() {
            state.captured = CapturedStep::new(self.model, batch, settings.label_smoothing)?;
        }
        match &mut state.captured {
            Some(step) if step.fits(batch)? => step.run(self.model, &state.sgd, batch, rate, mode).map(Some),
            _ => Ok(None),
        }
    }

    /// Adds what came of a batch to the progress and the curves.
    fn note(
        &self,
        state: &mut State,
        batch: &Batch,
        value: f64,
        right: u64,
        rate: f64,
    ) -> Result<StepReport> {
        let pictures = batch.labels.dims1()?;
        state.progress.add(value * pictures as f64, right, pictures as u64);
        let done = state.progress.epoch * self.train.per_epoch() + state.progress.batch;
        let tags = [("train/loss", value), ("train/lr", rate)];
        state.events.scalars(done, &tags)?;
        Ok(StepReport { epoch: state.progress.epoch, batch: done, pictures, rate, loss: value })
    }

    /// Loss, logits and gradients of a batch whose groups are weighed, which moves their weights.
    fn robust(
        &self,
        dro: &GroupDro,
        images: &Tensor,
        batch: &Batch,
        share: f64,
        mode: Mode,
        progress: &mut Progress,
    ) -> Result<(f64, Tensor, GradStore)> {
        let groups = batch.groups.as_deref().unwrap_or_default();
        let labels = batch.labels.to_vec1::<u32>()?;
        let smoothing = self.run.training.label_smoothing;
        let (mut weights, mut loss) = (progress.group_weights(), f64::NAN);
        let (logits, gradients) = self.model.gradients_by(images, mode, &mut |logits| {
            let found = dro.weigh(logits, &labels, groups, smoothing, &mut weights)?;
            loss = found.loss;
            Ok((found.gradient * share)?)
        })?;
        // Weights that are no numbers are caught with the loss.
        progress.set_group_weights(&weights);
        Ok((loss, logits, gradients))
    }

    /// Batches in the group that `batch` belongs to: the last group of an epoch may be short.
    fn group_size(&self, batch: u64) -> u64 {
        let accumulate = self.run.training.accumulate as u64;
        let first = batch / accumulate * accumulate;
        accumulate.min(self.train.per_epoch() - first)
    }

    fn close_epoch(&self, state: &mut State, report: &EpochReport) -> Result<()> {
        let progress = &mut state.progress;
        let scores = |score: Score| (score.loss, score.accuracy);
        let row = log::row(
            report.epoch + 1,
            progress.step,
            state.rates.rate(progress.step.saturating_sub(1)),
            scores(report.train),
            report.val.map(scores),
        );
        progress.next_epoch(&row);
        state.written = 0;
        let mut tags = vec![
            ("epoch/train_loss", report.train.loss),
            ("epoch/train_accuracy", report.train.accuracy),
            ("epoch/images_per_second", report.pictures_per_second),
        ];
        if let Some(val) = report.val {
            tags.extend([("epoch/val_loss", val.loss), ("epoch/val_accuracy", val.accuracy)]);
        }
        let batches = progress.epoch * self.train.per_epoch();
        state.events.scalars(batches, &tags)?;
        state.events.flush()?;
        self.write_checkpoint(state)?;
        write_log(state)
    }

    /// Refuses to replace a good checkpoint by one with infinities in it.
    fn write_checkpoint(&self, state: &mut State) -> Result<()> {
        for parameter in self.model.parameters() {
            if !is_finite(&parameter.value)? {
                return Err(diverged(state, f64::NAN));
            }
        }
        state.written = state.progress.batch;
        checkpoint::write(&state.folder.checkpoint(), self.model, &state.sgd, &state.progress)
    }
}

fn write_log(state: &State) -> Result<()> {
    let text = format!("{}{}", log::HEADER, state.progress.log);
    Ok(in9_base::files::write_bytes(&state.folder.log(), text)?)
}

fn diverged(state: &State, loss: f64) -> Error {
    let checkpoint = state.folder.checkpoint();
    Error::Diverged {
        step: state.progress.step,
        epoch: state.progress.epoch,
        loss,
        checkpoint: checkpoint.exists().then_some(checkpoint),
    }
}

/// What changes while a training runs.
struct State {
    /// Before the optimiser, whose memory it uses.
    #[cfg(feature = "cuda")]
    captured: Option<CapturedStep>,
    sgd: Sgd,
    progress: Progress,
    rates: Schedule,
    folder: RunFolder,
    events: EventFile,
    /// Batches of the epoch at the last checkpoint.
    written: u64,
}
