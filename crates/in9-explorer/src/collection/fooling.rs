//! Which backgrounds fool a model on which foregrounds.

use std::path::Path;

use super::probe::{LIMITS, Source, rows};
use super::{NO_CLASS, NOBODY, Photographs};
use crate::error::Result;

/// Backgrounds that were tried and those that fooled, by foreground.
#[derive(Debug)]
pub(crate) struct Fooling {
    /// Whether every background was tried on every foreground that was searched: then one that is not listed left the
    /// answer right.
    pub(crate) exhaustive: bool,
    /// Backgrounds tried on each foreground; 0 if it was not searched.
    tries: Vec<u32>,
    starts: Vec<u32>,
    backgrounds: Vec<u32>,
    predicted: Vec<u16>,
    /// Share of the foregrounds that a background fools, in `0..=1`; NaN if it was not tried.
    strength: Vec<f32>,
}

impl Fooling {
    /// Reads `foregrounds.csv`, `backgrounds.csv` and `fooled.csv`.
    pub(super) fn read(
        folder: &Path,
        source: &Source,
        photographs: &Photographs,
        class: impl Fn(&str) -> Option<u16>,
    ) -> Result<(Self, u64)> {
        let n = photographs.len();
        let mut tries = vec![0u32; n];
        let mut unknown = 0;
        let columns = ["foreground", "rule", "tries"];
        unknown += rows(&folder.join("foregrounds.csv"), columns, photographs, |at, [_, rule, count]| {
            if rule == "untargeted" {
                tries[at as usize] = count.parse().unwrap_or(0);
            }
        })?;
        let mut strength = vec![f32::NAN; n];
        let columns = ["background", "rule", "successes", "tries"];
        unknown += rows(&folder.join("backgrounds.csv"), columns, photographs, |at, [_, rule, k, n]| {
            if let ("untargeted", Ok(k), Ok(n)) = (rule, k.parse::<f32>(), n.parse::<f32>())
                && n > 0.0
            {
                strength[at as usize] = k / n;
            }
        })?;
        let mut fooled: Vec<(u32, u32, u16)> = Vec::new();
        let mut strangers = 0;
        let columns = ["foreground", "background", "predicted"];
        unknown +=
            rows(&folder.join("fooled.csv"), columns, photographs, |at, [_, background, predicted]| {
                match photographs.find(background) {
                    Some(background) => fooled.push((at, background, class(predicted).unwrap_or(NO_CLASS))),
                    None => strangers += 1,
                }
            })?;
        debug_assert!(fooled.len() as u64 <= LIMITS.rows);
        fooled.sort_unstable();
        let mut starts = vec![0u32; n + 1];
        for &(foreground, ..) in &fooled {
            starts[foreground as usize + 1] += 1;
        }
        for i in 0..n {
            starts[i + 1] += starts[i];
        }
        let fooling = Self {
            exhaustive: source.exhaustive,
            tries,
            starts,
            backgrounds: fooled.iter().map(|f| f.1).collect(),
            predicted: fooled.iter().map(|f| f.2).collect(),
            strength,
        };
        Ok((fooling, unknown + strangers))
    }

    /// Backgrounds tried on a foreground; 0 if it was not searched.
    pub(crate) fn tries(&self, foreground: usize) -> u32 {
        self.tries[foreground]
    }

    /// The backgrounds that fool the model on a foreground, and what it says then ([`NO_CLASS`] outside the taxonomy).
    pub(crate) fn fooled(&self, foreground: usize) -> impl ExactSizeIterator<Item = (u32, u16)> {
        let at = self.starts[foreground] as usize..self.starts[foreground + 1] as usize;
        self.backgrounds[at.clone()].iter().copied().zip(self.predicted[at].iter().copied())
    }

    /// Share of the foregrounds that a background fools; `None` if it was not tried.
    pub(crate) fn strength(&self, background: u32) -> Option<f32> {
        debug_assert_ne!(background, NOBODY);
        self.strength.get(background as usize).copied().filter(|s| !s.is_nan())
    }
}
