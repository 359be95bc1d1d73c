//! The learning rate as a function of the step.

use serde::{Deserialize, Serialize};

/// How the learning rate moves from its peak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Anneal {
    /// Times `factor` after every `epochs` epochs.
    Step {
        /// Epochs between drops.
        epochs: u32,
        /// What the rate is multiplied with at a drop.
        factor: f64,
    },
    /// Half a cosine down to 0 at the last step.
    Cosine,
    /// One cycle (Smith and Topin 2017) as PyTorch's `OneCycleLR` has it: a cosine up from
    /// `lr / 25` over the first 30 % of the steps, then one down to `lr / 250,000`.
    OneCycle,
}

/// A learning rate for every step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The largest rate.
    pub peak: f64,
    /// How it falls (and, for one-cycle, rises).
    pub anneal: Anneal,
    /// Steps over which the rate rises linearly to its peak before `anneal` starts.
    pub warmup_steps: u64,
    /// Optimiser steps in an epoch, at least 1.
    pub steps_per_epoch: u64,
    /// Optimiser steps in the run.
    pub total_steps: u64,
}

/// PyTorch's defaults of `OneCycleLR`.
const RISING_SHARE: f64 = 0.3;
const START_DIVISOR: f64 = 25.0;
const END_DIVISOR: f64 = 1e4;

impl Schedule {
    /// The rate of step `step`, counted from 0.
    ///
    /// Steps of the warm-up get `peak · (step + 1) / (warmup_steps + 1)`, so the first step already
    /// moves and the first one after it is at the peak.
    pub fn rate(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.peak * (step + 1) as f64 / (self.warmup_steps + 1) as f64;
        }
        let step = step - self.warmup_steps;
        let total = self.total_steps.saturating_sub(self.warmup_steps);
        match self.anneal {
            Anneal::Step { epochs, factor } => {
                // Drops stay at whole epochs of the run, warm-up or not.
                let epoch = (step + self.warmup_steps) / self.steps_per_epoch.max(1);
                let drops = epoch / u64::from(epochs.max(1));
                self.peak * factor.powi(drops.min(1000) as i32)
            }
            Anneal::Cosine => between(self.peak, 0.0, step as f64 / total.max(1) as f64),
            Anneal::OneCycle => {
                let start = self.peak / START_DIVISOR;
                let top = RISING_SHARE * total as f64 - 1.0;
                let end = total as f64 - 1.0;
                let step = step as f64;
                if step <= top {
                    between(start, self.peak, if top > 0.0 { step / top } else { 1.0 })
                } else {
                    let part = ((step - top) / (end - top)).min(1.0);
                    between(self.peak, start / END_DIVISOR, part)
                }
            }
        }
    }
}

/// From `from` at `part` 0 to `to` at `part` 1 along half a cosine.
fn between(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * part).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(anneal: Anneal, warmup_steps: u64) -> Schedule {
        Schedule { peak: 0.1, anneal, warmup_steps, steps_per_epoch: 5, total_steps: 20 }
    }

    fn assert_rates(schedule: Schedule, expected: &[(u64, f64)]) {
        for (step, rate) in expected {
            let found = schedule.rate(*step);
            assert!((found - rate).abs() < 1e-12, "{step}: {found} for {rate}");
        }
    }

    #[test]
    fn steps_drop_at_whole_epochs() {
        let anneal = Anneal::Step { epochs: 2, factor: 0.1 };
        assert_rates(schedule(anneal, 0), &[(0, 0.1), (9, 0.1), (10, 0.01), (19, 0.01)]);
    }

    #[test]
    fn cosine_starts_at_the_peak_and_nears_zero() {
        let rates = [(0, 0.1), (10, 0.05), (20, 0.0)];
        assert_rates(schedule(Anneal::Cosine, 0), &rates);
    }

    #[test]
    fn one_cycle_touches_its_three_values() {
        let rates = [(0, 0.004), (5, 0.1), (19, 4e-7)];
        assert_rates(schedule(Anneal::OneCycle, 0), &rates);
    }

    #[test]
    fn one_cycle_equals_pytorch() {
        // Every fourth of the 17 rates that tests/oracles/training.py prints.
        let short = Schedule { total_steps: 17, ..schedule(Anneal::OneCycle, 0) };
        let rates = [
            (0, 0.0040000000000000036),
            (4, 0.09985915845681954),
            (8, 0.0757582863145874),
            (12, 0.025382311829729463),
            (16, 4e-07),
        ];
        assert_rates(short, &rates);
    }

    #[test]
    fn warm_up_is_a_line_to_the_peak() {
        let rates = [(0, 0.02), (3, 0.08), (4, 0.1), (20, 0.0)];
        assert_rates(schedule(Anneal::Cosine, 4), &rates);
    }

    #[test]
    fn a_run_of_one_step_has_a_rate() {
        for anneal in [Anneal::Cosine, Anneal::OneCycle] {
            let short = Schedule { total_steps: 1, ..schedule(anneal, 0) };
            assert!(short.rate(0).is_finite() && short.rate(0) > 0.0);
        }
    }
}
