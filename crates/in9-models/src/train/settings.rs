//! The settings of a training, its named presets, and their ranges.

use in9_data::Augment;
use in9_data::facts::{GROUP_DRO, TrainingSettings, attack_name};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::train::{Anneal, Attack, GroupDro, Schedule};

/// Nobody trains for more epochs; a larger number is a slip.
const MOST_EPOCHS: u32 = 1_000_000;

/// Which parameters weight decay pulls on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// All trained ones, as PyTorch does by default.
    All,
    /// Kernels and matrices only; biases and norms are left alone.
    Weights,
}

/// What happens to a training picture before the network sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AugmentSetting {
    /// Nothing.
    None,
    /// Padding by `pixels`, a random crop back to size, and a horizontal flip of every second.
    ShiftFlip {
        /// Largest shift on each axis.
        pixels: u16,
    },
    /// The paper's: random resized crop, flip, colour jitter and lighting noise (protocol §2).
    RandomResizedCrop,
}

impl AugmentSetting {
    /// The loader's augmentation.
    pub fn loader(self) -> Augment {
        match self {
            AugmentSetting::None => Augment::None,
            AugmentSetting::ShiftFlip { pixels } => Augment::ShiftFlip { pixels: u32::from(pixels) },
            AugmentSetting::RandomResizedCrop => Augment::paper(),
        }
    }
}

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Passes over the split, from 1 to a million.
    pub epochs: u32,
    /// Pictures a batch, at least 2 (a batch norm needs two).
    pub batch_size: usize,
    /// Batches whose gradients are averaged into one step, at least 1.
    pub accumulate: usize,
    /// The largest learning rate, above 0.
    pub lr: f64,
    /// Epochs of linear warm-up, at least 0 and fewer than `epochs`.
    pub warmup: f64,
    /// Momentum, in `[0, 1)`.
    pub momentum: f64,
    /// Whether the momentum looks ahead.
    pub nesterov: bool,
    /// Weight decay, at least 0.
    pub weight_decay: f64,
    /// What it pulls on.
    pub decay: Decay,
    /// Share of the target that is spread over all classes, in `[0, 1)`.
    pub label_smoothing: f64,
    /// Epochs between evaluations; 0 evaluates after the last one only.
    pub eval_every: u32,
    /// Batches between checkpoints within an epoch; 0 writes one after each epoch only.
    pub checkpoint_every: u64,
    /// Whether mixed views get new backgrounds every epoch instead of the dataset's frozen ones.
    pub fresh_pairings: bool,
    /// How the learning rate moves.
    pub schedule: Anneal,
    /// Augmentation.
    pub augment: AugmentSetting,
    /// Adversarial training, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack: Option<Attack>,
    /// Group DRO, if the groups that are answered worst count the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_dro: Option<GroupDro>,
}

impl Default for Settings {
    /// [`Settings::small`].
    fn default() -> Self {
        Self::small()
    }
}

impl TrainingSettings for Settings {
    fn attack(&self) -> Option<String> {
        self.attack.map(|attack| attack_name(attack.norm.symbol(), attack.epsilon))
    }

    fn objective(&self) -> Option<String> {
        self.group_dro.is_some().then(|| GROUP_DRO.to_owned())
    }
}

impl Settings {
    /// The paper's recipe (protocol §2): SGD with momentum 0.9, weight decay 1e-4, learning rate
    /// 0.1 divided by ten every 50 epochs, 200 epochs, batches of 256, random resized crops.
    pub fn paper() -> Self {
        Self {
            epochs: 200,
            batch_size: 256,
            accumulate: 1,
            lr: 0.1,
            warmup: 0.0,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 1e-4,
            decay: Decay::All,
            label_smoothing: 0.0,
            eval_every: 1,
            checkpoint_every: 0,
            fresh_pairings: false,
            schedule: Anneal::Step { epochs: 50, factor: 0.1 },
            augment: AugmentSetting::RandomResizedCrop,
            attack: None,
            group_dro: None,
        }
    }

    /// For small photographs on a processor: one cycle up to 0.1, Nesterov momentum 0.9, weight
    /// decay 5e-4, batches of 64, 15 epochs, shifts of up to 6 pixels and flips.
    pub fn small() -> Self {
        Self {
            epochs: 15,
            batch_size: 64,
            nesterov: true,
            weight_decay: 5e-4,
            schedule: Anneal::OneCycle,
            augment: AugmentSetting::ShiftFlip { pixels: 6 },
            ..Self::paper()
        }
    }

    /// A rehearsal of this training: `scale` (above 0, at most 1) of its epochs, at least one, of the epochs between
    /// two drops of the learning rate, and of the warm-up.
    ///
    /// # Errors
    /// [`Error::Setting`] for another scale.
    pub fn scaled(&self, scale: f64) -> Result<Self> {
        if !(scale > 0.0 && scale <= 1.0) {
            return Err(Error::setting("scale", "above 0, at most 1", scale));
        }
        let share = |epochs: u32| (f64::from(epochs) * scale).round().max(1.0) as u32;
        let schedule = match self.schedule {
            Anneal::Step { epochs, factor } => Anneal::Step { epochs: share(epochs), factor },
            other => other,
        };
        Ok(Self { epochs: share(self.epochs), warmup: self.warmup * scale, schedule, ..self.clone() })
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn check(&self) -> Result<()> {
        let range = |name: &str, expected: &str, found: &dyn ToString, ok: bool| {
            if ok { Ok(()) } else { Err(Error::setting(name, expected, found.to_string())) }
        };
        let ok = (1..=MOST_EPOCHS).contains(&self.epochs);
        range("epochs", &format!("from 1 to {MOST_EPOCHS}"), &self.epochs, ok)?;
        let ok = self.batch_size >= 2;
        range("batch_size", "at least 2", &self.batch_size, ok)?;
        range("accumulate", "at least 1", &self.accumulate, self.accumulate >= 1)?;
        let ok = self.lr.is_finite() && self.lr > 0.0;
        range("lr", "a number above 0", &self.lr, ok)?;
        let ok = self.warmup >= 0.0 && self.warmup < f64::from(self.epochs);
        range("warmup", "epochs from 0 to below the number of epochs", &self.warmup, ok)?;
        let ok = (0.0..1.0).contains(&self.momentum);
        range("momentum", "from 0 to below 1", &self.momentum, ok)?;
        let ok = !self.nesterov || self.momentum > 0.0;
        range("nesterov", "only with a momentum above 0", &self.momentum, ok)?;
        let ok = self.weight_decay.is_finite() && self.weight_decay >= 0.0;
        range("weight_decay", "at least 0", &self.weight_decay, ok)?;
        let ok = (0.0..1.0).contains(&self.label_smoothing);
        range("label_smoothing", "from 0 to below 1", &self.label_smoothing, ok)?;
        if let Anneal::Step { epochs, factor } = self.schedule {
            range("step_epochs", "at least 1", &epochs, epochs >= 1)?;
            let ok = factor > 0.0 && factor <= 1.0;
            range("step_factor", "above 0, at most 1", &factor, ok)?;
        }
        self.group_dro.as_ref().map_or(Ok(()), GroupDro::check)?;
        self.attack.map_or(Ok(()), |attack| attack.check())
    }

    /// Optimiser steps in an epoch of this many batches; the last may average fewer.
    pub fn steps_per_epoch(&self, batches: u64) -> u64 {
        batches.div_ceil(self.accumulate.max(1) as u64)
    }

    /// The learning rates of a run with this many batches an epoch.
    pub fn rates(&self, batches: u64) -> Schedule {
        let steps_per_epoch = self.steps_per_epoch(batches);
        Schedule {
            peak: self.lr,
            anneal: self.schedule,
            warmup_steps: (self.warmup * steps_per_epoch as f64).round() as u64,
            steps_per_epoch,
            total_steps: steps_per_epoch * u64::from(self.epochs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Norm;

    #[test]
    fn presets_are_in_range_and_go_through_toml() {
        let attack = Some(Attack::new(Norm::L2, 0.5, 7));
        let group_dro = Some(GroupDro::new());
        let more = [Settings { attack, ..Settings::small() }, Settings { group_dro, ..Settings::small() }];
        for settings in [Settings::paper(), Settings::small()].into_iter().chain(more) {
            settings.check().unwrap();
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<Settings>(&text).unwrap(), settings);
        }
    }

    #[test]
    fn each_range_is_checked() {
        let bad: [fn(&mut Settings); 15] = [
            |s| s.epochs = 0,
            |s| s.epochs = 1 << 31,
            |s| s.batch_size = 1,
            |s| s.accumulate = 0,
            |s| s.lr = f64::NAN,
            |s| s.warmup = 15.0,
            |s| s.momentum = 1.0,
            |s| s.momentum = 0.0,
            |s| s.weight_decay = -1e-4,
            |s| s.label_smoothing = 1.0,
            |s| s.group_dro = Some(GroupDro { step_size: 0.0, ..GroupDro::new() }),
            |s| s.attack = Some(Attack::new(Norm::L2, -0.5, 7)),
            |s| s.attack = Some(Attack { steps: 0, ..Attack::new(Norm::Linf, 0.5, 7) }),
            |s| s.attack = Some(Attack { steps: 1 << 31, ..Attack::new(Norm::Linf, 0.5, 7) }),
            |s| s.attack = Some(Attack { step_size: 0.0, ..Attack::new(Norm::Linf, 0.5, 7) }),
        ];
        for spoil in bad {
            let mut settings = Settings::small();
            spoil(&mut settings);
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains("not a usable setting (expected") && !error.contains("--"), "{error}");
        }
    }

    #[test]
    fn a_rehearsal_keeps_the_shape_of_the_schedule() {
        let short = Settings::paper().scaled(0.02).unwrap();
        assert_eq!((short.epochs, short.schedule), (4, Anneal::Step { epochs: 1, factor: 0.1 }));
        assert_eq!(Settings::paper().scaled(1e-9).unwrap().epochs, 1);
        assert_eq!(Settings::paper().scaled(1.0).unwrap(), Settings::paper());
        for wrong in [0.0, -1.0, 1.5, f64::NAN] {
            assert!(Settings::paper().scaled(wrong).is_err());
        }
    }

    #[test]
    fn accumulation_shortens_the_schedule() {
        let mut settings = Settings::small();
        settings.accumulate = 4;
        settings.warmup = 0.5;
        let rates = settings.rates(10);
        assert_eq!((rates.steps_per_epoch, rates.total_steps), (3, 45));
        assert_eq!(rates.warmup_steps, 2);
    }
}
