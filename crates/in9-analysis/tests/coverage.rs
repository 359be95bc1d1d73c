//! Do 95 % intervals hold the truth 95 % of the time? Simulated worlds whose truth is known.
//!
//! Each world is drawn 2000 times; the share of intervals that hold the truth must be 93 to 97 %.

use in9_analysis::stats::proportion::{mean_of_proportions, wilson};
use in9_analysis::stats::regression::fit;
use in9_analysis::stats::{Bootstrap, mean};
use in9_data::rng::{stream, unit};
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
fn balanced_accuracy_covers_with_unbalanced_classes() {
    let sizes = [100u64, 60, 100, 12, 55, 100, 9, 30, 25];
    let share = coverage(|w| {
        let mut random = stream(1, "coverage", w, 0);
        let recalls: Vec<f64> = sizes.iter().map(|_| 0.4 + 0.5 * f64::from(unit(&mut random))).collect();
        let counts: Vec<(u64, u64)> = sizes
            .iter()
            .zip(&recalls)
            .map(|(&n, &p)| ((0..n).filter(|_| f64::from(unit(&mut random)) < p).count() as u64, n))
            .collect();
        let truth = recalls.iter().sum::<f64>() / recalls.len() as f64;
        mean_of_proportions(&counts, 0.95).contains(truth)
    });
    check("balanced accuracy", share);
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
fn seeds_and_slopes_cover() {
    let normal = |random: &mut _| {
        // The sum of twelve uniform numbers is close enough to normal for an interval of means.
        (0..12).map(|_| f64::from(unit(random))).sum::<f64>() - 6.0
    };
    let seeds = coverage(|w| {
        let mut random = stream(3, "coverage", w, 0);
        let values: Vec<f64> = (0..5).map(|_| 20.0 + normal(&mut random)).collect();
        mean::student(&values, 0.95).contains(20.0)
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
