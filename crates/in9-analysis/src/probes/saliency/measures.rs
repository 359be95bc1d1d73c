//! A map against the true mask.

use super::map::Map;
use serde::{Deserialize, Serialize};

/// How well a map falls on the foreground.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Share of the map's sum that lies on the foreground; NaN for an all-zero map. A map that knows
    /// nothing has the foreground's share of the area on average.
    pub mass: f64,
    /// Foreground's share of the area.
    pub area: f64,
    /// Pointing game without tolerance: whether the highest pixel is foreground, 1 or 0; the foreground's share of the
    /// highest where several are (an enlarged map is flat at the edges). 0 for an all-zero map.
    pub pointing: f64,
    /// Highest intersection over union of the foreground with the pixels above a threshold, over all
    /// thresholds.
    pub iou: f64,
}

/// Measures a map against the mask of the true foreground.
///
/// Sources: energy-based pointing game, H. Wang et al., "Score-CAM", 2020; pointing game, J. Zhang et
/// al., "Top-down neural attention by excitation backprop", 2016.
///
/// ```
/// use in9_analysis::probes::saliency::{Map, measure};
/// let map = Map { values: vec![3.0, 1.0, 0.0, 0.0], size: 2 };
/// let m = measure(&map, &[true, false, true, false]);
/// assert_eq!((m.mass, m.area, m.pointing, m.iou), (0.75, 0.5, 1.0, 0.5));
/// ```
pub fn measure(map: &Map, mask: &[bool]) -> Measures {
    let total: f64 = map.values.iter().map(|&v| f64::from(v)).sum();
    let inside: f64 = map.values.iter().zip(mask).filter(|(_, m)| **m).map(|(&v, _)| f64::from(v)).sum();
    let foreground = mask.iter().filter(|m| **m).count();
    let order = map.ranking();
    let highest = order.first().map_or(0.0, |&i| map.values[i as usize]);
    // Rounding must not choose among pixels that are as high.
    let top: Vec<bool> = order
        .iter()
        .map(|&i| i as usize)
        .take_while(|&i| map.values[i] >= highest * (1.0 - 1e-6))
        .map(|i| mask[i])
        .collect();
    Measures {
        mass: if total > 0.0 { inside / total } else { f64::NAN },
        area: foreground as f64 / mask.len().max(1) as f64,
        pointing: match total > 0.0 {
            true => top.iter().filter(|m| **m).count() as f64 / top.len() as f64,
            false => 0.0,
        },
        iou: best_iou(map, mask, &order, foreground),
    }
}

/// Goes down the ranking once; a threshold can only cut between different values.
fn best_iou(map: &Map, mask: &[bool], order: &[u32], foreground: usize) -> f64 {
    let (mut hits, mut best) = (0usize, 0.0f64);
    for (taken, &i) in order.iter().enumerate() {
        let value = map.values[i as usize];
        if value <= 0.0 {
            break;
        }
        hits += usize::from(mask[i as usize]);
        let next = order.get(taken + 1).map(|&j| map.values[j as usize]);
        if next != Some(value) {
            best = best.max(hits as f64 / (taken + 1 + foreground - hits) as f64);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_map_and_an_empty_one() {
        let mask = [true, true, false, false];
        let perfect = measure(&Map { values: vec![1.0, 1.0, 0.0, 0.0], size: 2 }, &mask);
        assert_eq!((perfect.mass, perfect.pointing, perfect.iou), (1.0, 1.0, 1.0));
        let empty = measure(&Map { values: vec![0.0; 4], size: 2 }, &mask);
        assert!(empty.mass.is_nan() && empty.pointing == 0.0 && empty.iou == 0.0);
    }

    #[test]
    fn equal_values_cannot_be_cut_apart() {
        // Taking only the first of three equal pixels would give an IoU of 1.
        let map = Map { values: vec![1.0, 1.0, 1.0, 0.0], size: 2 };
        let m = measure(&map, &[true, false, false, false]);
        assert_eq!((m.iou, m.pointing), (1.0 / 3.0, 1.0 / 3.0));
    }
}
