//! The gap with photographs and sources of masks as random factors.
//!
//! The model: difference = gap + photograph + source + photograph × source, the last three random with mean 0. Their
//! variances come from the mean squares of the two-way table with one value a cell; a negative estimate is taken for 0.
//! Whoever measures a gap uses one source and n photographs, so that the variance of what he finds is
//! σ²(source) + (σ²(photograph) + σ²(photograph × source)) / n.
//!
//! Sources: S. R. Searle, G. Casella and C. E. McCulloch, "Variance Components", 1992, chapter 4; the limits by
//! F. E. Satterthwaite, "An approximate distribution of estimates of variance components", 1946. **It assumes** that the
//! sources at hand are drawn from those that one might have used. With two or three sources the limits are wide, because two
//! or three values say little of how others would vary.

use serde::{Deserialize, Serialize};

use super::run::SourceDifferences;
use crate::stats::special::t_quantile;
use crate::stats::{Bootstrap, Interval};

/// Variances of the parts of a photograph's difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Components {
    /// Of photographs.
    pub photograph: f64,
    /// Of sources of masks.
    pub source: f64,
    /// Of both together.
    pub both: f64,
}

/// The gap beside the sources of its masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskSources {
    /// Photographs that all sources have masks of.
    pub images: usize,
    /// The gap with the masks of each source, in `-1..=1`; photographs are resampled.
    pub gaps: Vec<Interval>,
    /// The gap with each other source less the gap with the first, paired by photograph.
    pub apart: Vec<Interval>,
    /// The mean gap; its limits hold photographs and sources both for random.
    pub gap: Interval,
    /// The mean gap with the sources taken as they are: only photographs are resampled.
    pub fixed: Interval,
    /// Variances of the parts.
    pub components: Components,
    /// Of the variance of a gap that is measured with one source: the share that comes from which source it is, `0..=1`.
    pub share_of_source: Interval,
    /// The share that comes from what source and photograph do together.
    pub share_of_both: f64,
    /// Share of photographs whose difference is not the same with all sources.
    pub changed: f64,
}

/// The gap and what its variance comes from; `None` for fewer than two photographs or sources.
pub fn estimate(differences: &[SourceDifferences], bootstrap: &Bootstrap) -> Option<MaskSources> {
    let (n, k) = (differences.len(), differences.first()?.by_source.len());
    if n < 2 || k < 2 {
        return None;
    }
    let rows: Vec<&[f64]> = differences.iter().map(|one| one.by_source.as_slice()).collect();
    let over = |statistic: &(dyn Fn(&[u32]) -> f64 + Sync)| bootstrap.interval("mask-sources", n, statistic);
    let gap_of = |counts: &[u32], source: usize| -> f64 {
        counts.iter().zip(&rows).map(|(&count, row)| f64::from(count) * row[source]).sum::<f64>() / n as f64
    };
    let mean_gap = |counts: &[u32]| (0..k).map(|source| gap_of(counts, source)).sum::<f64>() / k as f64;
    let table = Table::of(&rows, &vec![1; n]);
    let changed = rows.iter().filter(|row| row.iter().any(|value| *value != row[0])).count();
    Some(MaskSources {
        images: n,
        gaps: (0..k).map(|source| over(&|counts| gap_of(counts, source))).collect(),
        apart: (1..k).map(|source| over(&|counts| gap_of(counts, source) - gap_of(counts, 0))).collect(),
        gap: table.limits(mean_gap(&vec![1; n]), bootstrap.level),
        fixed: over(&mean_gap),
        components: table.components(),
        share_of_source: over(&|counts| Table::of(&rows, counts).shares().0),
        share_of_both: table.shares().1,
        changed: changed as f64 / n as f64,
    })
}

/// The two-way table of photographs and sources.
struct Table {
    photographs: f64,
    sources: f64,
    /// Mean squares: of photographs, of sources, of what is left.
    squares: [f64; 3],
}

impl Table {
    /// The table with each photograph as often as `counts` says.
    fn of(rows: &[&[f64]], counts: &[u32]) -> Self {
        let k = rows.first().map_or(0, |row| row.len()) as f64;
        let n: f64 = counts.iter().map(|&count| f64::from(count)).sum();
        let weighted = || counts.iter().map(|&count| f64::from(count)).zip(rows);
        let mean_of = |row: &[f64]| row.iter().sum::<f64>() / k;
        let by_source: Vec<f64> =
            (0..k as usize).map(|s| weighted().map(|(count, row)| count * row[s]).sum::<f64>() / n).collect();
        let grand = mean_of(&by_source);
        let photograph =
            weighted().map(|(count, row)| count * (mean_of(row) - grand).powi(2)).sum::<f64>() * k;
        let source = by_source.iter().map(|mean| (mean - grand).powi(2)).sum::<f64>() * n;
        let left = |row: &[f64]| -> f64 {
            let own = mean_of(row);
            row.iter().zip(&by_source).map(|(value, mean)| (value - own - mean + grand).powi(2)).sum()
        };
        let rest: f64 = weighted().map(|(count, row)| count * left(row)).sum();
        let squares = [photograph / (n - 1.0), source / (k - 1.0), rest / ((n - 1.0) * (k - 1.0))];
        Self { photographs: n, sources: k, squares }
    }

    fn components(&self) -> Components {
        let [photograph, source, rest] = self.squares;
        Components {
            photograph: ((photograph - rest) / self.sources).max(0.0),
            source: ((source - rest) / self.photographs).max(0.0),
            both: rest,
        }
    }

    /// Of the variance of a gap with one source, the shares of the source and of both together; 0 where nothing varies.
    fn shares(&self) -> (f64, f64) {
        let Components { photograph, source, both } = self.components();
        let (photograph, both) = (photograph / self.photographs, both / self.photographs);
        let all = photograph + source + both;
        if all > 0.0 { (source / all, both / all) } else { (0.0, 0.0) }
    }

    /// Limits of the mean over all, both factors random.
    fn limits(&self, mean: f64, level: f64) -> Interval {
        let (n, k) = (self.photographs, self.sources);
        let [photograph, source, rest] = self.squares;
        let cells = n * k;
        let variance = (photograph + source - rest) / cells;
        // Where the sources agree more than chance would have it, the photographs alone decide.
        if variance <= photograph / cells || source <= rest {
            let half = t_quantile(0.5 + level / 2.0, n - 1.0) * (photograph / cells).sqrt();
            return Interval::new(mean, mean - half, mean + half);
        }
        let part = |square: f64, freedom: f64| (square / cells).powi(2) / freedom;
        let parts = part(photograph, n - 1.0) + part(source, k - 1.0) + part(rest, (n - 1.0) * (k - 1.0));
        let freedom = (variance * variance / parts).max(1.0);
        let half = t_quantile(0.5 + level / 2.0, freedom) * variance.sqrt();
        Interval::new(mean, mean - half, mean + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_data::rng;
    use rand::RngExt as _;

    fn quick() -> Bootstrap {
        Bootstrap { replicates: 100, ..Bootstrap::default() }
    }

    fn of(rows: &[&[f64]]) -> Vec<SourceDifferences> {
        let one = |(image, row): (usize, &&[f64])| SourceDifferences {
            image: image as u32,
            by_source: row.to_vec(),
        };
        rows.iter().enumerate().map(one).collect()
    }

    #[test]
    fn a_table_by_hand() {
        // Means of photographs 1 and 0, of sources 1 and 0; nothing is left.
        let found = estimate(&of(&[&[1.0, 0.0], &[1.0, 0.0], &[1.0, 0.0]]), &quick()).unwrap();
        assert_eq!(found.components, Components { photograph: 0.0, source: 0.5, both: 0.0 });
        assert_eq!((found.gap.value, found.share_of_source.value, found.changed), (0.5, 1.0, 1.0));
        assert_eq!((found.gaps[0].value, found.gaps[1].value, found.apart[0].value), (1.0, 0.0, -1.0));
        // One degree of freedom: 0.5 ± 12.7 · 0.5.
        assert!((found.gap.high - 0.5 - 12.706_204_7 * 0.5).abs() < 1e-6, "{:?}", found.gap);
        let photographs = estimate(&of(&[&[1.0, 1.0], &[0.0, 0.0], &[0.0, 0.0]]), &quick()).unwrap();
        assert!((photographs.components.photograph - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((photographs.share_of_source.value, photographs.changed), (0.0, 0.0));
        // One of three photographs changes with the source, the other way round from another.
        let both = estimate(&of(&[&[1.0, 0.0], &[0.0, 1.0], &[0.0, 0.0]]), &quick()).unwrap();
        assert_eq!((both.share_of_source.value, both.share_of_both), (0.0, 1.0));
        assert!((both.changed - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn one_source_or_one_photograph_says_nothing() {
        assert!(estimate(&[], &quick()).is_none());
        assert!(estimate(&of(&[&[1.0], &[0.0]]), &quick()).is_none());
        assert!(estimate(&of(&[&[1.0, 0.0]]), &quick()).is_none());
        let still = estimate(&of(&[&[1.0, 1.0], &[1.0, 1.0]]), &quick()).unwrap();
        assert_eq!((still.gap, still.share_of_source.value), (Interval::exact(1.0), 0.0));
    }

    /// Worlds whose truth is known: right answers with chances that depend on the photograph, on the source and on both.
    fn world(seed: u64, photographs: usize, sources: usize, spread: f64) -> Vec<SourceDifferences> {
        let normal = |random: &mut dyn rand::Rng| (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let mut random = rng::stream(seed, "mask-sources-world", 0, 0);
        let of_source: Vec<f64> = (0..sources).map(|_| spread * normal(&mut random)).collect();
        (0..photographs as u32)
            .map(|image| {
                let hard = 0.15 * (random.random::<f64>() - 0.5);
                let luck = [random.random::<f64>(), random.random::<f64>()];
                let by_source = of_source.iter().map(|shift| {
                    // Mostly the photograph decides, now and then the mask.
                    let mut right = |at: usize, chance: f64| {
                        let own = if random.random::<f64>() < 0.15 { random.random() } else { luck[at] };
                        f64::from(u8::from(own < chance))
                    };
                    right(0, 0.8 + hard) - right(1, 0.6 + hard - shift)
                });
                SourceDifferences { image, by_source: by_source.collect() }
            })
            .collect()
    }

    #[test]
    fn limits_that_hold_sources_for_random_cover_the_gap_and_those_that_do_not_miss_it() {
        let (worlds, truth) = (400, 0.2);
        for (sources, spread) in [(3, 0.06), (6, 0.06), (4, 0.0)] {
            let (mut random, mut fixed) = (0, 0);
            for seed in 0..worlds {
                let world = world(seed, 300, sources, spread);
                let rows: Vec<&[f64]> = world.iter().map(|one| one.by_source.as_slice()).collect();
                let table = Table::of(&rows, &[1; 300]);
                let mean =
                    rows.iter().map(|row| row.iter().sum::<f64>()).sum::<f64>() / (300 * sources) as f64;
                random += u32::from(table.limits(mean, 0.95).contains(truth));
                // With the sources as they are, photographs alone vary.
                let half = 1.97 * (table.squares[0] / (300 * sources) as f64).sqrt();
                fixed += u32::from((mean - truth).abs() <= half);
            }
            let share = |count: u32| f64::from(count) / worlds as f64;
            assert!((0.90..=0.99).contains(&share(random)), "{sources} sources, {spread}: {}", share(random));
            if spread > 0.0 {
                assert!(share(fixed) < share(random) - 0.03, "{sources}: {} {}", share(fixed), share(random));
            }
        }
    }

    #[test]
    fn the_share_of_the_source_is_found_again() {
        // A spread of 0.04 against photographs of variance 0.3 or so, 300 of them: 0.0016 to 0.001.
        let mean = |spread: f64| {
            let shares = (0..60).map(|seed| {
                let world = world(1000 + seed, 300, 6, spread);
                let rows: Vec<&[f64]> = world.iter().map(|one| one.by_source.as_slice()).collect();
                Table::of(&rows, &[1; 300]).shares().0
            });
            shares.sum::<f64>() / 60.0
        };
        let (none, some, much) = (mean(0.0), mean(0.04), mean(0.2));
        assert!(none < 0.1 && (0.4..0.75).contains(&some) && much > 0.9, "{none} {some} {much}");
    }
}
