//! Settings of a segmentation.

use crate::Error;

/// Most components of a mixture.
pub const MAX_COMPONENTS: usize = 8;

/// Most pixels of an image: 2²⁷ − 1 (134 megapixels).
pub const MAX_PIXELS: usize = (1 << 27) - 1;

/// Settings of a segmentation. The default values are the usual ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Most iterations of (assign components, fit mixtures, cut), at least 1; default 5. Stops earlier when the
    /// energy no longer falls, since further iterations would change nothing. The coarser sizes that a large
    /// image starts from have as many iterations each.
    pub iterations: usize,
    /// Weight γ of the smoothness term, in nats for two adjacent pixels of equal colour;
    /// 0 to 1,000, default 50.
    pub gamma: f64,
    /// Gaussian components in each of the two mixtures, 1 to [`MAX_COMPONENTS`]; default 5.
    pub components: usize,
    /// Seed of the k-means initialisation. The same seed gives the same mask on any number of threads.
    pub seed: u64,
    /// Largest image accepted, in pixels; at most and by default [`MAX_PIXELS`].
    pub max_pixels: usize,
}

impl Default for Params {
    fn default() -> Self {
        Self { iterations: 5, gamma: 50.0, components: 5, seed: 0, max_pixels: MAX_PIXELS }
    }
}

impl Params {
    /// The default settings, but iterating until the energy stops falling (at most 1,000 iterations).
    pub fn until_converged() -> Self {
        Self { iterations: 1000, ..Self::default() }
    }

    /// Checks every field against its range.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fault = |name, expected, found| Err(Error::Parameter { name, expected, found });
        if self.iterations == 0 {
            return fault("iterations", "at least 1", 0.0);
        }
        if !(0.0..=1000.0).contains(&self.gamma) {
            return fault("gamma", "from 0 to 1000", self.gamma);
        }
        if !(1..=MAX_COMPONENTS).contains(&self.components) {
            return fault("components", "from 1 to 8", self.components as f64);
        }
        if self.max_pixels > MAX_PIXELS {
            return fault("max_pixels", "at most 2^27 - 1", self.max_pixels as f64);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        assert_eq!(Params::default().check(), Ok(()));
        assert_eq!(Params::until_converged().check(), Ok(()));
        for bad in [
            Params { iterations: 0, ..Params::default() },
            Params { gamma: -1.0, ..Params::default() },
            Params { gamma: f64::NAN, ..Params::default() },
            Params { components: 0, ..Params::default() },
            Params { components: 9, ..Params::default() },
            Params { max_pixels: MAX_PIXELS + 1, ..Params::default() },
        ] {
            assert!(matches!(bad.check(), Err(Error::Parameter { .. })), "{bad:?}");
        }
    }
}
