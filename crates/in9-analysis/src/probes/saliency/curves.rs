//! Insertion and deletion: does the score follow the map?

use super::map::Map;
use crate::error::Result;
use crate::probes::classifier::{Classifier, Pictures};

/// Mean score of the class while pixels are taken away (or put back) in the order of the map.
///
/// Deletion paints pixels mid-grey, most salient first: lower is better. Insertion begins with the
/// blurred picture and puts true pixels back: higher is better. Both are the area under the curve of
/// the class's probability over the share of pixels, by the trapezoid rule, in `0..=1`.
///
/// Source: V. Petsiuk, A. Das, K. Saenko, "RISE: randomized input sampling for explanation of
/// black-box models", BMVC 2018.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// Scores while pixels are taken away, from none to all: one more than steps.
    pub deletion: Vec<f64>,
    /// Scores while pixels are put back, from none to all.
    pub insertion: Vec<f64>,
}

impl Curves {
    /// Area under the deletion curve; NaN without one.
    pub fn deletion_area(&self) -> f64 {
        area(&self.deletion)
    }

    /// Area under the insertion curve; NaN without one.
    pub fn insertion_area(&self) -> f64 {
        area(&self.insertion)
    }
}

/// Both curves for one picture (`[3, size, size]` in `0..=1`), with `steps` steps.
///
/// # Errors
/// If the classifier fails.
pub fn curves(
    classifier: &dyn Classifier,
    picture: &[f32],
    map: &Map,
    class: u16,
    steps: usize,
) -> Result<Curves> {
    let order = map.ranking();
    let grey = vec![0.5; picture.len()];
    let soft = blurred(picture, map.size);
    let deletion = curve(classifier, picture, &grey, &order, map.size, class, steps)?;
    let insertion = curve(classifier, &soft, picture, &order, map.size, class, steps)?;
    Ok(Curves { deletion, insertion })
}

/// Scores while pixels of `from` are replaced by those of `to` in `order`: `steps` + 1 values.
fn curve(
    classifier: &dyn Classifier,
    from: &[f32],
    to: &[f32],
    order: &[u32],
    size: usize,
    class: u16,
    steps: usize,
) -> Result<Vec<f64>> {
    let plane = size * size;
    let mut current = from.to_vec();
    let mut batch = Pictures { pixels: from.to_vec(), count: 1, size };
    for step in 0..steps {
        for &pixel in &order[plane * step / steps..plane * (step + 1) / steps] {
            for channel in 0..3 {
                let at = channel * plane + pixel as usize;
                current[at] = to[at];
            }
        }
        batch.pixels.extend_from_slice(&current);
        batch.count += 1;
    }
    let scores = classifier.scores(&batch)?;
    Ok(scores.chunks(classifier.classes()).map(|r| f64::from(r[usize::from(class)])).collect())
}

fn area(curve: &[f64]) -> f64 {
    let Some(steps) = curve.len().checked_sub(1) else { return f64::NAN };
    curve.windows(2).map(|w| 0.5 * (w[0] + w[1])).sum::<f64>() / steps as f64
}

/// Box blur over a square of about a sixth of the side, edges held.
fn blurred(picture: &[f32], size: usize) -> Vec<f32> {
    let radius = (size / 12).max(1);
    let mut out = picture.to_vec();
    for plane in out.chunks_exact_mut(size * size) {
        let rows = smooth(plane, size, radius, false);
        plane.copy_from_slice(&smooth(&rows, size, radius, true));
    }
    out
}

fn smooth(plane: &[f32], size: usize, radius: usize, vertical: bool) -> Vec<f32> {
    let at = |line: usize, i: usize| if vertical { i * size + line } else { line * size + i };
    let mut out = vec![0.0; plane.len()];
    for line in 0..size {
        for i in 0..size {
            let (low, high) = (i as isize - radius as isize, (i + radius) as isize);
            let held = |k: isize| k.clamp(0, size as isize - 1) as usize;
            let sum: f32 = (low..=high).map(|k| plane[at(line, held(k))]).sum();
            out[at(line, i)] = sum / (2 * radius + 1) as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores class 0 by the first pixel's red.
    struct FirstPixel;

    impl Classifier for FirstPixel {
        fn classes(&self) -> usize {
            2
        }
        fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
            let rows = pictures.pixels.chunks(pictures.values());
            Ok(rows.flat_map(|p| [p[0], 1.0 - p[0]]).collect())
        }
    }

    #[test]
    fn the_right_map_deletes_early() {
        let mut picture = vec![0.5; 12];
        picture[0] = 1.0;
        let right = Map { values: vec![1.0, 0.0, 0.0, 0.0], size: 2 };
        let wrong = Map { values: vec![0.0, 0.0, 0.0, 1.0], size: 2 };
        let a = curves(&FirstPixel, &picture, &right, 0, 4).unwrap();
        let b = curves(&FirstPixel, &picture, &wrong, 0, 4).unwrap();
        // Deletion: 1 → 0.5 at the first step and flat after it.
        assert!((a.deletion_area() - (0.75 + 3.0 * 0.5) / 4.0).abs() < 1e-9);
        assert!(a.deletion_area() < b.deletion_area() && a.insertion_area() > b.insertion_area());
        assert_eq!(a.deletion, [1.0, 0.5, 0.5, 0.5, 0.5]);
        assert!(Curves::default().deletion_area().is_nan());
    }

    #[test]
    fn blurring_keeps_constants() {
        assert!(blurred(&[0.25; 48], 4).iter().all(|v| (v - 0.25).abs() < 1e-6));
    }
}
