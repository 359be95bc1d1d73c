//! The image in planar layout, one plane for each channel, as the vector loops read it.

use crate::RgbView;
use crate::maxflow::grid::{FORWARD, STEP};

/// Red, green and blue, each `width × height` bytes row by row.
#[derive(Debug, Default)]
pub(crate) struct PlanarImage {
    data: [Vec<u8>; 3],
    width: usize,
}

impl PlanarImage {
    /// Copies the pixels of `image`.
    pub(crate) fn load(&mut self, image: RgbView) {
        self.width = image.width();
        for plane in &mut self.data {
            plane.clear();
            plane.resize(image.pixels(), 0);
        }
        let [r, g, b] = &mut self.data;
        for (((r, g), b), pixel) in r.iter_mut().zip(g).zip(b).zip(image.data().chunks_exact(3)) {
            (*r, *g, *b) = (pixel[0], pixel[1], pixel[2]);
        }
    }

    /// Writes the image of half the size: the means of blocks of 2 × 2 pixels. Blocks at an odd edge have fewer.
    pub(crate) fn halve(&self, half: &mut Self) {
        half.width = self.width.div_ceil(2);
        for (plane, half) in self.data.iter().zip(&mut half.data) {
            half.clear();
            for rows in plane.chunks(2 * self.width) {
                let (above, below) = rows.split_at(self.width);
                let below = if below.is_empty() { above } else { below };
                half.extend(above.chunks(2).zip(below.chunks(2)).map(|(a, b)| {
                    let sum = |p: &[u8]| u16::from(p[0]) + u16::from(p[p.len() - 1]);
                    ((sum(a) + sum(b) + 2) / 4) as u8
                }));
            }
        }
    }

    /// Columns `x0..x1` of row `y`.
    #[inline(always)]
    pub(crate) fn row(&self, y: usize, x0: usize, x1: usize) -> [&[u8]; 3] {
        let at = y * self.width;
        [0, 1, 2].map(|c| &self.data[c][at + x0..at + x1])
    }

    /// Colours of pixels `start..end`, row by row.
    #[inline(always)]
    pub(crate) fn colours(&self, start: usize, end: usize) -> impl Iterator<Item = [u8; 3]> {
        let [r, g, b] = [0, 1, 2].map(|c| self.data[c][start..end].iter());
        r.zip(g).zip(b).map(|((&r, &g), &b)| [r, g, b])
    }

    /// Height in pixels.
    pub(crate) fn height(&self) -> usize {
        self.data[0].len() / self.width.max(1)
    }

    /// Width in pixels.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// β of the smoothness term: 1 / (2 · mean squared colour distance of adjacent pixels, over
    /// the eight-neighbourhood), or 0 for a uniform image.
    pub(crate) fn beta(&self) -> f64 {
        let (width, height) = (self.width, self.height());
        let mut total = 0_u64;
        let mut pairs = 0_u64;
        for y in 0..height {
            for (dx, dy) in FORWARD.map(|d| STEP[d]) {
                let (x0, x1) = if dx < 0 { (1, width) } else { (0, width - dx as usize) };
                if y + dy as usize >= height || x0 >= x1 {
                    continue;
                }
                let shift = |x: usize| x.wrapping_add_signed(dx);
                let (a, b) = (self.row(y, x0, x1), self.row(y + dy as usize, shift(x0), shift(x1)));
                total += a.iter().zip(b).map(|(a, b)| square_distance(a, b)).sum::<u64>();
                pairs += (x1 - x0) as u64;
            }
        }
        if total == 0 { 0.0 } else { pairs as f64 / (2.0 * total as f64) }
    }
}

/// Sum of squared differences of two runs of equal length.
fn square_distance(a: &[u8], b: &[u8]) -> u64 {
    // 65,536 squares of at most 255² fit 32 bits.
    a.chunks(1 << 16)
        .zip(b.chunks(1 << 16))
        .map(|(a, b)| {
            let squares = a.iter().zip(b).map(|(&a, &b)| {
                let d = i32::from(a) - i32::from(b);
                (d * d) as u32
            });
            u64::from(squares.sum::<u32>())
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planar(data: &[u8], width: usize) -> PlanarImage {
        let mut planar = PlanarImage::default();
        planar.load(RgbView::new(data, width, data.len() / 3 / width).expect("sizes match"));
        planar
    }

    #[test]
    fn channels_are_separated() {
        let image = planar(&[1, 2, 3, 4, 5, 6], 1);
        assert_eq!((image.width(), image.height()), (1, 2));
        assert_eq!(image.row(1, 0, 1), [&[4], &[5], &[6]]);
        assert_eq!(image.colours(0, 2).collect::<Vec<_>>(), [[1, 2, 3], [4, 5, 6]]);
    }

    #[test]
    fn halving_takes_means_of_the_pixels_of_a_block() {
        let grey: Vec<u8> = [10, 20, 7, 31, 41, 9, 1, 2, 5].iter().flat_map(|&v| [v, v, 255]).collect();
        let mut half = PlanarImage::default();
        planar(&grey, 3).halve(&mut half);
        assert_eq!(half.row(0, 0, 2), [&[26, 8], &[26, 8], &[255, 255]]);
        assert_eq!(half.row(1, 0, 2), [&[2, 5], &[2, 5], &[255, 255]]);
    }

    #[test]
    fn beta_counts_every_pair_once() {
        // Levels 0 3 / 6 0 in one channel: squares 9 (top), 36 (bottom), 36 and 9 (sides),
        // 0 and 9 (diagonals), over six pairs.
        let image = planar(&[0, 0, 0, 3, 0, 0, 6, 0, 0, 0, 0, 0], 2);
        assert!((image.beta() - 6.0 / (2.0 * 99.0)).abs() < 1e-12);
    }

    #[test]
    fn beta_of_a_uniform_image_and_of_one_pixel_is_zero() {
        assert_eq!(planar(&[7; 27], 3).beta(), 0.0);
        assert_eq!(planar(&[7, 0, 9], 1).beta(), 0.0);
    }
}
