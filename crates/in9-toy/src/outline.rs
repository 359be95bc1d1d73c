//! Closed outlines as polygons: the vocabulary in which objects and scenes are drawn.

use super::maths::{Point, cos_turns, length, sin_turns};

/// A closed polygon; the last point joins the first.
pub(crate) type Outline = Vec<Point>;

/// An axis-parallel ellipse.
pub(crate) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Outline {
    arc(cx, cy, rx, ry, 0.0, 1.0, 36)
}

/// Points of an ellipse from one angle to another (in turns, clockwise from the right).
pub(crate) fn arc(cx: f32, cy: f32, rx: f32, ry: f32, from: f32, to: f32, steps: usize) -> Outline {
    (0..=steps)
        .map(|i| {
            let t = from + (to - from) * i as f32 / steps as f32;
            [cx + rx * cos_turns(t), cy + ry * sin_turns(t)]
        })
        .collect()
}

/// A rectangle given by its centre and full width and height, corners rounded by radius `r`.
pub(crate) fn rounded(cx: f32, cy: f32, w: f32, h: f32, r: f32) -> Outline {
    let r = r.min(w * 0.5).min(h * 0.5);
    let (x, y) = (w * 0.5 - r, h * 0.5 - r);
    let mut out = Vec::with_capacity(24);
    for (sx, sy, from) in [(1.0, 1.0, 0.0), (-1.0, 1.0, 0.25), (-1.0, -1.0, 0.5), (1.0, -1.0, 0.75)] {
        out.extend(arc(cx + sx * x, cy + sy * y, r, r, from, from + 0.25, 5));
    }
    out
}

/// A smooth closed curve through the given points (Catmull–Rom).
pub(crate) fn smooth(points: &[Point]) -> Outline {
    let n = points.len();
    let mut out = Vec::with_capacity(n * 6);
    for i in 0..n {
        span(points[(i + n - 1) % n], points[i], points[(i + 1) % n], points[(i + 2) % n], &mut out);
    }
    out
}

/// A smooth open curve through the given points, as a path for [`stroke`].
pub(crate) fn curve(points: &[Point]) -> Vec<Point> {
    let n = points.len();
    let mut out = Vec::with_capacity(n * 6 + 1);
    for i in 0..n.saturating_sub(1) {
        span(points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(n - 1)], &mut out);
    }
    out.extend(points.last());
    out
}

/// Six points of the Catmull–Rom span from `b` to `c`, without `c`.
fn span(a: Point, b: Point, c: Point, d: Point, out: &mut Vec<Point>) {
    for k in 0..6 {
        let t = k as f32 / 6.0;
        let along = |i: usize| {
            let (a, b, c, d) = (a[i], b[i], c[i], d[i]);
            0.5 * (2.0 * b
                + (c - a) * t
                + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                + (3.0 * b - a - 3.0 * c + d) * t * t * t)
        };
        out.push([along(0), along(1)]);
    }
}

/// A brush stroke along a path, its width running from `start` to `end`.
pub(crate) fn stroke(path: &[Point], start: f32, end: f32) -> Outline {
    let n = path.len();
    let mut left = Vec::with_capacity(2 * n);
    let mut right = Vec::with_capacity(n);
    for i in 0..n {
        let (a, b) = (path[i.saturating_sub(1)], path[(i + 1).min(n - 1)]);
        let along = [b[0] - a[0], b[1] - a[1]];
        let size = length(along).max(1e-6);
        let half = 0.5 * (start + (end - start) * i as f32 / (n.max(2) - 1) as f32);
        let across = [-along[1] / size * half, along[0] / size * half];
        left.push([path[i][0] + across[0], path[i][1] + across[1]]);
        right.push([path[i][0] - across[0], path[i][1] - across[1]]);
    }
    left.extend(right.into_iter().rev());
    left
}

/// The outline reflected in the vertical axis x = 0.
pub(crate) fn mirrored(outline: &[Point]) -> Outline {
    outline.iter().map(|p| [-p[0], p[1]]).collect()
}

/// Smallest and largest coordinates: (minimum, maximum). Empty outlines give an inverted pair.
pub(crate) fn bounds<'a>(points: impl IntoIterator<Item = &'a Point>) -> (Point, Point) {
    let mut low = [f32::INFINITY; 2];
    let mut high = [f32::NEG_INFINITY; 2];
    for p in points {
        for i in 0..2 {
            low[i] = low[i].min(p[i]);
            high[i] = high[i].max(p[i]);
        }
    }
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_curves_pass_through_their_points() {
        let points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        let out = smooth(&points);
        assert!(points.iter().all(|p| out.contains(p)));
        let path = curve(&points);
        assert_eq!((path[0], path[path.len() - 1]), (points[0], points[3]));
    }

    #[test]
    fn a_stroke_has_its_width() {
        let (low, high) = bounds(&stroke(&[[0.0, 0.0], [4.0, 0.0]], 1.0, 1.0));
        assert_eq!((low, high), ([0.0, -0.5], [4.0, 0.5]));
    }
}
