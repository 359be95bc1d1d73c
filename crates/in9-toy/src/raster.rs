//! The rasteriser: polygons to antialiased coverage, and a canvas to paint with it.

use super::colour::Rgb;
use super::maths::Point;
use super::outline::bounds;

/// The share of each pixel that a polygon covers, on the smallest rectangle that holds it.
pub(crate) struct Coverage {
    /// Left column of the rectangle on the canvas.
    pub(crate) x0: usize,
    /// Top row of the rectangle on the canvas.
    pub(crate) y0: usize,
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// Row-major shares in 0…1.
    pub(crate) alpha: Vec<f32>,
}

impl Coverage {
    /// Covers a canvas of `width`×`height` pixels with a polygon in pixel coordinates.
    /// Overlapping turns of one polygon count once. `None` if it misses the canvas.
    ///
    /// Every edge adds its signed trapezium to the pixels it crosses; the running sum of a row is
    /// then the exact covered area.
    pub(crate) fn of(polygon: &[Point], width: usize, height: usize) -> Option<Coverage> {
        let (low, high) = bounds(polygon);
        let clip = |v: f32, limit: usize| v.clamp(0.0, limit as f32);
        let (x0, y0) = (clip(low[0].floor(), width) as usize, clip(low[1].floor(), height) as usize);
        let (x1, y1) = (clip(high[0].ceil(), width) as usize, clip(high[1].ceil(), height) as usize);
        if !(x1 > x0 && y1 > y0) {
            return None;
        }
        let (w, h) = (x1 - x0, y1 - y0);
        // Two spare columns take what lies to the right of the rectangle.
        let stride = w + 2;
        let mut sums = vec![0.0f32; stride * h];
        let place = |p: Point| [p[0] - x0 as f32, p[1] - y0 as f32];
        let mut from = place(polygon[polygon.len() - 1]);
        for &point in polygon {
            let to = place(point);
            edge(&mut sums, stride, w, h, from, to);
            from = to;
        }
        let mut alpha = vec![0.0f32; w * h];
        for y in 0..h {
            let mut sum = 0.0;
            for x in 0..w {
                sum += sums[y * stride + x];
                alpha[y * w + x] = sum.abs().min(1.0);
            }
        }
        Some(Coverage { x0, y0, width: w, height: h, alpha })
    }

    /// The coverage blurred by a box of `radius` pixels, twice; outside counts as uncovered.
    pub(crate) fn blurred(&self, radius: usize) -> Vec<f32> {
        let mut field = self.alpha.clone();
        for _ in 0..2 {
            blur_rows(&mut field, self.width, self.height, radius);
            blur_columns(&mut field, self.width, self.height, radius);
        }
        field
    }
}

/// Adds one edge's signed area to the row sums.
fn edge(sums: &mut [f32], stride: usize, w: usize, h: usize, p: Point, q: Point) {
    if p[1] == q[1] {
        return;
    }
    let (direction, top, bottom) = if p[1] < q[1] { (1.0, p, q) } else { (-1.0, q, p) };
    let slope = (bottom[0] - top[0]) / (bottom[1] - top[1]);
    let first = top[1].max(0.0) as usize;
    let last = (bottom[1].ceil().max(0.0) as usize).min(h);
    for y in first..last {
        let (ya, yb) = (top[1].max(y as f32), bottom[1].min(y as f32 + 1.0));
        if yb <= ya {
            continue;
        }
        let area = (yb - ya) * direction;
        let xa = (top[0] + (ya - top[1]) * slope).clamp(0.0, w as f32);
        let xb = (top[0] + (yb - top[1]) * slope).clamp(0.0, w as f32);
        let (left, right) = if xa < xb { (xa, xb) } else { (xb, xa) };
        let row = &mut sums[y * stride..(y + 1) * stride];
        let (start, end) = (left as usize, right as usize);
        if start == end {
            let within = 0.5 * (left + right) - start as f32;
            row[start] += area * (1.0 - within);
            row[start + 1] += area * within;
            continue;
        }
        let per_column = area / (right - left);
        for column in start..=end {
            let (a, b) = (left.max(column as f32), right.min(column as f32 + 1.0));
            if b <= a {
                continue;
            }
            let part = per_column * (b - a);
            let within = 0.5 * (a + b) - column as f32;
            row[column] += part * (1.0 - within);
            row[column + 1] += part * within;
        }
    }
}

/// A box blur along rows with a running sum; outside counts as zero.
fn blur_rows(field: &mut [f32], width: usize, height: usize, radius: usize) {
    let scale = 1.0 / (2 * radius + 1) as f32;
    let mut line = vec![0.0f32; width];
    for y in 0..height {
        let row = &mut field[y * width..(y + 1) * width];
        line.copy_from_slice(row);
        let mut sum: f32 = line[..radius.min(width)].iter().sum();
        for x in 0..width {
            if x + radius < width {
                sum += line[x + radius];
            }
            row[x] = sum * scale;
            if x >= radius {
                sum -= line[x - radius];
            }
        }
    }
}

/// A box blur along columns, all columns together so that memory is read in order.
fn blur_columns(field: &mut [f32], width: usize, height: usize, radius: usize) {
    let scale = 1.0 / (2 * radius + 1) as f32;
    let source = field.to_vec();
    let mut sums = vec![0.0f32; width];
    for y in 0..radius.min(height) {
        for x in 0..width {
            sums[x] += source[y * width + x];
        }
    }
    for y in 0..height {
        for x in 0..width {
            if y + radius < height {
                sums[x] += source[(y + radius) * width + x];
            }
            field[y * width + x] = sums[x] * scale;
            if y >= radius {
                sums[x] -= source[(y - radius) * width + x];
            }
        }
    }
}

/// A picture being painted: colours weighted by opacity, and the opacity.
#[derive(Clone)]
pub(crate) struct Canvas {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// Row-major colours, multiplied by `alpha`.
    pub(crate) rgb: Vec<Rgb>,
    /// Row-major opacity in 0…1.
    pub(crate) alpha: Vec<f32>,
}

impl Canvas {
    /// A canvas with nothing on it.
    pub(crate) fn clear(width: usize, height: usize) -> Canvas {
        Canvas { width, height, rgb: vec![[0.0; 3]; width * height], alpha: vec![0.0; width * height] }
    }

    /// An opaque canvas; `shader` gets the pixel's centre in units of the picture's height.
    pub(crate) fn opaque(width: usize, height: usize, shader: impl Fn(f32, f32) -> Rgb) -> Canvas {
        let unit = 1.0 / height as f32;
        let mut rgb = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                rgb.push(shader((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit));
            }
        }
        Canvas { width, height, rgb, alpha: vec![1.0; width * height] }
    }

    /// Lays a colour over one pixel.
    pub(crate) fn blend(&mut self, x: usize, y: usize, colour: Rgb, opacity: f32) {
        let i = y * self.width + x;
        let keep = 1.0 - opacity;
        for c in 0..3 {
            self.rgb[i][c] = self.rgb[i][c] * keep + colour[c] * opacity;
        }
        self.alpha[i] = self.alpha[i] * keep + opacity;
    }

    /// Paints a polygon given in units of the picture's height; `shader` gets the same units.
    pub(crate) fn fill(&mut self, outline: &[Point], opacity: f32, shader: impl Fn(f32, f32) -> Rgb) {
        let unit = self.height as f32;
        let polygon: Vec<Point> = outline.iter().map(|p| [p[0] * unit, p[1] * unit]).collect();
        let Some(cover) = Coverage::of(&polygon, self.width, self.height) else { return };
        for y in 0..cover.height {
            for x in 0..cover.width {
                let alpha = cover.alpha[y * cover.width + x];
                if alpha > 0.0 {
                    let (px, py) = (cover.x0 + x, cover.y0 + y);
                    let colour = shader((px as f32 + 0.5) / unit, (py as f32 + 0.5) / unit);
                    self.blend(px, py, colour, alpha * opacity);
                }
            }
        }
    }

    /// Paints a polygon in one colour.
    pub(crate) fn flat(&mut self, outline: &[Point], opacity: f32, colour: Rgb) {
        self.fill(outline, opacity, |_, _| colour);
    }

    /// Changes every pixel; `change` gets the pixel's centre in units of the height.
    pub(crate) fn adjust(&mut self, change: impl Fn(f32, f32, Rgb) -> Rgb) {
        let unit = 1.0 / self.height as f32;
        for y in 0..self.height {
            for x in 0..self.width {
                let i = y * self.width + x;
                self.rgb[i] = change((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit, self.rgb[i]);
            }
        }
    }

    /// Blurs an opaque canvas by a box of `radius` pixels, twice, repeating the edge pixels.
    pub(crate) fn blur(&mut self, radius: usize) {
        if radius == 0 {
            return;
        }
        let (w, h) = (self.width, self.height);
        let (pw, ph) = (w + 4 * radius, h + 4 * radius);
        for c in 0..3 {
            let mut field = Vec::with_capacity(pw * ph);
            for y in 0..ph {
                let sy = y.saturating_sub(2 * radius).min(h - 1);
                for x in 0..pw {
                    field.push(self.rgb[sy * w + x.saturating_sub(2 * radius).min(w - 1)][c]);
                }
            }
            for _ in 0..2 {
                blur_rows(&mut field, pw, ph, radius);
                blur_columns(&mut field, pw, ph, radius);
            }
            for y in 0..h {
                for x in 0..w {
                    self.rgb[y * w + x][c] = field[(y + 2 * radius) * pw + x + 2 * radius];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_is_the_exact_area() {
        // A rectangle from (0.25, 0.5) to (2.5, 2): shares are products of side shares.
        let cover = Coverage::of(&[[0.25, 0.5], [2.5, 0.5], [2.5, 2.0], [0.25, 2.0]], 4, 4).unwrap();
        assert_eq!((cover.x0, cover.y0, cover.width, cover.height), (0, 0, 3, 2));
        let expected = [0.375, 0.5, 0.25, 0.75, 1.0, 0.5];
        for (a, b) in cover.alpha.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{:?}", cover.alpha);
        }
    }

    #[test]
    fn a_circle_keeps_its_area_when_cut_by_the_edge() {
        let circle = super::super::outline::ellipse(0.0, 16.0, 10.0, 10.0);
        let cover = Coverage::of(&circle, 64, 64).unwrap();
        let area: f32 = cover.alpha.iter().sum();
        assert!((area - 0.5 * std::f32::consts::PI * 100.0).abs() < 2.0, "{area}");
        assert!(Coverage::of(&super::super::outline::ellipse(-20.0, 16.0, 10.0, 10.0), 64, 64).is_none());
    }

    #[test]
    fn blurring_a_flat_canvas_changes_nothing() {
        let mut canvas = Canvas::opaque(9, 7, |_, _| [0.25, 0.5, 0.75]);
        canvas.blur(2);
        for p in &canvas.rgb {
            assert!((p[0] - 0.25).abs() < 1e-5 && (p[2] - 0.75).abs() < 1e-5);
        }
    }
}
