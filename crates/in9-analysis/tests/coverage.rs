//! Do 95 % intervals hold the truth 95 % of the time? Simulated worlds whose truth is known.
//!
//! Each world is drawn 2000 times; the share of intervals that hold the truth must be 93 to 97 %.

use in9_analysis::stats::regression::fit;
use in9_analysis::stats::{Bootstrap, student};
use in9_analysis::stats::{mean_of_proportions, wilson, wilson_in_clusters};
use in9_base::rng::{stream, unit};
use rayon::prelude::*;

const WORLDS: u64 = 2000;

/// Share of worlds in which `holds` says that the interval held the truth.
fn coverage(holds: impl Fn(u64) -> bool + Sync) -> f64 {
    (0..WORLDS).into_par_iter().filter(|&w| holds(w)).count() as f64 / WORLDS as f64
}

fn check(what: &str, share: f64) {
    assert!((0.93..=0.97).contains(&share), "{what} covers {:.1} %", 100.0 * share);
}

#[test]
fn wilson_covers() {
    // Coverage of one n and p jumps with discreteness, so p is drawn too: the mean over p is meant.
    for n in [30u64, 341, 4050] {
        let share = coverage(|w| {
            let mut random = stream(n, "coverage", w, 0);
            let p = f64::from(unit(&mut random)) * 0.9 + 0.05;
            let k = (0..n).filter(|_| f64::from(unit(&mut random)) < p).count() as u64;
            wilson(k, n, 0.95).contains(p)
        });
        check(&format!("Wilson at n = {n}"), share);
    }
}

#[test]
fn accuracy_covers_when_foregrounds_are_tested_on_several_backgrounds() {
    let share = coverage(|w| {
        let mut random = stream(5, "coverage", w, 0);
        let p = f64::from(unit(&mut random)) * 0.6 + 0.2;
        // Half of the foregrounds are right or wrong whatever the background.
        let clusters: Vec<(u64, u64)> = (0..150)
            .map(|_| {
                let stubborn = unit(&mut random) < 0.5;
                let mut right = || u64::from(f64::from(unit(&mut random)) < p);
                let first = right();
                (if stubborn { 4 * first } else { first + (0..3).map(|_| right()).sum::<u64>() }, 4)
            })
            .collect();
        wilson_in_clusters(&clusters, 0.95).contains(p)
    });
    check("accuracy over clusters", share);
}

/// Share of worlds in which the truth lies below the interval of balanced accuracy, and above it.
fn balanced_misses(purpose: u64, draw: impl Fn(f64) -> f64 + Sync) -> [f64; 2] {
    let sizes = [75u64, 50, 150, 14, 45, 118, 10, 25, 11];
    let miss = |below: bool| {
        1.0 - coverage(|w| {
            let mut random = stream(purpose, "coverage", w, 0);
            let recalls: Vec<f64> = sizes.iter().map(|_| draw(f64::from(unit(&mut random)))).collect();
            let counts: Vec<(u64, u64)> = sizes
                .iter()
                .zip(&recalls)
                .map(|(&n, &p)| ((0..n).filter(|_| f64::from(unit(&mut random)) < p).count() as u64, n))
                .collect();
            let truth = recalls.iter().sum::<f64>() / recalls.len() as f64;
            let i = mean_of_proportions(&counts, 0.95);
            if below { i.low <= truth } else { truth <= i.high }
        })
    };
    [miss(true), miss(false)]
}

#[test]
fn balanced_accuracy_covers_on_either_side() {
    // As on photographs, and as of networks that know a few classes only: u⁴ is near zero for most.
    for (what, misses) in [
        ("recalls in the middle", balanced_misses(1, |u| 0.4 + 0.5 * u)),
        ("recalls near zero", balanced_misses(6, |u| 0.8 * u.powi(4))),
    ] {
        check(what, 1.0 - misses[0] - misses[1]);
        assert!(misses.iter().all(|m| *m < 0.045), "{what}: {misses:?} below and above");
    }
}

#[test]
fn gap_covers_when_the_views_are_correlated() {
    let (same, rand) = (0.70, 0.55);
    let bootstrap = Bootstrap { replicates: 400, ..Bootstrap::default() };
    let share = coverage(|w| {
        let mut random = stream(2, "coverage", w, 0);
        let apart: Vec<f64> = (0..250)
            .map(|_| {
                // Half of the images share their luck between the views.
                let luck = f64::from(unit(&mut random));
                let other = if unit(&mut random) < 0.5 { luck } else { f64::from(unit(&mut random)) };
                f64::from(u8::from(luck < same)) - f64::from(u8::from(other < rand))
            })
            .collect();
        Bootstrap { seed: w, ..bootstrap }.mean("coverage", &apart).contains(same - rand)
    });
    check("BG-gap", share);
}

#[test]
fn balanced_gap_covers_with_unbalanced_classes() {
    // (images, accuracy on mixed-same, on mixed-rand) of each class.
    let classes = [(60, 0.8, 0.6), (25, 0.5, 0.45), (15, 0.6, 0.3)];
    let truth = classes.iter().map(|(_, same, rand)| same - rand).sum::<f64>() / 3.0;
    let bootstrap = Bootstrap { replicates: 400, ..Bootstrap::default() };
    let share = coverage(|w| {
        let mut random = stream(7, "coverage", w, 0);
        let mut images: Vec<(usize, f64)> = Vec::new();
        for (class, (n, same, rand)) in classes.into_iter().enumerate() {
            for _ in 0..n {
                let luck = f64::from(unit(&mut random));
                let other = if unit(&mut random) < 0.5 { luck } else { f64::from(unit(&mut random)) };
                images.push((class, f64::from(u8::from(luck < same)) - f64::from(u8::from(other < rand))));
            }
        }
        let statistic = |counts: &[u32]| {
            let mut sums = [(0.0, 0.0); 3];
            for (&c, &(class, apart)) in counts.iter().zip(&images) {
                sums[class] = (sums[class].0 + f64::from(c) * apart, sums[class].1 + f64::from(c));
            }
            sums.iter().map(|(sum, n)| sum / n).sum::<f64>() / 3.0
        };
        Bootstrap { seed: w, ..bootstrap }.interval("coverage", images.len(), statistic).contains(truth)
    });
    check("balanced BG-gap", share);
}

#[test]
fn seeds_and_slopes_cover() {
    let normal = |random: &mut _| {
        // The sum of twelve uniform numbers is close enough to normal for an interval of means.
        (0..12).map(|_| f64::from(unit(random))).sum::<f64>() - 6.0
    };
    let seeds = coverage(|w| {
        let mut random = stream(3, "coverage", w, 0);
        let values: Vec<f64> = (0..5).map(|_| 20.0 + normal(&mut random)).collect();
        student(&values, 0.95).contains(20.0)
    });
    check("mean over seeds", seeds);
    let slopes = coverage(|w| {
        let mut random = stream(4, "coverage", w, 0);
        let points: Vec<(f64, f64)> =
            (0..8).map(|i| (f64::from(i), 0.5 * f64::from(i) + normal(&mut random))).collect();
        fit(&points, 0.95).is_some_and(|line| line.slope.contains(0.5))
    });
    check("slope", slopes);
}
