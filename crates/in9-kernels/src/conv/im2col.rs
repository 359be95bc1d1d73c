//! The rearrangements between an image and the matrix whose columns are its windows.

use super::geometry::Geometry;

/// A strip of output rows of one image.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) start: usize,
    pub(crate) count: usize,
}

/// Writes the windows of `channels` consecutive planes.
///
/// Row `(c * kh + ky) * kw + kx` of the matrix lies at `row * stride + column` in `col`, and has
/// `rows.count * ow` numbers. `x` starts at the first plane.
pub(crate) fn im2col(
    x: &[f32],
    g: &Geometry,
    rows: Rows,
    channels: usize,
    col: &mut [f32],
    column: usize,
    stride: usize,
) {
    for (c, plane) in x.chunks_exact(g.plane_in()).take(channels).enumerate() {
        for ky in 0..g.kh {
            for kx in 0..g.kw {
                let row = (c * g.kh + ky) * g.kw + kx;
                let out = &mut col[row * stride + column..][..rows.count * g.ow];
                let inside = g.columns_inside(kx);
                let first = (inside.start * g.sx + kx * g.dx).saturating_sub(g.left);
                for (r, out) in out.chunks_exact_mut(g.ow).enumerate() {
                    let Some(y) = g.row_inside(rows.start + r, ky) else {
                        out.fill(0.0);
                        continue;
                    };
                    out[..inside.start].fill(0.0);
                    out[inside.end..].fill(0.0);
                    if inside.is_empty() {
                        continue;
                    }
                    let source = &plane[y * g.w + first..(y + 1) * g.w];
                    let out = &mut out[inside.clone()];
                    if g.sx == 1 {
                        out.copy_from_slice(&source[..out.len()]);
                    } else {
                        for (out, x) in out.iter_mut().zip(source.iter().step_by(g.sx)) {
                            *out = *x;
                        }
                    }
                }
            }
        }
    }
}

/// Adds the windows back to the planes they came from: the transpose of [`im2col`].
pub(crate) fn col2im(
    x: &mut [f32],
    g: &Geometry,
    rows: Rows,
    channels: usize,
    col: &[f32],
    column: usize,
    stride: usize,
) {
    for (c, plane) in x.chunks_exact_mut(g.plane_in()).take(channels).enumerate() {
        for ky in 0..g.kh {
            for kx in 0..g.kw {
                let inside = g.columns_inside(kx);
                if inside.is_empty() {
                    continue;
                }
                let row = (c * g.kh + ky) * g.kw + kx;
                let col = &col[row * stride + column..][..rows.count * g.ow];
                let first = inside.start * g.sx + kx * g.dx - g.left;
                for (r, col) in col.chunks_exact(g.ow).enumerate() {
                    let Some(y) = g.row_inside(rows.start + r, ky) else {
                        continue;
                    };
                    let target = &mut plane[y * g.w + first..(y + 1) * g.w];
                    let col = &col[inside.clone()];
                    if g.sx == 1 {
                        for (x, d) in target.iter_mut().zip(col) {
                            *x += *d;
                        }
                    } else {
                        for (x, d) in target.iter_mut().step_by(g.sx).zip(col) {
                            *x += *d;
                        }
                    }
                }
            }
        }
    }
}
