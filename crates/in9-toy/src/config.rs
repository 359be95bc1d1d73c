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
    /// How often an object has the size of its class, 0…1; otherwise any size, whatever the class, as at 0. At 1 the box
    /// alone tells the class, by its size.
    #[serde(skip_serializing_if = "is_zero")]
    pub size_leak: f64,
    /// How often an object stands at the place of its class, one of a grid of three by three, 0…1; otherwise anywhere.
    #[serde(skip_serializing_if = "is_zero")]
    pub place_leak: f64,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { seed: 0, rho: 0.9, train_per_class: 300, test_per_class: 100, size_leak: 0.0, place_leak: 0.0 }
    }
}

// The signature is serde's. A dial that stands at zero is not written, as before there were dials.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(dial: &f64) -> bool {
    *dial == 0.0
}

/// The most photographs of one class in one split: names number all nine classes with eight digits.
pub const MAX_PER_CLASS: u32 = 10_000_000;

impl WorldConfig {
    /// Refuses what cannot be drawn.
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.rho) {
            return Err(Error::Rho { found: self.rho });
        }
        for (dial, found) in [("size", self.size_leak), ("place", self.place_leak)] {
            if !(0.0..=1.0).contains(&found) {
                return Err(Error::Leak { dial, found });
            }
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
        // Plain numbers always have a TOML form.
        let settings = toml::to_string(&self).unwrap_or_default();
        format!("# Settings of this toy world; boxes are pixel indices from 0, inclusive.\n{settings}")
    }
}
