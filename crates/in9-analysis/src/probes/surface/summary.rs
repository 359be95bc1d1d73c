//! Surfaces with simultaneous bands, from answers.

use super::grid::{Axis, Cell, Grid};
use super::run::Answers;
use crate::stats::{Bootstrap, Interval, Values, simultaneous};
use serde::{Deserialize, Serialize};

/// Accuracies and gap at one place of the surface. Fractions; each measure's bands hold together over all places that stand
/// beside this one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Accuracy on backgrounds of the object's class, in `0..=1`.
    pub same: Interval,
    /// Accuracy on random backgrounds, in `0..=1`.
    pub rand: Interval,
    /// The first minus the second, in `-1..=1`.
    pub gap: Interval,
}

/// A level of one axis, averaged over all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The axis.
    pub axis: Axis,
    /// The level's name.
    pub level: String,
    /// Accuracies and gap.
    #[serde(flatten)]
    pub point: Point,
    /// Change from the axis's first level, paired by photograph; of the first level itself none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Point>,
}

/// A surface over some photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// Photographs.
    pub photographs: usize,
    /// Each cell, as [`Grid::cells`] has them.
    pub cells: Vec<(Cell, Point)>,
    /// Each level of each axis.
    pub levels: Vec<Level>,
}

/// The surface over the photographs of `answers`; `None` for none.
///
/// Photographs are resampled with all their answers. There are three families of bands for each measure, each at the
/// bootstrap's level by itself: cells, levels, and changes between levels.
pub fn surface(grid: &Grid, answers: &[Answers], bootstrap: &Bootstrap) -> Option<Surface> {
    let cells = grid.cells();
    // Everything here is a weighted sum over cells.
    let single =
        (0..cells.len()).map(|own| (0..cells.len()).map(|cell| f64::from(u8::from(cell == own))).collect());
    let named: Vec<(Axis, String)> = Axis::ALL
        .into_iter()
        .flat_map(|axis| grid.levels(axis).into_iter().map(move |level| (axis, level)))
        .collect();
    let mean_of = |(axis, level): &(Axis, String)| -> Vec<f64> {
        let member: Vec<bool> = cells.iter().map(|cell| cell.level(*axis) == *level).collect();
        let weight = 1.0 / member.iter().filter(|member| **member).count().max(1) as f64;
        member.into_iter().map(|member| if member { weight } else { 0.0 }).collect()
    };
    let levels: Vec<Vec<f64>> = named.iter().map(mean_of).collect();
    let first = |at: usize| named.iter().position(|(axis, _)| *axis == named[at].0).unwrap_or(at);
    let later: Vec<usize> = (0..named.len()).filter(|&at| first(at) != at).collect();
    let change =
        |&at: &usize| levels[at].iter().zip(&levels[first(at)]).map(|(own, first)| own - first).collect();
    let changes: Vec<Vec<f64>> = later.iter().map(change).collect();

    let of_cells = points(answers, &single.collect::<Vec<_>>(), Values::Shares, bootstrap)?;
    let of_levels = points(answers, &levels, Values::Shares, bootstrap)?;
    // A grid of one cell has nothing to compare.
    let changed = points(answers, &changes, Values::Differences { most: 1.0 }, bootstrap).unwrap_or_default();
    let place = |at: usize| later.iter().position(|&other| other == at);
    let level = |(at, ((axis, level), point)): (usize, ((Axis, String), Point))| Level {
        axis,
        level,
        point,
        change: place(at).and_then(|place| changed.get(place).copied()),
    };
    Some(Surface {
        photographs: answers.len(),
        cells: cells.into_iter().zip(of_cells).collect(),
        levels: named.into_iter().zip(of_levels).enumerate().map(level).collect(),
    })
}

/// Accuracies and gap of each weighted sum over cells; `values` is what such a sum of accuracies is.
fn points(
    answers: &[Answers],
    columns: &[Vec<f64>],
    values: Values,
    bootstrap: &Bootstrap,
) -> Option<Vec<Point>> {
    let sum = |right: &[bool], weights: &[f64]| -> f64 {
        right.iter().zip(weights).map(|(&right, weight)| if right { *weight } else { 0.0 }).sum()
    };
    let over = |value: &dyn Fn(&Answers, &[f64]) -> f64, values| {
        let row = |one: &Answers| columns.iter().map(|weights| value(one, weights)).collect();
        simultaneous(bootstrap, "surface", &answers.iter().map(row).collect::<Vec<_>>(), values)
    };
    let same = over(&|one, weights| sum(&one.same, weights), values)?;
    let rand = over(&|one, weights| sum(&one.rand, weights), values)?;
    let most = if values == Values::Shares { 1.0 } else { 2.0 };
    let gap = over(
        &|one, weights| sum(&one.same, weights) - sum(&one.rand, weights),
        Values::Differences { most },
    )?;
    let joined = same.means.into_iter().zip(rand.means).zip(gap.means);
    Some(joined.map(|((same, rand), gap)| Point { same, rand, gap }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::mask_error::Backgrounds;
    use crate::probes::scenes::tests::{ByPixel, Grey};
    use crate::probes::surface::{Position, Side, answers};

    fn grid() -> Grid {
        Grid {
            positions: vec![Position::Own],
            sizes: vec![Side::Own],
            edges: vec![0.0, 1.0],
            similarities: vec![0.0, 1.0],
        }
    }

    fn asked(n: u32, lean: f32, images: &[u32], batch: usize) -> Vec<Answers> {
        let scenes = Grey::new(n as usize, 3);
        let network = ByPixel { classes: 3, lean };
        let partners: Vec<Backgrounds> =
            images.iter().map(|i| Backgrounds { same: (i + 3) % n, rand: (i + 4) % n }).collect();
        answers(&scenes, &network, images, &partners, &grid(), 0, batch, &mut |_, _| {}).unwrap()
    }

    #[test]
    fn answers_depend_on_neither_batches_nor_other_images() {
        let images: Vec<u32> = (0..12).collect();
        let all = asked(12, 0.4, &images, 64);
        assert_eq!(all, asked(12, 0.4, &images, 1));
        assert_eq!(all[7..8], asked(12, 0.4, &[7], 5));
    }

    #[test]
    fn a_network_that_sees_objects_only_has_a_surface_that_is_flat_in_likeness_and_falls_where_objects_vanish()
     {
        let images: Vec<u32> = (0..60).collect();
        let found = surface(&grid(), &asked(60, 0.0, &images, 64), &Bootstrap::default()).unwrap();
        assert_eq!((found.photographs, found.cells.len(), found.levels.len()), (60, 4, 6));
        let level = |axis: Axis, level: &str| {
            found.levels.iter().find(|l| l.axis == axis && l.level == level).unwrap()
        };
        // An edge as wide as the picture leaves the background alone, whose class only mixed-same shares.
        let edge = level(Axis::Edge, "1").change.unwrap();
        assert!(edge.rand.high < -0.2 && edge.gap.low > 0.2, "{edge:?}");
        let hard = found.cells.iter().filter(|(cell, _)| cell.edge == 0.0);
        assert!(hard.clone().all(|(_, point)| point.gap.contains(0.0) && point.rand.value > 0.9));
        // Without a soft edge likeness changes no pixel of the object.
        let values: Vec<f64> = hard.map(|(_, point)| point.rand.value).collect();
        assert_eq!(values[0], values[1]);
        assert!(level(Axis::Edge, "0").change.is_none() && level(Axis::Position, "own").change.is_none());
    }

    #[test]
    fn a_mean_over_cells_is_the_level_and_no_photograph_has_no_surface() {
        let images: Vec<u32> = (0..30).collect();
        let all = asked(30, 0.6, &images, 64);
        let found = surface(&grid(), &all, &Bootstrap::default()).unwrap();
        for level in found.levels.iter().filter(|level| level.axis == Axis::Similarity) {
            let of: Vec<f64> = found
                .cells
                .iter()
                .filter(|(c, _)| c.level(level.axis) == level.level)
                .map(|(_, p)| p.gap.value)
                .collect();
            assert!((of.iter().sum::<f64>() / of.len() as f64 - level.point.gap.value).abs() < 1e-12);
        }
        assert_eq!(surface(&grid(), &[], &Bootstrap::default()), None);
        let one = Grid { edges: vec![0.0], similarities: vec![0.0], ..grid() };
        let single: Vec<Answers> = all
            .iter()
            .map(|a| Answers { same: a.same[..1].to_vec(), rand: a.rand[..1].to_vec(), ..a.clone() })
            .collect();
        assert!(
            surface(&one, &single, &Bootstrap::default()).unwrap().levels.iter().all(|l| l.change.is_none())
        );
    }
}
