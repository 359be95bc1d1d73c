//! What follows from answers on every pair: success rates, unions, the official script's cost.

use super::pairs::Pair;
use super::rules::Rule;
use std::collections::HashMap;

/// Answers on tried pairs, by (foreground, background).
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    answers: HashMap<(u32, u32), Option<u16>>,
}

impl Matrix {
    /// From tried pairs.
    pub fn new(pairs: &[Pair]) -> Self {
        let answers = pairs.iter().map(|p| ((p.foreground, p.background), p.predicted)).collect();
        Self { answers }
    }

    /// The answer on a pair, if it was tried.
    pub fn get(&self, foreground: u32, background: u32) -> Option<Option<u16>> {
        self.answers.get(&(foreground, background)).copied()
    }

    /// Forward passes of the official script: each foreground meets the backgrounds in sorted order,
    /// `batch` at a time (it uses 32), until a batch holds a wrong answer. `None` if a pair that the
    /// script would have tried is missing.
    pub fn official_passes(
        &self,
        foregrounds: &[u32],
        sorted_backgrounds: &[u32],
        batch: usize,
        class: impl Fn(u32) -> u16,
    ) -> Option<u64> {
        let mut passes = 0;
        for &f in foregrounds {
            for chunk in sorted_backgrounds.chunks(batch.max(1)) {
                let mut fooled = false;
                for &b in chunk {
                    fooled |= self.get(f, b)? != Some(class(f));
                }
                passes += chunk.len() as u64;
                if fooled {
                    break;
                }
            }
        }
        Some(passes)
    }

    /// Share of the tried pairs that were answered wrongly; NaN without any.
    pub fn wrong(&self, foregrounds: &[u32], backgrounds: &[u32], class: impl Fn(u32) -> u16) -> f64 {
        let (mut wrong, mut tried) = (0.0, 0.0);
        for &f in foregrounds {
            for answer in backgrounds.iter().filter_map(|&b| self.get(f, b)) {
                wrong += f64::from(u8::from(answer != Some(class(f))));
                tried += 1.0;
            }
        }
        wrong / tried
    }

    /// (successes, tries) of each background over the foregrounds that the rule allows.
    pub fn success(
        &self,
        rule: Rule,
        foregrounds: &[u32],
        background: u32,
        class: impl Fn(u32) -> u16,
    ) -> (u64, u64) {
        let behind = class(background);
        let (mut won, mut tried) = (0, 0);
        for &f in foregrounds {
            if !rule.allows(class(f), behind) {
                continue;
            }
            if let Some(answer) = self.get(f, background) {
                tried += 1;
                won += u64::from(rule.success(class(f), behind, answer));
            }
        }
        (won, tried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_script_pays_whole_batches() {
        // Foreground 0 (class 0) is fooled by the third of four backgrounds; 1 (class 1) by none.
        let class = |i: u32| u16::from(i % 2 == 1);
        let mut pairs = Vec::new();
        for f in 0..2 {
            for b in 0..4 {
                let predicted = if (f, b) == (0, 2) { 1 } else { class(f) };
                pairs.push(Pair { foreground: f, background: b, predicted: Some(predicted) });
            }
        }
        let matrix = Matrix::new(&pairs);
        assert_eq!(matrix.official_passes(&[0, 1], &[0, 1, 2, 3], 2, class), Some(8));
        assert_eq!(matrix.official_passes(&[0], &[0, 1, 2, 3], 3, class), Some(3));
        assert_eq!(matrix.official_passes(&[2], &[0], 1, class), None);
        assert_eq!(matrix.success(Rule::Untargeted, &[0, 1], 2, class), (1, 2));
        assert_eq!(matrix.success(Rule::Targeted, &[0, 1], 2, class), (0, 1));
    }
}
