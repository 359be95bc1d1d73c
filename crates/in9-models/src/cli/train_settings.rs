//! The flags of `in9-models train` that change single settings of a preset.

use anyhow::bail;
use clap::ValueEnum;

use crate::train::{Anneal, Attack, AugmentSetting, Decay, GroupDro, Norm, Settings};

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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// The mean loss of the pictures (empirical risk)
    Erm,
    /// Group DRO: the groups that are answered worst count the most; on a processor only
    GroupDro,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Settings")]
pub(super) struct SettingFlags {
    /// Epochs: passes over the split
    #[arg(long)]
    epochs: Option<u32>,
    /// Pictures a batch
    #[arg(long)]
    batch_size: Option<usize>,
    /// Gradient accumulation: batches whose gradients are averaged into one optimiser step
    #[arg(long, value_name = "BATCHES")]
    accumulate: Option<usize>,
    /// Peak learning rate
    #[arg(long)]
    lr: Option<f64>,
    /// Learning rate schedule
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Epochs between two drops of the learning rate in the step schedule
    #[arg(long, value_name = "EPOCHS")]
    step_epochs: Option<u32>,
    /// Factor of each drop in the step schedule
    #[arg(long, value_name = "FACTOR")]
    step_factor: Option<f64>,
    /// Epochs of linear warm-up from 0 to the peak learning rate
    #[arg(long, value_name = "EPOCHS")]
    warmup: Option<f64>,
    /// Momentum of SGD
    #[arg(long)]
    momentum: Option<f64>,
    /// Use Nesterov momentum
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    nesterov: Option<bool>,
    /// Weight decay
    #[arg(long)]
    weight_decay: Option<f64>,
    /// Parameters that weight decay applies to: all, or weights without biases and norms
    #[arg(long, value_enum)]
    decay: Option<DecayName>,
    /// Label smoothing: share of the target that is spread over all classes
    #[arg(long, value_name = "SHARE")]
    label_smoothing: Option<f64>,
    /// Data augmentation of the training pictures
    #[arg(long, value_enum)]
    augment: Option<AugmentName>,
    /// Largest shift of the shift-flip augmentation, in pixels
    #[arg(long, value_name = "PIXELS")]
    shift: Option<u16>,
    /// Adversarial training by projected gradient descent in this norm
    #[arg(long, value_enum, value_name = "NORM", requires = "epsilon")]
    attack: Option<NormName>,
    /// Largest perturbation of the attack, for pixel values from 0 to 1
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    epsilon: Option<f64>,
    /// Steps of the attack, each a forward and a backward pass [default: 7]
    #[arg(long, value_name = "STEPS", requires = "attack")]
    attack_steps: Option<u32>,
    /// Length of a step of the attack [default: 2.5 · epsilon / steps]
    #[arg(long, value_name = "LENGTH", requires = "attack")]
    attack_step_size: Option<f64>,
    /// What is minimised
    #[arg(long, value_enum, default_value = "erm", requires_if("group-dro", "groups"))]
    objective: Objective,
    /// Step of the groups' weights in group DRO [default: 0.01]
    #[arg(long, value_name = "NUMBER")]
    group_step: Option<f64>,
    /// Adjustment for the size of groups in group DRO: this over the root of a group's pictures is added to its loss
    /// [default: 0]
    #[arg(long, value_name = "NUMBER")]
    group_adjustment: Option<f64>,
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
        let moved = self.group_step.is_some() || self.group_adjustment.is_some();
        match self.objective {
            Objective::Erm if moved => bail!("--group-step, --group-adjustment: need --objective group-dro"),
            Objective::Erm => {}
            Objective::GroupDro => {
                let dro = GroupDro::new();
                let step_size = self.group_step.unwrap_or(dro.step_size);
                let adjustment = self.group_adjustment.unwrap_or(dro.adjustment);
                s.group_dro = Some(GroupDro { step_size, adjustment, ..dro });
            }
        }
        s.check()?;
        Ok(s)
    }
}
