//! Gaussian mixtures over RGB with full covariances, hard-assigned as in the GrabCut paper.

use super::moments::Moments;
use crate::params::MAX_COMPONENTS;

/// Variance of the rounding of a channel to whole levels: uniform over one level.
///
/// A pixel is the centre of a cell of unit side in which the true colour lies. The data term is
/// the expectation of the Gaussian's negative log-likelihood over that cell, which adds
/// `ε/2 · tr Σ⁻¹`; its minimiser over a set of pixels is the sample covariance plus `ε I`. So
/// flat regions have no singular covariance, and fitting remains an exact minimisation.
pub(crate) const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// One Gaussian of a fitted mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// Share of the mixture's pixels that this component explains, `0.0..=1.0`.
    pub weight: f64,
    /// Mean colour (r, g, b), `0.0..=255.0`.
    pub mean: [f64; 3],
    /// Covariance (rr, rg, rb, gg, gb, bb) in squared levels; positive definite.
    pub covariance: [f64; 6],
}

/// A fitted colour model of the foreground or the background.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    components: [Component; MAX_COMPONENTS],
    len: usize,
}

impl Mixture {
    /// Components in use; those that explain no pixel have weight 0.
    pub fn components(&self) -> &[Component] {
        &self.components[..self.len]
    }

    /// Energy in nats of explaining `colour` (r, g, b, `0.0..=255.0`) by the component that does it
    /// best: `−ln π + ½ ln det Σ + ½ (z − μ)ᵀ Σ⁻¹ (z − μ) + 1/24 tr Σ⁻¹`. The last term is the
    /// expectation of the third over the rounding of the colour to whole levels.
    pub fn cost(&self, colour: [f64; 3]) -> f64 {
        let cost = |c: &Component| {
            let ([a00, a10, a11, a20, a21, a22], _) = c.whitening();
            let d: [f64; 3] = std::array::from_fn(|i| colour[i] - c.mean[i]);
            let y = [a00 * d[0], a10 * d[0] + a11 * d[1], a20 * d[0] + a21 * d[1] + a22 * d[2]];
            c.offset() + 0.5 * y.iter().map(|v| v * v).sum::<f64>()
        };
        self.components().iter().filter(|c| c.weight > 0.0).map(cost).fold(f64::INFINITY, f64::min)
    }

    /// Fits each component to the moments of its pixels.
    pub(crate) fn fit(moments: &[Moments]) -> Self {
        let total: u64 = moments.iter().map(|m| m.count).sum();
        let mut components = [Component::NONE; MAX_COMPONENTS];
        for (component, m) in components.iter_mut().zip(moments) {
            if m.count > 0 {
                let mut covariance = m.covariance();
                for diagonal in [0, 3, 5] {
                    covariance[diagonal] += ROUNDING_VARIANCE;
                }
                *component = Component { weight: m.count as f64 / total as f64, mean: m.mean(), covariance };
            }
        }
        Self { components, len: moments.len().min(MAX_COMPONENTS) }
    }
}

impl Component {
    const NONE: Self = Self {
        weight: 0.0,
        mean: [0.0; 3],
        covariance: [ROUNDING_VARIANCE, 0.0, 0.0, ROUNDING_VARIANCE, 0.0, ROUNDING_VARIANCE],
    };

    /// Inverse of the covariance's Cholesky factor, lower triangle by rows, and the logarithm of
    /// the square root of its determinant.
    pub(crate) fn whitening(&self) -> ([f64; 6], f64) {
        let [rr, rg, rb, gg, gb, bb] = self.covariance;
        let l00 = rr.sqrt();
        let l10 = rg / l00;
        let l20 = rb / l00;
        // The exact values are at least the rounding variance; the floor only absorbs rounding
        // errors of the subtraction.
        let l11 = (gg - l10 * l10).max(0.5 * ROUNDING_VARIANCE).sqrt();
        let l21 = (gb - l20 * l10) / l11;
        let l22 = (bb - l20 * l20 - l21 * l21).max(0.5 * ROUNDING_VARIANCE).sqrt();
        let (a00, a11, a22) = (1.0 / l00, 1.0 / l11, 1.0 / l22);
        let a10 = -l10 * a00 * a11;
        let a21 = -l21 * a11 * a22;
        let a20 = -(l20 * a00 + l21 * a10) * a22;
        ([a00, a10, a11, a20, a21, a22], l00.ln() + l11.ln() + l22.ln())
    }

    /// Energy in nats of the best-fitting pixel: everything but the Mahalanobis term.
    pub(crate) fn offset(&self) -> f64 {
        let (a, log_root_det) = self.whitening();
        let trace: f64 = a.iter().map(|v| v * v).sum();
        -self.weight.ln() + log_root_det + 0.5 * ROUNDING_VARIANCE * trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(colours: &[[u8; 3]]) -> Moments {
        let mut m = Moments::default();
        colours.iter().for_each(|&c| m.push(c));
        m
    }

    #[test]
    fn whitening_inverts_the_covariance() {
        let m = sample(&[[10, 20, 30], [12, 25, 31], [90, 20, 33], [11, 99, 200], [0, 3, 8]]);
        let mixture = Mixture::fit(&[m]);
        let c = mixture.components()[0];
        let ([a00, a10, a11, a20, a21, a22], log_root_det) = c.whitening();
        let a = [[a00, 0.0, 0.0], [a10, a11, 0.0], [a20, a21, a22]];
        let [rr, rg, rb, gg, gb, bb] = c.covariance;
        let s = [[rr, rg, rb], [rg, gg, gb], [rb, gb, bb]];
        for i in 0..3 {
            for j in 0..3 {
                let mut v = 0.0;
                for p in 0..3 {
                    for q in 0..3 {
                        v += a[i][p] * s[p][q] * a[j][q];
                    }
                }
                assert!((v - f64::from(u8::from(i == j))).abs() < 1e-9, "A Σ Aᵀ [{i}][{j}] = {v}");
            }
        }
        assert!((log_root_det + (a00 * a11 * a22).ln()).abs() < 1e-9);
    }

    #[test]
    fn flat_and_empty_components_stay_finite() {
        let mixture = Mixture::fit(&[sample(&[[255; 3]; 100]), Moments::default()]);
        let flat = mixture.components()[0];
        assert_eq!(flat.covariance, Component::NONE.covariance);
        // ½ ln det(I/12) plus ε/2 · 3 · 12.
        assert!((flat.offset() - (1.5 * (1.0_f64 / 12.0).ln() + 1.5)).abs() < 1e-12);
        assert_eq!(mixture.components()[1].weight, 0.0);
        assert_eq!(mixture.components()[1].offset(), f64::INFINITY);
    }

    #[test]
    fn colours_on_a_line_have_a_positive_definite_covariance() {
        let line: Vec<[u8; 3]> = (0..=255).map(|v| [v, v, v]).collect();
        let c = Mixture::fit(&[sample(&line)]).components()[0];
        let (a, _) = c.whitening();
        assert!(a.iter().all(|v| v.is_finite() && v.abs() < 4.0), "{a:?}");
    }
}
