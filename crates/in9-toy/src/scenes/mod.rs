//! The nine kinds of scene. Each paints a whole photograph's background from a few random choices
//! of its own: season, hour, weather, layout.
//!
//! Coordinates are in units of the picture's height: x in 0…`aspect`, y in 0…1 downwards.

mod city;
mod desert;
mod forest;
mod meadow;
mod mountain;
mod night;
mod room;
mod sea;
mod snow;

use super::colour::{Rgb, hex, luma, mix, scale, tint};
use super::dice::Dice;
use super::maths::{Point, cos_turns, sin_turns, smoothstep};
use super::noise::{fractal, value};
use super::outline::{Outline, ellipse, stroke};
use super::raster::Canvas;

/// A kind of scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// Grass and flowers under a sky.
    Meadow,
    /// Open water, a beach, or under water.
    Sea,
    /// Dunes and mesas.
    Desert,
    /// Trunks and undergrowth.
    Forest,
    /// A street before a skyline.
    City,
    /// Snowfields and firs.
    Snow,
    /// A wall and a floor or table.
    Room,
    /// Stars over a dark horizon.
    Night,
    /// Ridges, rock and screes.
    Mountain,
}

impl Scene {
    /// All nine, in class order: `ALL[i]` is the home of kind i.
    pub(crate) const ALL: [Scene; 9] = [
        Scene::Meadow,
        Scene::Sea,
        Scene::Desert,
        Scene::Forest,
        Scene::City,
        Scene::Snow,
        Scene::Room,
        Scene::Night,
        Scene::Mountain,
    ];

    /// The name written in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scene::Meadow => "meadow",
            Scene::Sea => "sea",
            Scene::Desert => "desert",
            Scene::Forest => "forest",
            Scene::City => "city",
            Scene::Snow => "snow",
            Scene::Room => "room",
            Scene::Night => "night",
            Scene::Mountain => "mountain",
        }
    }

    /// Paints the scene on a new canvas of `width`×`height` pixels.
    pub(crate) fn paint(self, width: usize, height: usize, dice: &mut Dice) -> Canvas {
        let mut stage =
            Stage { aspect: width as f32 / height as f32, width, height, zoom: dice.range(0.75, 1.5) };
        let mut canvas = match self {
            Scene::Meadow => meadow::paint(&mut stage, dice),
            Scene::Sea => sea::paint(&mut stage, dice),
            Scene::Desert => desert::paint(&mut stage, dice),
            Scene::Forest => forest::paint(&mut stage, dice),
            Scene::City => city::paint(&mut stage, dice),
            Scene::Snow => snow::paint(&mut stage, dice),
            Scene::Room => room::paint(&mut stage, dice),
            Scene::Night => night::paint(&mut stage, dice),
            Scene::Mountain => mountain::paint(&mut stage, dice),
        };
        weather(&mut canvas, self, dice);
        canvas
    }
}

/// What a painter of scenes knows of its picture.
struct Stage {
    /// Width over height.
    aspect: f32,
    /// Pixels in a row.
    width: usize,
    /// Rows.
    height: usize,
    /// Size of things in the scene.
    zoom: f32,
}

/// The hour and the weather, drawn alike for every kind of scene: dusk makes any of them nearly a
/// night, snowfall nearly a snowfield, dust nearly a desert. So no palette belongs to one kind.
fn weather(canvas: &mut Canvas, scene: Scene, dice: &mut Dice) {
    let night = scene == Scene::Night;
    let (wash, fog, mut haze, dim) = match dice.index(16) {
        // Dusk and moonlight.
        0 | 1 => ([0.62, 0.74, 1.1], hex(0x1c2440), dice.range(0.15, 0.45), dice.range(0.35, 0.6)),
        // Snowfall or thick mist.
        2 | 3 => ([0.96, 0.98, 1.04], hex(0xdfe5ea), dice.range(0.3, 0.62), dice.range(0.9, 1.05)),
        // Dust or a low sun.
        4 | 5 => ([1.16, 0.98, 0.74], hex(0xdcb489), dice.range(0.2, 0.5), dice.range(0.8, 1.0)),
        // Green light under leaves or water.
        6 => ([0.8, 1.02, 0.94], hex(0x6f9f94), dice.range(0.2, 0.5), dice.range(0.7, 0.95)),
        // Rain.
        7 => ([0.92, 0.96, 1.0], hex(0x8b949c), dice.range(0.2, 0.5), dice.range(0.6, 0.85)),
        _ => {
            let wash = dice.pick(&[
                [1.0, 1.0, 1.0],
                [1.08, 0.97, 0.84],
                [0.88, 0.96, 1.1],
                [1.1, 0.9, 0.9],
                [0.9, 0.92, 0.96],
                [0.96, 1.04, 0.92],
            ]);
            (wash, hex(0xd2d4d4), 0.0, dice.range(0.72, 1.06))
        }
    };
    if night {
        haze *= 0.7;
    }
    let dim = if night { dim.max(0.7) * 1.15 } else { dim };
    // Some film has little colour, some turns it.
    let grey = if dice.chance(0.25) { dice.range(0.4, 0.85) } else { dice.range(0.0, 0.35) };
    let hue = dice.bell() * if dice.chance(0.25) { 0.22 } else { 0.05 };
    let turn = turn_hue(hue);
    canvas.adjust(|_, y, c| {
        let c = tint(scale(c, dim), wash);
        let c = turn.map(|row| (row[0] * c[0] + row[1] * c[1] + row[2] * c[2]).max(0.0));
        let c = mix(c, [luma(c); 3], grey);
        mix(c, fog, haze * (1.0 - 0.45 * y))
    });
    if haze > 0.3 && luma(fog) > 0.8 && dice.chance(0.6) {
        let aspect = canvas.width as f32 / canvas.height as f32;
        for _ in 0..(dice.range(20.0, 80.0) * aspect) as usize {
            let (x, y, r) = (dice.range(0.0, aspect), dice.unit(), dice.range(0.003, 0.012));
            canvas.flat(&ellipse(x, y, r, r), 0.75, [1.0; 3]);
        }
    }
}

/// The rotation of colours about the grey axis by a share of a turn.
fn turn_hue(turns: f32) -> [Rgb; 3] {
    let (c, s) = (cos_turns(turns), sin_turns(turns) * 0.577_350_3);
    let (diagonal, third) = (c + (1.0 - c) / 3.0, (1.0 - c) / 3.0);
    [[diagonal, third - s, third + s], [third + s, diagonal, third - s], [third - s, third + s, diagonal]]
}

/// A sky from `top` to `bottom` colours, ending at height `horizon`, with clouds of a given cover.
fn sky(x: f32, y: f32, horizon: f32, top: Rgb, bottom: Rgb, cover: f32, seed: u32) -> Rgb {
    let t = (y / horizon.max(0.05)).clamp(0.0, 1.0);
    let base = mix(top, bottom, t);
    if cover <= 0.0 {
        return base;
    }
    let n = fractal(x * 2.2, y * 4.5, seed, 4);
    let cloud = smoothstep(0.72 - 0.4 * cover, 0.86 - 0.3 * cover, n);
    let lit = mix([1.0, 0.99, 0.97], scale(bottom, 0.8), smoothstep(0.5, 0.9, n) * 0.35);
    mix(base, lit, cloud * 0.85)
}

/// A skyline from the left to the right edge and down to the bottom: `base` is its mean height,
/// `swing` its rise and fall, `grain` the number of hills across one height unit.
fn ridge(stage: &Stage, base: f32, swing: f32, grain: f32, octaves: u32, seed: u32) -> Outline {
    let steps = 48;
    let mut out: Outline = (0..=steps)
        .map(|i| {
            let x = stage.aspect * (i as f32 / steps as f32 * 1.02 - 0.01);
            [x, base - swing * (2.0 * fractal(x * grain + 17.0, 3.7, seed, octaves) - 1.0)]
        })
        .collect();
    out.push([stage.aspect + 0.01, 1.01]);
    out.push([-0.01, 1.01]);
    out
}

/// Ground in perspective: noise that is stretched sideways and coarser towards the viewer.
fn ground_noise(x: f32, y: f32, horizon: f32, aspect: f32, grain: f32, seed: u32) -> f32 {
    let depth = (y - horizon).max(0.0) + 0.06;
    let near = 0.35 / depth;
    fractal((x - aspect * 0.5) * near * grain, near * grain * 2.0, seed, 3)
}

/// A conifer standing at `foot`: stacked ragged tiers.
fn fir(canvas: &mut Canvas, foot: Point, tall: f32, colour: Rgb, snow: Option<Rgb>, dice: &mut Dice) {
    let [x, y] = foot;
    canvas.flat(&stroke(&[[x, y], [x, y - tall * 0.4]], tall * 0.06, tall * 0.04), 1.0, [0.24, 0.18, 0.14]);
    let tiers = 4;
    for k in 0..tiers {
        let t = k as f32 / tiers as f32;
        let (bottom, wide) = (y - tall * (0.1 + 0.72 * t), tall * (0.3 - 0.2 * t) * dice.range(0.85, 1.1));
        let top = bottom - tall * (0.38 - 0.08 * t);
        let sag = tall * 0.03;
        canvas.flat(
            &[
                [x, top],
                [x + wide * 0.5, bottom - sag * 2.0],
                [x + wide, bottom + sag],
                [x, bottom - sag],
                [x - wide, bottom + sag],
                [x - wide * 0.5, bottom - sag * 2.0],
            ],
            1.0,
            scale(colour, 0.85 + 0.25 * t),
        );
        if let Some(white) = snow {
            canvas.flat(
                &[
                    [x, top],
                    [x + wide * 0.75, bottom - sag],
                    [x + wide * 0.2, bottom - tall * 0.1],
                    [x - wide * 0.1, bottom - tall * 0.05],
                    [x - wide * 0.8, bottom - sag],
                ],
                0.85,
                white,
            );
        }
    }
}

/// Mottles an existing picture a little, so that no surface is perfectly flat.
fn mottle(canvas: &mut Canvas, grain: f32, amount: f32, seed: u32) {
    canvas.adjust(|x, y, c| scale(c, 1.0 + amount * (value(x * grain, y * grain, seed) - 0.5)));
}
