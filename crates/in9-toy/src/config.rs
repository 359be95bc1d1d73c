//! What is drawn: the settings of a world.

use serde::Serialize;

use crate::error::{Error, Result};

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WorldConfig {
    /// Seed of everything random.
    pub seed: u64,
    /// ρ, 0…1: how often an object stands in its own kind of scene; otherwise any of the nine is
    /// drawn uniformly.
    pub rho: f64,
    /// Training photographs of each class, before the protocol's filters; 1 to [`MAX_PER_CLASS`].
    pub train_per_class: u32,
    /// Test photographs of each class, before the protocol's filters; 1 to [`MAX_PER_CLASS`].
    pub test_per_class: u32,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { seed: 0, rho: 0.9, train_per_class: 300, test_per_class: 100 }
    }
}

/// The most photographs of one class in one split: names number all nine classes with eight digits.
pub const MAX_PER_CLASS: u32 = 10_000_000;

impl WorldConfig {
    /// Refuses what cannot be drawn.
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.rho) {
            return Err(Error::Rho { found: self.rho });
        }
        for (split, found) in [("training", self.train_per_class), ("test", self.test_per_class)] {
            if !(1..=MAX_PER_CLASS).contains(&found) {
                return Err(Error::PhotographsPerClass { split, most: MAX_PER_CLASS, found });
            }
        }
        Ok(())
    }

    /// The text of `toy.toml`.
    pub(crate) fn to_toml(self) -> String {
        // Four plain numbers always have a TOML form.
        let settings = toml::to_string(&self).unwrap_or_default();
        format!("# Settings of this toy world; boxes are pixel indices from 0, inclusive.\n{settings}")
    }
}
