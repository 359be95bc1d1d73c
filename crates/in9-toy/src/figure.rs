//! A figure: the parts of an object in object space, and how they are lit and painted.

use super::maths::{Affine, Point, length};
use super::outline::{Outline, bounds, mirrored};
use super::paint::Paint;
use super::raster::{Canvas, Coverage};

/// One part: an outline, its paint, and how round it looks.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    outline: Outline,
    paint: Paint,
    /// Width of the lit and shaded rim in object units; 0 paints flat.
    bevel: f32,
    /// Glowing parts (flames, lamps) take no shade.
    glows: bool,
}

/// Parts in painting order, back to front. Object space is about −1…1 with y downwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figure {
    parts: Vec<Part>,
}

impl Figure {
    /// Adds a rounded part.
    pub(crate) fn round(&mut self, outline: Outline, paint: Paint, bevel: f32) {
        self.parts.push(Part { outline, paint, bevel, glows: false });
    }

    /// Adds a flat part of one colour.
    pub(crate) fn flat(&mut self, outline: Outline, colour: super::colour::Rgb) {
        self.parts.push(Part { outline, paint: Paint::plain(colour), bevel: 0.0, glows: false });
    }

    /// Adds a part that gives light.
    pub(crate) fn glow(&mut self, outline: Outline, colour: super::colour::Rgb) {
        self.parts.push(Part { outline, paint: Paint::plain(colour), bevel: 0.0, glows: true });
    }

    /// Adds a rounded part and its reflection in x = 0.
    pub(crate) fn round_pair(&mut self, outline: Outline, paint: Paint, bevel: f32) {
        self.round(mirrored(&outline), paint, bevel);
        self.round(outline, paint, bevel);
    }

    /// Adds all parts of another figure, moved by `place`.
    pub(crate) fn add(&mut self, other: Figure, place: Affine) {
        let size = place.mean_scale();
        for mut part in other.parts {
            for p in &mut part.outline {
                *p = place.apply(*p);
            }
            part.bevel *= size;
            self.parts.push(part);
        }
    }

    /// Smallest and largest coordinates after `map`.
    pub(crate) fn extent(&self, map: Affine) -> (Point, Point) {
        let points: Vec<Point> = self.parts.iter().flat_map(|p| &p.outline).map(|&p| map.apply(p)).collect();
        bounds(&points)
    }

    /// Paints the figure; `map` takes object space to pixels, `light` points from the object to
    /// the light (unit length, pixels), `strength` is how much the light models the form (0…1).
    pub(crate) fn paint(&self, canvas: &mut Canvas, map: Affine, light: Point, strength: f32) {
        let back = map.inverse();
        let scale = map.mean_scale();
        for part in &self.parts {
            let polygon: Vec<Point> = part.outline.iter().map(|&p| map.apply(p)).collect();
            let Some(cover) = Coverage::of(&polygon, canvas.width, canvas.height) else { continue };
            let radius = (part.bevel * scale * 0.5).round().clamp(0.0, 24.0) as usize;
            let field = if radius > 0 { cover.blurred(radius) } else { Vec::new() };
            let (w, h) = (cover.width, cover.height);
            for y in 0..h {
                for x in 0..w {
                    let alpha = cover.alpha[y * w + x];
                    if alpha <= 0.0 {
                        continue;
                    }
                    let (px, py) = (cover.x0 + x, cover.y0 + y);
                    let mut colour = part.paint.at(back.apply([px as f32 + 0.5, py as f32 + 0.5]));
                    if radius > 0 {
                        let shade = 1.0 + strength * relief(&field, w, h, x, y, radius, light);
                        colour = colour.map(|c| c * shade + (shade - 1.25).max(0.0) * 0.35);
                    } else if !part.glows {
                        colour = colour.map(|c| c * (1.0 - 0.08 * strength));
                    }
                    canvas.blend(px, py, colour, alpha);
                }
            }
        }
    }
}

/// How much a point of a rounded form faces the light, about −1…1: the slope of the blurred
/// coverage is the outward tilt of the surface.
fn relief(field: &[f32], w: usize, h: usize, x: usize, y: usize, radius: usize, light: Point) -> f32 {
    let get = |x: usize, y: usize| field[y.min(h - 1) * w + x.min(w - 1)];
    let gx = get(x + 1, y) - get(x.saturating_sub(1), y);
    let gy = get(x, y + 1) - get(x, y.saturating_sub(1));
    let reach = radius as f32;
    let tilt = [-gx * reach, -gy * reach];
    let steep = length(tilt).max(1.0);
    (tilt[0] * light[0] + tilt[1] * light[1]) / steep - 0.12 * length(tilt).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outline::ellipse;

    #[test]
    fn the_lit_side_is_brighter() {
        let mut figure = Figure::default();
        figure.round(ellipse(0.0, 0.0, 1.0, 1.0), Paint::plain([0.5; 3]), 0.5);
        let mut canvas = Canvas::clear(40, 40);
        let map = Affine::scale(16.0, 16.0).moved(20.0, 20.0);
        figure.paint(&mut canvas, map, [-1.0, 0.0], 0.8);
        let (left, right) = (canvas.rgb[20 * 40 + 7][0], canvas.rgb[20 * 40 + 32][0]);
        assert!(left > right + 0.1, "{left} {right}");
        assert!(canvas.alpha[20 * 40 + 20] == 1.0 && canvas.alpha[0] == 0.0);
    }
}
