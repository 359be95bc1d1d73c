//! The flags of `in9-models train` that change single settings of a preset.

use anyhow::bail;
use clap::ValueEnum;

use crate::train::{Anneal, Attack, AugmentSetting, Decay, Norm, Settings};

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Preset {
    /// The paper's recipe: 200 epochs, batches of 256, random resized crops
    Paper,
    /// 15 epochs of one cycle for small photographs on a processor
    Small,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    OneCycle,
    Cosine,
    Step,
}

#[derive(Clone, Copy, ValueEnum)]
enum AugmentName {
    None,
    ShiftFlip,
    RandomResizedCrop,
}

#[derive(Clone, Copy, ValueEnum)]
enum DecayName {
    All,
    Weights,
}

#[derive(Clone, Copy, ValueEnum)]
enum NormName {
    L2,
    Linf,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingFlags {
    /// Passes over the split
    #[arg(long)]
    epochs: Option<u32>,
    /// Pictures a batch
    #[arg(long)]
    batch_size: Option<usize>,
    /// Batches whose gradients are averaged into one step
    #[arg(long, value_name = "BATCHES")]
    accumulate: Option<usize>,
    /// Largest learning rate
    #[arg(long)]
    lr: Option<f64>,
    /// How the learning rate moves
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Epochs between drops of the step schedule
    #[arg(long, value_name = "EPOCHS")]
    step_epochs: Option<u32>,
    /// What the step schedule multiplies the rate with
    #[arg(long, value_name = "FACTOR")]
    step_factor: Option<f64>,
    /// Epochs of linear warm-up
    #[arg(long, value_name = "EPOCHS")]
    warmup: Option<f64>,
    /// Momentum of SGD
    #[arg(long)]
    momentum: Option<f64>,
    /// Let the momentum look ahead
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    nesterov: Option<bool>,
    /// Weight decay
    #[arg(long)]
    weight_decay: Option<f64>,
    /// What weight decay pulls on
    #[arg(long, value_enum)]
    decay: Option<DecayName>,
    /// Share of the target that is spread over all classes
    #[arg(long, value_name = "SHARE")]
    label_smoothing: Option<f64>,
    /// What happens to training pictures
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Largest shift of shift-flip in pixels
    #[arg(long, value_name = "PIXELS")]
    shift: Option<u16>,
    /// Adversarial training: move each picture to where the loss is largest, no further than --epsilon
    #[arg(long, value_enum, value_name = "NORM", requires = "epsilon")]
    attack: Option<NormName>,
    /// How far, for pixel values from 0 to 1
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    epsilon: Option<f64>,
    /// Steps of the attack, each a pass there and back [default: 7]
    #[arg(long, value_name = "STEPS", requires = "attack")]
    attack_steps: Option<u32>,
    /// Length of a step [default: 2.5 · epsilon / steps]
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    attack_step_size: Option<f64>,
    /// Draw new backgrounds for mixed views every epoch
    #[arg(long)]
    fresh_pairings: bool,
    /// Epochs between evaluations; 0 evaluates after the last one only
    #[arg(long, value_name = "EPOCHS")]
    eval_every: Option<u32>,
    /// Batches between checkpoints within an epoch; 0 writes one after each epoch only
    #[arg(long, value_name = "BATCHES")]
    checkpoint_every: Option<u64>,
}

impl SettingFlags {
    /// The preset with every flag applied.
    pub(super) fn apply(&self, preset: Preset) -> anyhow::Result<Settings> {
        let mut s = match preset {
            Preset::Paper => Settings::paper(),
            Preset::Small => Settings::small(),
        };
        macro_rules! take {
            ($($field:ident),*) => { $(if let Some(value) = self.$field { s.$field = value; })* };
        }
        take!(epochs, batch_size, accumulate, lr, warmup, momentum, nesterov, weight_decay);
        take!(label_smoothing, eval_every, checkpoint_every);
        s.fresh_pairings |= self.fresh_pairings;
        match self.decay {
            Some(DecayName::All) => s.decay = Decay::All,
            Some(DecayName::Weights) => s.decay = Decay::Weights,
            None => {}
        }
        match self.schedule {
            Some(ScheduleName::OneCycle) => s.schedule = Anneal::OneCycle,
            Some(ScheduleName::Cosine) => s.schedule = Anneal::Cosine,
            Some(ScheduleName::Step) => s.schedule = Settings::paper().schedule,
            None => {}
        }
        match &mut s.schedule {
            Anneal::Step { epochs, factor } => {
                *epochs = self.step_epochs.unwrap_or(*epochs);
                *factor = self.step_factor.unwrap_or(*factor);
            }
            _ if self.step_epochs.is_some() || self.step_factor.is_some() => {
                bail!("--step-epochs, --step-factor: need --schedule step");
            }
            _ => {}
        }
        match self.augment {
            Some(AugmentName::None) => s.augment = AugmentSetting::None,
            Some(AugmentName::ShiftFlip) => s.augment = Settings::small().augment,
            Some(AugmentName::RandomResizedCrop) => s.augment = AugmentSetting::RandomResizedCrop,
            None => {}
        }
        match (&mut s.augment, self.shift) {
            (AugmentSetting::ShiftFlip { pixels }, Some(shift)) => *pixels = shift,
            (_, Some(_)) => bail!("--shift: needs --augment shift-flip"),
            (_, None) => {}
        }
        if let (Some(norm), Some(epsilon)) = (self.attack, self.epsilon) {
            let norm = match norm {
                NormName::L2 => Norm::L2,
                NormName::Linf => Norm::Linf,
            };
            let attack = Attack::new(norm, epsilon, self.attack_steps.unwrap_or(7));
            let step_size = self.attack_step_size.unwrap_or(attack.step_size);
            s.attack = Some(Attack { step_size, ..attack });
        }
        s.check()?;
        Ok(s)
    }
}
