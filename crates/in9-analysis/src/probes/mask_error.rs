//! What errors of the masks do to the BG-gap: simulation and extrapolation (SIMEX).
//!
//! Masks are drawn by a program or by hand, and both err. If the outline of each mask is the true one, displaced by a
//! smooth Gaussian field of standard deviation σ ([`MaskNoise`]), then displacing it once more by σ·√λ gives masks whose
//! errors have the variance σ²·(1 + λ). The gap is measured at λ = 0, the masks as they are, and at some λ above; a parabola
//! through these points, followed back to λ = −1, says what the gap would be at masks without error.
//!
//! Source: J. R. Cook and L. A. Stefanski, "Simulation-extrapolation estimation in parametric measurement error models",
//! JASA 89 (1994). **It assumes** that σ is known, that errors are independent of the photograph and of the classifier's
//! answer, and that the gap is a parabola in λ as far as −1. Where σ is measured between two
//! masks ([`in9_data::outline_distance`]), it is the difference of both.

use crate::error::Result;
use crate::probes::classifier::{Classifier, Pictures};
use crate::probes::scenes::Scenes;
use crate::stats::{Bootstrap, Interval};
use in9_data::{MaskBits, MaskNoise, View, rng};
use serde::{Deserialize, Serialize};

/// Variances of the added error, in those of the masks' own: λ.
pub const LEVELS: [f64; 4] = [0.5, 1.0, 1.5, 2.0];

/// How the masks' errors are simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulation {
    /// Error of the masks as they are: standard deviation of their outlines, in pixels, and its correlation length.
    pub noise: MaskNoise,
    /// Displaced masks of each photograph at each level, at least 1.
    pub draws: usize,
    /// Seed of the displacements.
    pub seed: u64,
}

/// Backgrounds of a photograph in the two views whose difference is the gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backgrounds {
    /// Of the same class (mixed-same).
    pub same: u32,
    /// Of any class (mixed-rand).
    pub rand: u32,
}

/// What a photograph contributes: its differences of right answers, mixed-same − mixed-rand, each −1, 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Index of the photograph.
    pub image: u32,
    /// With its own mask.
    pub own: f64,
    /// At each of [`LEVELS`], a value for each draw.
    pub displaced: Vec<Vec<f64>>,
}

/// The gap beside the masks' errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskError {
    /// Photographs.
    pub images: usize,
    /// The gap with the masks as they are, in `-1..=1`.
    pub gap: Interval,
    /// The gap with more error: (λ, gap), λ in multiples of the masks' own variance.
    pub levels: Vec<(f64, Interval)>,
    /// The gap followed back to masks without error.
    pub without_error: Interval,
    /// What is added by that: `without_error` − `gap`.
    pub correction: Interval,
    /// Share of the gap's sampling variance that comes from which masks happened to be drawn, at λ = 1; the rest is which
    /// photographs were tested. 0..=1.
    pub share_of_variance: Interval,
}

/// Answers on photographs in mixed-same and mixed-rand with their own masks and with displaced ones.
///
/// `backgrounds` holds the photographs' partners, in the order of `images`. Displacements are drawn for each photograph by
/// its own id, so a shorter list of images gives the same numbers for those it holds; `batch` changes nothing but speed.
///
/// # Errors
/// If the classifier fails.
pub fn differences(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    images: &[u32],
    backgrounds: &[Backgrounds],
    simulation: &Simulation,
    batch: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Differences>> {
    let mut all = Vec::with_capacity(images.len());
    for (&image, partners) in images.iter().zip(backgrounds) {
        let masks = masks(scenes, image as usize, simulation);
        let right = right_answers(scenes, classifier, image as usize, partners, &masks, batch)?;
        let difference = |mask: usize| right[2 * mask] - right[2 * mask + 1];
        let level = |level: usize| {
            (0..simulation.draws).map(|n| difference(1 + level * simulation.draws + n)).collect()
        };
        all.push(Differences {
            image,
            own: difference(0),
            displaced: (0..LEVELS.len()).map(level).collect(),
        });
        progress(all.len(), images.len());
    }
    Ok(all)
}

/// The photograph's own mask, and those displaced: level by level, draw by draw; with their side in pixels.
fn masks(scenes: &dyn Scenes, image: usize, simulation: &Simulation) -> (usize, Vec<Vec<u8>>) {
    let (side, own) = scenes.stored_mask(image);
    let key = rng::text_key(scenes.id(image));
    let mut masks = vec![own.clone()];
    for (level, lambda) in LEVELS.iter().enumerate() {
        let noise = MaskNoise { sigma: simulation.noise.sigma * lambda.sqrt(), ..simulation.noise };
        masks.extend((0..simulation.draws).map(|draw| {
            let number = (level * simulation.draws + draw) as u64;
            let mut random = rng::stream(simulation.seed, "mask-error", key, number);
            noise.displace(&MaskBits::new(&own, side), &mut random)
        }));
    }
    (side, masks)
}

/// For each mask 1 or 0 for mixed-same and 1 or 0 for mixed-rand.
pub(crate) fn right_answers(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    image: usize,
    partners: &Backgrounds,
    (side, masks): &(usize, Vec<Vec<u8>>),
    batch: usize,
) -> Result<Vec<f64>> {
    let size = scenes.size();
    let views = [(View::MixedSame, partners.same), (View::MixedRand, partners.rand)];
    let wanted: Vec<_> =
        masks.iter().flat_map(|mask| views.map(|(view, behind)| (mask, view, behind))).collect();
    let mut rgb = vec![0; 3 * size * size];
    let mut right = Vec::with_capacity(wanted.len());
    for chunk in wanted.chunks(batch.max(1)) {
        let mut pictures = Pictures::empty(size);
        for &(mask, view, behind) in chunk {
            scenes.compose_with(MaskBits::new(mask, *side), view, image, behind as usize, &mut rgb);
            pictures.push_rgb(&rgb);
        }
        let class = Some(scenes.class(image));
        right.extend(
            classifier.predict(&pictures)?.into_iter().map(|found| f64::from(u8::from(found == class))),
        );
    }
    Ok(right)
}

/// The gap, what errors of the masks do to it, and what it would be without; `None` for no photographs.
///
/// Photographs are resampled with all their masks, so that the limits hold which masks happened to be drawn, too.
pub fn estimate(differences: &[Differences], bootstrap: &Bootstrap) -> Option<MaskError> {
    let n = differences.len();
    if n == 0 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    // A row a photograph: the difference at λ = 0, then its mean over draws at each level.
    let rows: Vec<[f64; POINTS]> = differences
        .iter()
        .map(|d| std::array::from_fn(|point| if point == 0 { d.own } else { mean(&d.displaced[point - 1]) }))
        .collect();
    let point = |counts: &[u32], point: usize| -> f64 {
        counts.iter().zip(&rows).map(|(&count, row)| f64::from(count) * row[point]).sum::<f64>() / n as f64
    };
    let weights = weights_at_minus_one();
    let extrapolated =
        |counts: &[u32]| -> f64 { (0..POINTS).map(|at| weights[at] * point(counts, at)).sum() };
    let over = |statistic: &(dyn Fn(&[u32]) -> f64 + Sync)| bootstrap.interval("mask-error", n, statistic);
    let at_one = LEVELS.iter().position(|&level| level == 1.0).unwrap_or(0);
    let spread: Vec<(f64, f64, f64)> = differences.iter().map(|d| of_one(&d.displaced[at_one])).collect();
    Some(MaskError {
        images: n,
        gap: over(&|counts| point(counts, 0)),
        levels: LEVELS.iter().enumerate().map(|(at, &level)| (level, over(&|c| point(c, at + 1)))).collect(),
        without_error: over(&extrapolated),
        correction: over(&|counts| extrapolated(counts) - point(counts, 0)),
        share_of_variance: over(&|counts| share(counts, &spread)),
    })
}

/// Mean, mean square and variance over draws of one photograph's differences.
fn of_one(draws: &[f64]) -> (f64, f64, f64) {
    let n = draws.len().max(1) as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let square = draws.iter().map(|d| d * d).sum::<f64>() / n;
    let variance = if n > 1.0 { (square - mean * mean) * n / (n - 1.0) } else { 0.0 };
    (mean, square, variance)
}

/// Variance over masks, averaged, as a share of the variance of a single draw on a single photograph.
fn share(counts: &[u32], spread: &[(f64, f64, f64)]) -> f64 {
    let (mut mean, mut square, mut within, mut all) = (0.0, 0.0, 0.0, 0.0);
    for (&count, &(m, s, v)) in counts.iter().zip(spread) {
        let count = f64::from(count);
        (mean, square, within, all) = (mean + count * m, square + count * s, within + count * v, all + count);
    }
    let total = square / all - (mean / all) * (mean / all);
    if total > 0.0 { (within / all / total).clamp(0.0, 1.0) } else { 0.0 }
}

/// λ = 0 and [`LEVELS`].
const POINTS: usize = LEVELS.len() + 1;

/// The weights by which values at λ = 0 and [`LEVELS`] give the value at −1 of the parabola that fits them best.
///
/// Least squares: the row (1, −1, 1) times (XᵀX)⁻¹Xᵀ, where X has the rows (1, λ, λ²).
fn weights_at_minus_one() -> [f64; POINTS] {
    let lambda: [f64; POINTS] = std::array::from_fn(|at| if at == 0 { 0.0 } else { LEVELS[at - 1] });
    let sum = |power: i32| lambda.iter().map(|l| l.powi(power)).sum::<f64>();
    let [s0, s1, s2, s3, s4] = [0, 1, 2, 3, 4].map(sum);
    // XᵀX is symmetric; its adjugate's rows are written out.
    let adjugate = [
        [s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2],
        [s2 * s3 - s1 * s4, s0 * s4 - s2 * s2, s1 * s2 - s0 * s3],
        [s1 * s3 - s2 * s2, s1 * s2 - s0 * s3, s0 * s2 - s1 * s1],
    ];
    let determinant = s0 * adjugate[0][0] + s1 * adjugate[0][1] + s2 * adjugate[0][2];
    let at_minus_one = [0, 1, 2].map(|i| (adjugate[0][i] - adjugate[1][i] + adjugate[2][i]) / determinant);
    lambda.map(|l| at_minus_one[0] + at_minus_one[1] * l + at_minus_one[2] * l * l)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::scenes::tests::{ByPixel, Grey};
    use rand::{Rng, RngExt as _};

    #[test]
    fn a_parabola_is_followed_back_exactly() {
        let weights = weights_at_minus_one();
        let value = |l: f64| 0.3 - 0.2 * l + 0.05 * l * l;
        let found: f64 = weights
            .iter()
            .enumerate()
            .map(|(at, w)| w * value(if at == 0 { 0.0 } else { LEVELS[at - 1] }))
            .sum();
        assert!((found - value(-1.0)).abs() < 1e-12, "{found}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn answers_depend_on_neither_batches_nor_other_images_and_without_error_nothing_changes() {
        let scenes = Grey::new(12, 3);
        let network = ByPixel { classes: 3, lean: 0.4 };
        let images: Vec<u32> = (0..12).collect();
        let partners: Vec<Backgrounds> =
            images.iter().map(|i| Backgrounds { same: (i + 3) % 12, rand: (i + 4) % 12 }).collect();
        let run = |images: &[u32], partners: &[Backgrounds], sigma: f64, batch: usize| {
            let noise = MaskNoise { sigma, correlation: 1.0 };
            let simulation = Simulation { noise, draws: 3, seed: 5 };
            differences(&scenes, &network, images, partners, &simulation, batch, &mut |_, _| {}).unwrap()
        };
        let all = run(&images, &partners, 1.0, 64);
        assert_eq!(all, run(&images, &partners, 1.0, 1));
        assert_eq!(all[7..8], run(&[7], &partners[7..8], 1.0, 5));
        assert!(all.iter().any(|d| d.displaced.iter().flatten().any(|&one| one != d.own)));
        let still = run(&images, &partners, 0.0, 8);
        assert!(still.iter().all(|d| d.displaced.iter().flatten().all(|&one| one == d.own)));
        let found = estimate(&still, &Bootstrap::default()).unwrap();
        assert!((found.without_error.value - found.gap.value).abs() < 1e-12);
        assert!(found.correction.width() < 1e-12);
        assert_eq!(found.share_of_variance.value, 0.0);
        assert!(estimate(&[], &Bootstrap::default()).is_none());
    }

    /// The difference of one photograph that is easier by `ease`, given the chances of a right answer in both views.
    fn answer(random: &mut impl Rng, ease: f64, (same, rand): (f64, f64)) -> f64 {
        let mut right =
            |chance: f64| f64::from(u8::from(random.random::<f64>() < (chance + ease).clamp(0.0, 1.0)));
        right(same) - right(rand)
    }

    /// A world in which the chance of a right answer falls with the variance of the mask's error: `of(λ)` gives the chances
    /// on mixed-same and on mixed-rand, λ = 0 being the masks as they are. A photograph is hard or easy for both views.
    fn world(photographs: usize, seed: u64, of: impl Fn(f64) -> (f64, f64)) -> Vec<Differences> {
        (0..photographs as u32)
            .map(|image| {
                let mut random = rng::stream(seed, "world", u64::from(image), 0);
                let hard = 0.1 * (random.random::<f64>() - 0.5);
                let own = answer(&mut random, hard, of(0.0));
                let mut at = |&level: &f64| (0..4).map(|_| answer(&mut random, hard, of(level))).collect();
                Differences { image, own, displaced: LEVELS.iter().map(&mut at).collect() }
            })
            .collect()
    }

    /// The truth is known: the gap at λ = −1.
    #[test]
    fn the_limits_of_the_gap_without_error_cover_it_in_95_percent_of_worlds() {
        let chances = |level: f64| {
            let error = 1.0 + level;
            (0.85 - 0.04 * error, 0.70 - 0.09 * error + 0.01 * error * error)
        };
        let truth = chances(-1.0).0 - chances(-1.0).1;
        let observed = chances(0.0).0 - chances(0.0).1;
        let bootstrap = Bootstrap { replicates: 300, ..Bootstrap::default() };
        let worlds = 400;
        let (mut covered, mut naive) = (0, 0);
        for seed in 0..worlds {
            let found = estimate(&world(400, seed, chances), &bootstrap).unwrap();
            covered += u32::from(found.without_error.contains(truth));
            naive += u32::from(found.gap.contains(truth));
        }
        let share = |count: u32| f64::from(count) / worlds as f64;
        assert!(
            (0.92..=0.98).contains(&share(covered)),
            "{} (truth {truth}, observed {observed})",
            share(covered)
        );
        // The masks as they are give another gap, and their limits do not hold the true one as often.
        assert!(share(naive) < share(covered) - 0.1, "{} against {}", share(naive), share(covered));
    }

    #[test]
    fn the_share_of_variance_is_that_of_the_draws() {
        // Answers that depend on the draw alone, then answers that never change with it.
        let alone = world(2000, 1, |_| (0.5, 0.5));
        let found = estimate(&alone, &Bootstrap { replicates: 100, ..Bootstrap::default() }).unwrap();
        assert!(found.share_of_variance.value > 0.95, "{:?}", found.share_of_variance);
        let fixed: Vec<Differences> = (0..200)
            .map(|image| {
                let own = f64::from(image % 3) - 1.0;
                Differences { image, own, displaced: vec![vec![own; 4]; LEVELS.len()] }
            })
            .collect();
        let found = estimate(&fixed, &Bootstrap { replicates: 100, ..Bootstrap::default() }).unwrap();
        assert_eq!(found.share_of_variance.value, 0.0);
    }
}
