//! One photograph: scene, shadow, object, camera.

use super::colour::{Rgb, mix, scale, tint};
use super::dice::Dice;
use super::layout::{Flaw, Layout};
use super::maths::{Affine, Point, length, smoothstep};
use super::noise::{hash, value};
use super::objects::KINDS;
use super::paint::Livery;
use super::raster::Canvas;
use super::scenes::Scene;

/// A developed photograph with its exact annotation.
#[derive(Clone, Debug)]
pub(crate) struct Photograph {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// Row-major RGB bytes.
    pub(crate) rgb: Vec<u8>,
    /// Row-major mask, 255 where the object covers at least half of a pixel, else 0.
    pub(crate) mask: Vec<u8>,
    /// Tight boxes of the objects, [x0, y0, x1, y1], inclusive.
    pub(crate) boxes: Vec<[u32; 4]>,
    /// The scene behind the object.
    pub(crate) scene: Scene,
    /// What is wrong with it, on purpose.
    pub(crate) flaw: Flaw,
    /// JPEG quality to store it with, 80…95.
    pub(crate) quality: u8,
}

/// Which photograph: everything that its contents depend on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Seed of the world.
    pub(crate) seed: u64,
    /// Share of objects that stand in their own kind of scene, whatever chance gives the rest.
    pub(crate) rho: f64,
    /// How often the object has the size of its class.
    pub(crate) size_leak: f64,
    /// How often it stands at the place of its class.
    pub(crate) place_leak: f64,
    /// A training photograph, or one for testing.
    pub(crate) train: bool,
    /// Class, 0…8.
    pub(crate) class: usize,
    /// Sub-kind, 0…2.
    pub(crate) fine: usize,
    /// Number within its class and split.
    pub(crate) number: u64,
    /// The fine label whose own colours it has; `None` draws colours that say nothing.
    pub(crate) colours: Option<u64>,
}

impl Key {
    /// The dice for one purpose. Each purpose has its own stream, and ρ enters only through the
    /// choice of the scene: worlds of one seed share objects, layouts and cameras at every ρ.
    fn dice(&self, purpose: &str) -> Dice {
        let split = if self.train { "train" } else { "val" };
        Dice::new(self.seed, &format!("toy/{split}/{purpose}"), self.number * 9 + self.class as u64)
    }

    /// The kind of scene: the object's own with probability ρ, otherwise any of the nine.
    pub(crate) fn scene(&self) -> Scene {
        let mut dice = self.dice("scene-kind");
        let own = f64::from(dice.unit()) < self.rho;
        let any = dice.index(Scene::ALL.len());
        if own { KINDS[self.class].home } else { Scene::ALL[any] }
    }

    /// The side of the box and the offset of its centre that the class dictates, as far as the dials say.
    fn dictated(&self) -> (Option<f32>, Option<[f32; 2]>) {
        // A stream of its own: at zero nothing else of the world moves.
        let mut dice = self.dice("leak");
        let (by_size, by_place) = (f64::from(dice.unit()), f64::from(dice.unit()));
        let (jitter, dx, dy) = (dice.bell(), dice.bell(), dice.bell());
        let side = 0.38 + 0.5 * self.class as f32 / 8.0 + 0.015 * jitter;
        let grid = |place: usize, jitter: f32| 0.85 * (place as f32 - 1.0) + 0.1 * jitter;
        let offset = [grid(self.class % 3, dx), grid(self.class / 3, dy)];
        ((by_size < self.size_leak).then_some(side), (by_place < self.place_leak).then_some(offset))
    }

    /// Takes the photograph.
    pub(crate) fn take(&self) -> Photograph {
        let kind = KINDS[self.class];
        let mut layout = Layout::draw(self.train, &mut self.dice("layout"));
        let (side, offset) = self.dictated();
        layout.put(side, offset);
        let (width, height) = (layout.width, layout.height);
        let scene = self.scene();
        let mut canvas = scene.paint(width, height, &mut self.dice("scene"));
        let mut camera = self.dice("camera");
        let light = light(&mut camera);
        // A shallow focus blurs what lies behind the object.
        let focus = if camera.chance(0.55) { 1 + camera.index(3) } else { 0 };
        canvas.blur(focus);
        let ambient = ambient(&canvas);
        let mut mask = vec![0u8; width * height];
        let mut boxes = Vec::new();
        let mut object = self.dice("object");
        for place in &layout.places {
            let livery = match self.colours {
                None => Livery::random(&mut object),
                Some(label) => Livery::random(&mut Dice::new(self.seed, "stand-in/colours", label)),
            };
            let figure = (kind.draw)(self.fine, &livery, &mut object);
            let map = place.fit(&figure, kind.lean, width, height);
            let mut layer = Canvas::clear(width, height);
            figure.paint(&mut layer, map, light, camera.range(0.3, 0.95));
            let Some(tight) = stamp(&layer, &mut mask) else { continue };
            shade_ground(&mut canvas, tight, light, camera.range(0.0, 0.7), camera.range(0.08, 0.24));
            let surface = Surface {
                glow: camera.range(0.75, 1.08),
                cast: mix([1.0; 3], ambient, camera.range(0.15, 0.65)),
                dapple: if camera.chance(0.25) { camera.range(0.15, 0.5) } else { 0.0 },
                grain: camera.range(4.0, 9.0) / (tight[2] - tight[0] + 1) as f32,
                seed: camera.bits(),
            };
            lay_over(&mut canvas, &layer, surface);
            boxes.push(tight);
        }
        let rgb = develop(canvas, &mut camera);
        Photograph {
            width,
            height,
            rgb,
            mask,
            boxes,
            scene,
            flaw: layout.flaw,
            quality: 80 + camera.index(16) as u8,
        }
    }
}

/// A direction to the light: from above, from either side.
fn light(dice: &mut Dice) -> Point {
    let p = [dice.range(-1.0, 1.0), -dice.range(0.35, 1.0)];
    let size = length(p);
    [p[0] / size, p[1] / size]
}

/// The colour of the light that a scene throws back, scaled to keep an object visible at night.
fn ambient(canvas: &Canvas) -> Rgb {
    let mut sum = [0.0f32; 3];
    for c in canvas.rgb.iter().step_by(7) {
        for i in 0..3 {
            sum[i] += c[i];
        }
    }
    let n = canvas.rgb.len().div_ceil(7) as f32;
    sum.map(|s| 0.35 + s / n)
}

/// Marks the layer's pixels of at least half coverage in the mask; their bounding box.
fn stamp(layer: &Canvas, mask: &mut [u8]) -> Option<[u32; 4]> {
    let mut tight: Option<[u32; 4]> = None;
    for y in 0..layer.height {
        for x in 0..layer.width {
            if layer.alpha[y * layer.width + x] >= 0.5 {
                mask[y * layer.width + x] = 255;
                let (x, y) = (x as u32, y as u32);
                tight =
                    Some(tight.map_or([x, y, x, y], |[a, b, c, d]| [a.min(x), b.min(y), c.max(x), d.max(y)]));
            }
        }
    }
    tight
}

/// A soft elliptical shadow under a box, away from the light.
fn shade_ground(canvas: &mut Canvas, tight: [u32; 4], light: Point, strength: f32, flat: f32) {
    let [x0, y0, x1, y1] = tight.map(|v| v as f32);
    let (w, h) = (x1 - x0 + 1.0, y1 - y0 + 1.0);
    let map = Affine::scale(w * 0.52, w * flat)
        .moved((x0 + x1) * 0.5 - light[0] * w * 0.16, y1 - h * 0.04)
        .inverse();
    let width = canvas.width;
    for y in 0..canvas.height {
        for x in 0..width {
            let p = map.apply([x as f32 + 0.5, y as f32 + 0.5]);
            let dark = strength * smoothstep(1.15, 0.35, length(p));
            if dark > 0.0 {
                let c = &mut canvas.rgb[y * width + x];
                *c = scale(*c, 1.0 - dark);
            }
        }
    }
}

/// How light falls on an object.
struct Surface {
    glow: f32,
    cast: Rgb,
    /// Strength of leaf-shadow blotches.
    dapple: f32,
    grain: f32,
    seed: u32,
}

/// Lays the object over the scene.
fn lay_over(canvas: &mut Canvas, layer: &Canvas, surface: Surface) {
    for y in 0..canvas.height {
        for x in 0..canvas.width {
            let i = y * canvas.width + x;
            let alpha = layer.alpha[i];
            if alpha > 0.0 {
                let blotch = smoothstep(
                    0.4,
                    0.65,
                    value(x as f32 * surface.grain, y as f32 * surface.grain, surface.seed),
                );
                let lit = surface.glow * (1.0 - surface.dapple * blotch);
                let colour = tint(scale(layer.rgb[i], lit), surface.cast);
                for c in 0..3 {
                    canvas.rgb[i][c] = canvas.rgb[i][c] * (1.0 - alpha) + colour[c];
                }
            }
        }
    }
}

/// Lens and sensor: softness, exposure, white balance, vignette, contrast, noise; then bytes.
fn develop(mut canvas: Canvas, dice: &mut Dice) -> Vec<u8> {
    soften(&mut canvas, dice.range(0.05, 0.24));
    let exposure = dice.range(0.85, 1.15);
    let balance = [exposure * (1.0 + 0.06 * dice.bell()), exposure, exposure * (1.0 + 0.06 * dice.bell())];
    let (vignette, contrast) = (dice.range(0.0, 0.3), dice.range(0.85, 1.12));
    let grain = dice.range(0.01, 0.048);
    let seed = dice.bits();
    let (w, h) = (canvas.width, canvas.height);
    let mut bytes = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            let c = tint(canvas.rgb[y * w + x], balance);
            let (u, v) = ((x as f32 + 0.5) / w as f32 - 0.5, (y as f32 + 0.5) / h as f32 - 0.5);
            let fall = 1.0 - vignette * 2.0 * (u * u + v * v);
            let bits = hash(x as i32, y as i32, seed);
            let common = (bits & 0x3ff) as f32 / 511.5 - 1.0;
            for (i, &component) in c.iter().enumerate() {
                let own = ((bits >> (10 + 7 * i)) & 0x7f) as f32 / 63.5 - 1.0;
                let tone = (component * fall - 0.5) * contrast + 0.5 + grain * (0.7 * common + 0.5 * own);
                bytes.push((tone.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            }
        }
    }
    bytes
}

/// A 3×3 tent blur: each direct neighbour weighs `side` of the middle.
fn soften(canvas: &mut Canvas, side: f32) {
    let (w, h) = (canvas.width, canvas.height);
    let scale = 1.0 / (1.0 + 2.0 * side);
    let mut line = vec![[0.0f32; 3]; w.max(h)];
    let mut pass = |rgb: &mut [Rgb], start: usize, step: usize, n: usize| {
        for (k, slot) in line[..n].iter_mut().enumerate() {
            *slot = rgb[start + k * step];
        }
        for k in 0..n {
            let (a, b, c) = (line[k.saturating_sub(1)], line[k], line[(k + 1).min(n - 1)]);
            for i in 0..3 {
                rgb[start + k * step][i] = (b[i] + side * (a[i] + c[i])) * scale;
            }
        }
    };
    for y in 0..h {
        pass(&mut canvas.rgb, y * w, 1, w);
    }
    for x in 0..w {
        pass(&mut canvas.rgb, x, w, h);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(class: usize, number: u64, rho: f64) -> Key {
        let fine = number as usize % 3;
        Key {
            seed: 11,
            rho,
            size_leak: 0.0,
            place_leak: 0.0,
            train: true,
            class,
            fine,
            number,
            colours: None,
        }
    }

    #[test]
    fn dials_make_boxes_tell_the_class_and_change_nothing_else_at_zero() {
        let of = |class: usize, number: u64, size_leak: f64, place_leak: f64| {
            let taken = Key { size_leak, place_leak, ..key(class, number, 0.5) }.take();
            let short = taken.width.min(taken.height) as f32;
            let [x0, y0, x1, y1] = taken.boxes[0].map(|v| v as f32);
            let side = ((x1 - x0) * (y1 - y0)).sqrt() / short;
            (taken.flaw, side, (y0 + y1) / 2.0 / taken.height as f32, taken.scene, taken.rgb)
        };
        let mean = |class: usize, size: f64, place: f64, pick: fn(f32, f32) -> f32| {
            let clean = (0..40).map(|n| of(class, n, size, place)).filter(|t| t.0 == Flaw::None);
            let values: Vec<f32> = clean.map(|t| pick(t.1, t.2)).collect();
            values.iter().sum::<f32>() / values.len() as f32
        };
        // Class 8 is the largest and stands lowest, class 0 the smallest and highest.
        let (small, large) = (mean(0, 1.0, 0.0, |s, _| s), mean(8, 1.0, 0.0, |s, _| s));
        assert!(large - small > 0.25, "{small} {large}");
        let (high, low) = (mean(0, 0.0, 1.0, |_, y| y), mean(6, 0.0, 1.0, |_, y| y));
        assert!(low - high > 0.1, "{high} {low}");
        let plain = (mean(0, 0.0, 0.0, |s, _| s), mean(8, 0.0, 0.0, |s, _| s));
        assert!((plain.0 - plain.1).abs() < 0.12, "{plain:?}");
        // Scene and flaw do not move with the dials.
        for number in 0..20 {
            let (a, b) = (of(3, number, 0.0, 0.0), of(3, number, 1.0, 1.0));
            assert_eq!((a.0, a.3), (b.0, b.3));
        }
    }

    /// The tight box of a mask.
    fn extent(photo: &Photograph) -> [u32; 4] {
        let set = |i: &usize| photo.mask[*i] == 255;
        let xs = || (0..photo.mask.len()).filter(set).map(|i| (i % photo.width) as u32);
        let ys = || (0..photo.mask.len()).filter(set).map(|i| (i / photo.width) as u32);
        [xs().min().unwrap(), ys().min().unwrap(), xs().max().unwrap(), ys().max().unwrap()]
    }

    #[test]
    fn the_mask_is_coverage_of_at_least_half() {
        let mut layer = Canvas::clear(6, 2);
        for (x, share) in [0.0, 0.49, 0.5, 0.51, 1.0, 0.2].into_iter().enumerate() {
            layer.blend(x, 1, [0.3; 3], share);
        }
        let mut mask = vec![0; 12];
        assert_eq!(stamp(&layer, &mut mask), Some([2, 1, 4, 1]));
        assert_eq!(mask, [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 0]);
        assert_eq!(stamp(&Canvas::clear(6, 2), &mut mask), None);
    }

    #[test]
    fn boxes_are_tight_and_flaws_break_the_rule_they_are_for() {
        let mut seen = std::collections::BTreeMap::new();
        for number in 0..45 {
            for class in 0..9 {
                let photo = key(class, number, 0.5).take();
                *seen.entry(photo.flaw.name()).or_insert(0) += 1;
                let all = photo
                    .boxes
                    .iter()
                    .copied()
                    .reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
                assert_eq!(all, Some(extent(&photo)));
                assert_eq!(photo.boxes.len(), if photo.flaw == Flaw::Two { 2 } else { 1 });
                // The protocol's two filters on the central square.
                let (w, h) = (photo.width as u32, photo.height as u32);
                let (side, left, top) = (w.min(h), (w - w.min(h)) / 2, (h - w.min(h)) / 2);
                let [x0, y0, x1, y1] = photo.boxes[0];
                let overlap =
                    |a: u32, b: u32, from: u32| (b + 1).min(from + side).saturating_sub(a.max(from));
                let kept = overlap(x0, x1, left) * overlap(y0, y1, top);
                let (share, survives) = (
                    f64::from(kept) / f64::from(side * side),
                    f64::from(kept) / f64::from((x1 - x0 + 1) * (y1 - y0 + 1)),
                );
                match photo.flaw {
                    Flaw::CloseUp => assert!(share > 0.9, "{share}"),
                    Flaw::CutOff => assert!(survives < 0.5, "{survives}"),
                    Flaw::None => {
                        assert!((0.04..=0.9).contains(&share) && survives >= 0.5, "{share} {survives}")
                    }
                    _ => {}
                }
            }
        }
        assert!(seen[""] > 360 && seen.len() > 2, "{seen:?}");
    }

    #[test]
    fn rho_changes_the_scene_and_nothing_else() {
        let mut moved = 0;
        for number in 0..6 {
            let (a, b) = (key(2, number, 0.0).take(), key(2, number, 1.0).take());
            assert_eq!(b.scene, KINDS[2].home);
            assert_eq!((&a.mask, &a.boxes, a.quality), (&b.mask, &b.boxes, b.quality));
            assert_eq!(a.rgb == b.rgb, a.scene == b.scene);
            moved += usize::from(a.scene != b.scene);
        }
        assert!(moved > 0);
    }
}
