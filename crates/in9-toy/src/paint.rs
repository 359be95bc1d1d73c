//! How a part of an object is coloured: plain or patterned, from palettes that no kind owns.

use super::colour::{Rgb, hex, hsv, jitter, mix, scale};
use super::dice::Dice;
use super::maths::{Point, cos_turns, floor_i32, sin_turns, smoothstep};
use super::noise::{fractal, hash_unit};

/// Families of pattern, all in object space so that they turn and stretch with the object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pattern {
    /// One colour, slightly mottled.
    Plain,
    /// Parallel bands.
    Bands,
    /// Round spots, jittered on a grid.
    Spots,
    /// A chequerboard.
    Checks,
    /// Clouds of both colours.
    Marble,
    /// One colour running into the other.
    Fade,
}

/// A pattern of two colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// The family.
    pub(crate) pattern: Pattern,
    /// The ground colour.
    pub(crate) ground: Rgb,
    /// The colour of bands, spots…
    pub(crate) figure: Rgb,
    /// Direction of the pattern.
    direction: Point,
    /// Repeats per unit of object space.
    frequency: f32,
    /// Shift of the pattern and seed of its noise.
    seed: u32,
}

impl Paint {
    /// One colour.
    pub(crate) fn plain(colour: Rgb) -> Paint {
        Paint {
            pattern: Pattern::Plain,
            ground: colour,
            figure: colour,
            direction: [1.0, 0.0],
            frequency: 3.0,
            seed: 1,
        }
    }

    /// A random pattern of two given colours.
    pub(crate) fn random(ground: Rgb, figure: Rgb, dice: &mut Dice) -> Paint {
        let pattern = match dice.index(20) {
            0..=8 => Pattern::Plain,
            9..=11 => Pattern::Fade,
            12..=13 => Pattern::Marble,
            14..=15 => Pattern::Bands,
            16..=17 => Pattern::Spots,
            _ => Pattern::Checks,
        };
        let turns = dice.pick(&[0.0, 0.25, 0.125, -0.125]) + dice.bell() * 0.05;
        Paint {
            pattern,
            ground,
            figure,
            direction: [cos_turns(turns), sin_turns(turns)],
            frequency: dice.range(1.6, 4.2),
            seed: dice.bits(),
        }
    }

    /// Parallel bands across `turns` from the x axis.
    pub(crate) fn bands(ground: Rgb, figure: Rgb, turns: f32, frequency: f32) -> Paint {
        Paint {
            pattern: Pattern::Bands,
            ground,
            figure,
            direction: [cos_turns(turns), sin_turns(turns)],
            frequency,
            seed: 3,
        }
    }

    /// The same paint, brighter or darker.
    pub(crate) fn shaded(mut self, k: f32) -> Paint {
        self.ground = scale(self.ground, k);
        self.figure = scale(self.figure, k);
        self
    }

    /// The colour at a point of object space.
    pub(crate) fn at(&self, p: Point) -> Rgb {
        let [x, y] = [p[0] * self.frequency, p[1] * self.frequency];
        let along = x * self.direction[0] + y * self.direction[1] + (self.seed & 255) as f32 / 256.0;
        let amount = match self.pattern {
            Pattern::Plain => {
                let grain = fractal(x * 2.0, y * 2.0, self.seed, 2) - 0.5;
                return scale(self.ground, 1.0 + 0.16 * grain);
            }
            Pattern::Bands => smoothstep(-0.25, 0.25, sin_turns(along)),
            Pattern::Spots => self.spot(x * 1.2, y * 1.2),
            Pattern::Checks => {
                let across = y * self.direction[0] - x * self.direction[1];
                smoothstep(-0.12, 0.12, sin_turns(along * 0.8) * sin_turns(across * 0.8))
            }
            Pattern::Marble => smoothstep(0.38, 0.62, fractal(x, y, self.seed, 3)),
            Pattern::Fade => {
                smoothstep(-1.0, 1.0, (p[0] * self.direction[0] + p[1] * self.direction[1]) * 1.4)
            }
        };
        mix(self.ground, self.figure, amount)
    }

    /// Coverage of the nearest spot: one a cell, off its centre, of varying size.
    fn spot(&self, x: f32, y: f32) -> f32 {
        let (cx, cy) = (floor_i32(x), floor_i32(y));
        let mut best = 0.0f32;
        for dy in -1..=1 {
            for dx in -1..=1 {
                let (ix, iy) = (cx + dx, cy + dy);
                let px = ix as f32 + 0.25 + 0.5 * hash_unit(ix, iy, self.seed);
                let py = iy as f32 + 0.25 + 0.5 * hash_unit(ix, iy, self.seed ^ 0x55);
                let radius = 0.2 + 0.2 * hash_unit(ix, iy, self.seed ^ 0xaa);
                let distance = ((x - px) * (x - px) + (y - py) * (y - py)).sqrt();
                best = best.max(1.0 - smoothstep(radius - 0.08, radius + 0.08, distance));
            }
        }
        best
    }
}

/// The colours of one object. Drawn without knowing its kind: colour says nothing of the class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Livery {
    /// The largest part.
    pub(crate) main: Paint,
    /// The second largest part.
    pub(crate) second: Paint,
    /// Small bright parts.
    pub(crate) accent: Rgb,
    /// Outlines, eyes, tyres.
    pub(crate) dark: Rgb,
    /// Bellies, highlights, windows.
    pub(crate) light: Rgb,
}

impl Livery {
    /// Draws the colours of an object.
    pub(crate) fn random(dice: &mut Dice) -> Livery {
        let hue = dice.unit();
        let main = colour(hue, dice);
        // Related, complementary or unrelated: as people dress.
        let second_hue = hue + dice.pick(&[0.06, -0.08, 0.5, 0.33, 0.42, 0.17]) + dice.bell() * 0.05;
        let second = colour(second_hue, dice);
        let third = colour(dice.unit(), dice);
        let figure = if dice.chance(0.7) { scale(main, dice.pick(&[0.6, 0.75, 1.3])) } else { second };
        let main = Paint::random(main, figure, dice);
        let second =
            if dice.chance(0.75) { Paint::plain(second) } else { Paint::random(second, third, dice) };
        Livery {
            main,
            second,
            accent: hsv(dice.unit(), dice.range(0.5, 0.95), dice.range(0.75, 1.0)),
            dark: jitter(
                dice.pick(&[hex(0x23222b), hex(0x3a2a22), hex(0x1d2c3c), hex(0x3b2340)]),
                0.05,
                dice,
            ),
            light: jitter(
                dice.pick(&[hex(0xf4efe2), hex(0xe8eef2), hex(0xf6e3c5), hex(0xdfe8d4)]),
                0.05,
                dice,
            ),
        }
    }
}

/// A surface colour of a given hue: vivid, pastel, deep, earthy or grey.
fn colour(hue: f32, dice: &mut Dice) -> Rgb {
    let (saturation, value) = match dice.index(10) {
        0..=2 => (dice.range(0.55, 0.9), dice.range(0.55, 0.95)),
        3..=4 => (dice.range(0.2, 0.5), dice.range(0.7, 0.95)),
        5..=6 => (dice.range(0.45, 0.85), dice.range(0.25, 0.55)),
        7..=8 => (dice.range(0.15, 0.45), dice.range(0.3, 0.7)),
        _ => (dice.range(0.0, 0.12), dice.range(0.25, 0.95)),
    };
    hsv(hue, saturation, value)
}
