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
    /// Whether the highest pixel is foreground (pointing game); false for an all-zero map.
    pub pointing: bool,
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
/// assert_eq!((m.mass, m.area, m.pointing, m.iou), (0.75, 0.5, true, 0.5));
/// ```
pub fn measure(map: &Map, mask: &[bool]) -> Measures {
    let total: f64 = map.values.iter().map(|&v| f64::from(v)).sum();
    let inside: f64 = map.values.iter().zip(mask).filter(|(_, m)| **m).map(|(&v, _)| f64::from(v)).sum();
    let foreground = mask.iter().filter(|m| **m).count();
    let order = map.ranking();
    let first = order.first().map(|&i| i as usize);
    Measures {
        mass: if total > 0.0 { inside / total } else { f64::NAN },
        area: foreground as f64 / mask.len().max(1) as f64,
        pointing: total > 0.0 && first.is_some_and(|i| mask[i]),
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
        assert_eq!((perfect.mass, perfect.pointing, perfect.iou), (1.0, true, 1.0));
        let empty = measure(&Map { values: vec![0.0; 4], size: 2 }, &mask);
        assert!(empty.mass.is_nan() && !empty.pointing && empty.iou == 0.0);
    }

    #[test]
    fn equal_values_cannot_be_cut_apart() {
        // Taking only the first of three equal pixels would give an IoU of 1.
        let map = Map { values: vec![1.0, 1.0, 1.0, 0.0], size: 2 };
        assert_eq!(measure(&map, &[true, false, false, false]).iou, 1.0 / 3.0);
    }
}
