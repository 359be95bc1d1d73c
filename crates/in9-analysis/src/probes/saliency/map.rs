//! A saliency map at the size of the picture.

/// How much each pixel matters: `size · size` values, row by row, none negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Values.
    pub values: Vec<f32>,
    /// Pixels of a side.
    pub size: usize,
}

impl Map {
    /// Enlarges a `height × width` map to `size × size`: bilinear, pixel centres aligned, edges held.
    ///
    /// The rule of OpenCV's `resize` and of PyTorch's `interpolate` with `align_corners=False`.
    ///
    /// ```
    /// use in9_analysis::probes::saliency::Map;
    /// let map = Map::enlarged(&[0.0, 4.0], 1, 2, 4);
    /// assert_eq!(map.values[..4], [0.0, 1.0, 3.0, 4.0]);
    /// ```
    pub fn enlarged(values: &[f32], height: usize, width: usize, size: usize) -> Self {
        let rows = places(height, size);
        let columns = places(width, size);
        let mut out = Vec::with_capacity(size * size);
        for &(y0, y1, fy) in &rows {
            for &(x0, x1, fx) in &columns {
                let upper = values[y0 * width + x0] * (1.0 - fx) + values[y0 * width + x1] * fx;
                let lower = values[y1 * width + x0] * (1.0 - fx) + values[y1 * width + x1] * fx;
                out.push(upper * (1.0 - fy) + lower * fy);
            }
        }
        Self { values: out, size }
    }

    /// The map divided by its largest value; an all-zero map stays as it is.
    pub fn normalised(mut self) -> Self {
        let largest = self.values.iter().copied().fold(0.0f32, f32::max);
        if largest > 0.0 {
            self.values.iter_mut().for_each(|v| *v /= largest);
        }
        self
    }

    /// Pixels from the most to the least salient; equal ones in reading order.
    pub fn ranking(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.values.len() as u32).collect();
        order.sort_by(|&a, &b| self.values[b as usize].total_cmp(&self.values[a as usize]).then(a.cmp(&b)));
        order
    }
}

/// For each of `to` pixels: the two of `from` pixels around its centre, and the weight of the second.
fn places(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let ratio = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let at = ((i as f64 + 0.5) * ratio - 0.5).max(0.0);
            let low = (at.floor() as usize).min(from - 1);
            (low, (low + 1).min(from - 1), (at - low as f64) as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enlarging_keeps_constants_and_the_same_size() {
        assert!(Map::enlarged(&[2.0; 9], 3, 3, 7).values.iter().all(|v| *v == 2.0));
        let same = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(Map::enlarged(&same, 2, 2, 2).values, same);
    }

    #[test]
    fn ranking_and_normalising() {
        let map = Map { values: vec![1.0, 4.0, 1.0, 2.0], size: 2 };
        assert_eq!(map.ranking(), [1, 3, 0, 2]);
        assert_eq!(map.normalised().values, [0.25, 1.0, 0.25, 0.5]);
        let none = Map { values: vec![0.0; 4], size: 2 };
        assert_eq!(none.clone().normalised(), none);
    }
}
