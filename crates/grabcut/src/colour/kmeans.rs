//! Weighted k-means over palette cells, which initialises the mixtures.
//!
//! Lloyd's iterations from a k-means++ start (Arthur and Vassilvitskii 2007), the greedy form
//! that tries a few candidates for each new centre and keeps the best.

use super::moments::Moments;
use crate::params::MAX_COMPONENTS;
use crate::random::Random;

/// Most iterations of Lloyd's algorithm.
const ITERATIONS: usize = 10;
/// Candidates for each new centre.
const CANDIDATES: usize = 3;

/// Buffers that are kept between calls.
#[derive(Debug, Default)]
pub(crate) struct KMeans {
    points: Vec<Point>,
    nearest: Vec<f32>,
    trial: Vec<f32>,
    best: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    weight: f32,
    colour: [f32; 3],
}

impl KMeans {
    /// Divides `cells` into at most `k` clusters and returns the moments of each. Clusters are
    /// fewer than `k` (the others have count 0) only when there are fewer distinct cells.
    pub(crate) fn cluster(
        &mut self,
        cells: &[Moments],
        k: usize,
        random: &mut Random,
    ) -> [Moments; MAX_COMPONENTS] {
        self.points.clear();
        self.points.extend(
            cells.iter().map(|c| Point { weight: c.count as f32, colour: c.mean().map(|v| v as f32) }),
        );
        let mut centres = [[0.0_f32; 3]; MAX_COMPONENTS];
        let k = self.seed(&mut centres, k, random);
        let mut clusters = [Moments::default(); MAX_COMPONENTS];
        for _ in 0..ITERATIONS {
            clusters = [Moments::default(); MAX_COMPONENTS];
            for (cell, point) in cells.iter().zip(&self.points) {
                clusters[nearest(&centres[..k], point.colour)] += *cell;
            }
            let mut moved = false;
            for (centre, cluster) in centres[..k].iter_mut().zip(&clusters) {
                if cluster.count > 0 {
                    let mean = cluster.mean().map(|v| v as f32);
                    moved |= mean != *centre;
                    *centre = mean;
                }
            }
            if !moved {
                break;
            }
        }
        clusters
    }

    /// Chooses up to `k` centres among the points; returns how many.
    fn seed(&mut self, centres: &mut [[f32; 3]; MAX_COMPONENTS], k: usize, random: &mut Random) -> usize {
        let Self { points, nearest, trial, best } = self;
        // The three buffers are swapped, so all of them must be large enough.
        for buffer in [&mut *nearest, &mut *trial, &mut *best] {
            buffer.clear();
            buffer.reserve(points.len());
        }
        let total: f64 = points.iter().map(|p| f64::from(p.weight)).sum();
        let first = pick(points.iter().map(|p| p.weight), total, random);
        centres[0] = points[first].colour;
        nearest.extend(points.iter().map(|p| p.weight * square_distance(p.colour, centres[0])));
        for (chosen, centre) in centres[..k].iter_mut().enumerate().skip(1) {
            let total: f64 = nearest.iter().map(|&d| f64::from(d)).sum();
            if total <= 0.0 {
                return chosen;
            }
            let mut least = f64::INFINITY;
            for _ in 0..CANDIDATES {
                let candidate = points[pick(nearest.iter().copied(), total, random)].colour;
                trial.clear();
                trial.extend(
                    points
                        .iter()
                        .zip(nearest.iter())
                        .map(|(p, &d)| d.min(p.weight * square_distance(p.colour, candidate))),
                );
                let rest: f64 = trial.iter().map(|&d| f64::from(d)).sum();
                if rest < least {
                    least = rest;
                    *centre = candidate;
                    std::mem::swap(trial, best);
                }
            }
            std::mem::swap(nearest, best);
        }
        k
    }
}

/// Index drawn with probability proportional to its weight; `total` is the sum of all weights.
fn pick(weights: impl Iterator<Item = f32>, total: f64, random: &mut Random) -> usize {
    let mut left = random.unit() * total;
    let mut last = 0;
    for (i, weight) in weights.enumerate() {
        if weight > 0.0 {
            last = i;
            left -= f64::from(weight);
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

fn square_distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

fn nearest(centres: &[[f32; 3]], colour: [f32; 3]) -> usize {
    let mut best = (0, f32::INFINITY);
    for (i, &centre) in centres.iter().enumerate() {
        let d = square_distance(centre, colour);
        if d < best.1 {
            best = (i, d);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(colours: &[[u8; 3]]) -> Vec<Moments> {
        colours
            .iter()
            .map(|&c| {
                let mut m = Moments::default();
                m.push(c);
                m
            })
            .collect()
    }

    #[test]
    fn separate_colours_are_found() {
        let cells = cells(&[[0, 0, 0], [2, 0, 0], [200, 0, 0], [202, 0, 0], [0, 0, 250]]);
        for seed in 0..20 {
            let clusters = KMeans::default().cluster(&cells, 3, &mut Random::new(seed, 0));
            let mut means: Vec<_> = clusters.iter().filter(|c| c.count > 0).map(Moments::mean).collect();
            means.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
            assert_eq!(means, [[0.0, 0.0, 250.0], [1.0, 0.0, 0.0], [201.0, 0.0, 0.0]]);
        }
    }

    #[test]
    fn fewer_colours_than_clusters() {
        let clusters = KMeans::default().cluster(&cells(&[[9, 9, 9]]), 5, &mut Random::new(1, 0));
        assert_eq!(clusters.iter().map(|c| c.count).collect::<Vec<_>>(), [1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
