//! Where an object stands: the photograph's size, the box to fill, the pose — and the flaws that
//! real annotations have. Nothing here knows the kind of the object, except how far it may lean.

use super::dice::Dice;
use super::figure::Figure;
use super::maths::Affine;

/// What is wrong with a photograph or its annotation, on purpose: each meets one filter of the
/// protocol, so that lists of rejected photographs are never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A clean photograph.
    None,
    /// Two objects of the class, two boxes.
    Two,
    /// The object fills the frame: its box is over 90 % of the picture.
    CloseUp,
    /// Most of the box lies outside the central square of a wide photograph.
    CutOff,
    /// The annotation gives the size of a larger original.
    Resized,
    /// Nobody drew a box (training photographs only).
    Unannotated,
}

impl Flaw {
    /// The name written in tables; empty for a clean photograph.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Flaw::None => "",
            Flaw::Two => "two-objects",
            Flaw::CloseUp => "close-up",
            Flaw::CutOff => "cut-off",
            Flaw::Resized => "resized",
            Flaw::Unannotated => "unannotated",
        }
    }

    fn draw(train: bool, dice: &mut Dice) -> Flaw {
        let u = dice.unit();
        match u {
            _ if u < 0.014 => Flaw::Two,
            _ if u < 0.026 => Flaw::CloseUp,
            _ if u < 0.034 => Flaw::CutOff,
            _ if u < 0.039 => Flaw::Resized,
            _ if u < 0.045 && train => Flaw::Unannotated,
            _ => Flaw::None,
        }
    }
}

/// The frame of a photograph and the place for its object.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Pixels in a row.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    /// What is wrong with it.
    pub(crate) flaw: Flaw,
    /// One place, or two for [`Flaw::Two`].
    pub(crate) places: Vec<Place>,
}

/// A place for an object: the box to fill, in pixels, and how to turn the figure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Centre of the box.
    centre: [f32; 2],
    /// Where that is in the room that the box leaves in the central square, −1…1 across and down.
    offset: [f32; 2],
    /// Area of the box.
    area: f32,
    /// Width over height that the box should have.
    aspect: f32,
    /// Turn, −1…1 of what the kind allows.
    lean: f32,
    /// Slant of the figure.
    shear: f32,
    /// Facing left.
    mirrored: bool,
    /// Fill the whole frame whatever the area.
    cover: bool,
}

/// How far a figure may be stretched to meet the wanted aspect.
const STRETCH: f32 = 1.5;

impl Layout {
    /// Draws a layout; `train` photographs may lack an annotation.
    pub(crate) fn draw(train: bool, dice: &mut Dice) -> Layout {
        let flaw = Flaw::draw(train, dice);
        let short = dice.range(96.0, 168.0);
        let mut aspect =
            dice.pick(&[1.0, 1.0, 1.25, 1.333, 1.333, 1.5]) * (1.0 + 0.06 * dice.bell()).max(1.0);
        if flaw == Flaw::CutOff {
            aspect = 1.8;
        }
        let upright = dice.chance(0.35);
        let (w, h) = if upright { (short, short * aspect) } else { (short * aspect, short) };
        let (width, height) = (w.round() as usize, h.round() as usize);
        let count = if flaw == Flaw::Two { 2 } else { 1 };
        let places = (0..count).map(|k| Place::draw(width as f32, height as f32, flaw, k, dice)).collect();
        Layout { width, height, flaw, places }
    }
}

impl Layout {
    /// Gives the object another size (the box's side as a share of the short side), another place (in the room that is
    /// left, −1…1 across and down), or both. Flaws of the place itself stay as they are.
    pub(crate) fn put(&mut self, side: Option<f32>, offset: Option<[f32; 2]>) {
        let (width, height) = (self.width as f32, self.height as f32);
        let short = width.min(height);
        if matches!(self.flaw, Flaw::Two | Flaw::CutOff | Flaw::CloseUp) || (side, offset) == (None, None) {
            return;
        }
        for place in &mut self.places {
            let side = side.unwrap_or(place.area.sqrt() / short);
            let [u, v] = offset.unwrap_or(place.offset);
            let room = (short * (1.0 - side)).max(0.0) * 0.5;
            place.area = side * side * short * short;
            place.centre = [width * 0.5 + u * room, height * 0.5 + v * room];
        }
    }
}

impl Place {
    fn draw(width: f32, height: f32, flaw: Flaw, nth: usize, dice: &mut Dice) -> Place {
        let short = width.min(height);
        // Side of the box as a share of the short side.
        let mut side = if dice.chance(0.8) { dice.range(0.55, 0.9) } else { dice.range(0.36, 0.55) };
        let aspect = 1.0 + 0.28 * dice.bell();
        let aspect = if dice.chance(0.5) { aspect } else { 1.0 / aspect };
        // The centre stays in the central square, with room for the box where there is any.
        let room = (short * (1.0 - side)).max(0.0) * 0.5;
        let (u, v) = (dice.range(-1.0, 1.0), dice.range(-1.0, 1.0));
        let mut centre = [width * 0.5 + u * room, height * 0.5 + v * room];
        match flaw {
            Flaw::Two => {
                side = dice.range(0.34, 0.46);
                let (dx, dy) = if width > height { (width * 0.24, 0.0) } else { (0.0, height * 0.24) };
                let sign = if nth == 0 { -1.0 } else { 1.0 };
                centre = [width * 0.5 + sign * dx, height * 0.5 + sign * dy];
            }
            Flaw::CutOff => {
                side = dice.range(0.36, 0.44);
                let out = (width.max(height) - short * side) * 0.5 - 2.0;
                centre = if width > height {
                    [width * 0.5 + u.signum() * out, height * 0.5]
                } else {
                    [width * 0.5, height * 0.5 + v.signum() * out]
                };
            }
            Flaw::CloseUp => centre = [width * 0.5, height * 0.5],
            _ => {}
        }
        Place {
            centre,
            offset: [u, v],
            area: side * side * short * short,
            aspect,
            lean: dice.bell(),
            shear: dice.bell() * 0.1,
            mirrored: dice.chance(0.5),
            cover: flaw == Flaw::CloseUp,
        }
    }

    /// The map from object space to pixels that fits `figure` into this place of a
    /// `width`×`height` frame; the figure leans by up to `most` turns.
    pub(crate) fn fit(&self, figure: &Figure, most: f32, width: usize, height: usize) -> Affine {
        let mirror = if self.mirrored { -1.0 } else { 1.0 };
        let pose = Affine::turn((self.lean * most).clamp(-most, most))
            .after(Affine::shear(self.shear))
            .after(Affine::scale(mirror, 1.0));
        let (low, high) = figure.extent(pose);
        let (w, h) = (high[0] - low[0], high[1] - low[1]);
        let stretch = (self.aspect * h / w).clamp(1.0 / STRETCH, STRETCH).sqrt();
        let (w, h) = (w * stretch, h / stretch);
        let (frame_w, frame_h) = (width as f32, height as f32);
        let scale = if self.cover {
            1.06 * (frame_w / w).max(frame_h / h)
        } else {
            // Keep a margin, so that there is background to tile with.
            (self.area / (w * h)).sqrt().min(0.94 * frame_w / w).min(0.94 * frame_h / h)
        };
        let grown = Affine::scale(scale * stretch, scale / stretch).after(pose);
        let inside = |centre: f32, size: f32, frame: f32| {
            if self.cover {
                centre
            } else {
                centre.clamp(size * 0.5 + 1.5, (frame - size * 0.5 - 1.5).max(size * 0.5 + 1.5))
            }
        };
        let centre = [inside(self.centre[0], w * scale, frame_w), inside(self.centre[1], h * scale, frame_h)];
        let (low, high) = figure.extent(grown);
        grown.moved(centre[0] - (low[0] + high[0]) * 0.5, centre[1] - (low[1] + high[1]) * 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::KINDS;
    use crate::paint::Livery;

    #[test]
    fn figures_fill_their_place_inside_the_frame() {
        for (class, kind) in KINDS.iter().enumerate() {
            for item in 0..60 {
                let mut dice = Dice::new(3, "toy/test", item * 9 + class as u64);
                let layout = Layout::draw(true, &mut dice);
                assert!(layout.width.min(layout.height) >= 96 && layout.width.max(layout.height) <= 320);
                let livery = Livery::random(&mut dice);
                let figure = (kind.draw)(item as usize % 3, &livery, &mut dice);
                let place = layout.places[0];
                let (low, high) = figure.extent(place.fit(&figure, kind.lean, layout.width, layout.height));
                if layout.flaw == Flaw::CloseUp {
                    assert!(
                        low[0] <= 0.0
                            && high[0] >= layout.width as f32
                            && low[1] <= 0.0
                            && high[1] >= layout.height as f32
                    );
                    continue;
                }
                assert!(low[0] >= 1.0 && low[1] >= 1.0, "{} {low:?}", kind.name);
                assert!(
                    high[0] <= layout.width as f32 - 1.0 && high[1] <= layout.height as f32 - 1.0,
                    "{} {high:?}",
                    kind.name
                );
                assert!((high[0] - low[0]) * (high[1] - low[1]) <= place.area * 1.001);
            }
        }
    }
}
