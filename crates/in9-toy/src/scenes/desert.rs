//! A desert: layered dunes with a lit and a shaded flank, mesas, stones.

use super::{Stage, mottle, ridge, sky};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::{sin_turns, smoothstep};
use crate::noise::{fractal, value};
use crate::outline::{ellipse, smooth};
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let horizon = dice.range(0.12, 0.5);
    let (top, low) =
        dice.pick(&[(0x6fb0e4, 0xf0e4cc), (0x9cc4de, 0xf4dcb4), (0xd98a5c, 0xf7d9a0), (0x86a4c8, 0xe9cfc0)]);
    let (top, low) = (jitter(hex(top), 0.05, dice), jitter(hex(low), 0.04, dice));
    let sand = jitter(dice.pick(&[hex(0xe0b877), hex(0xd99a58), hex(0xc97f4e), hex(0xe6cf9c)]), 0.05, dice);
    let dark = mix(scale(sand, 0.55), hex(0x6a3a3a), 0.3);
    let seed = dice.bits();
    let cover = dice.range(-0.3, 0.35);
    let sun = dice.sign();
    let mut canvas =
        Canvas::opaque(stage.width, stage.height, |x, y| sky(x, y, horizon, top, low, cover, seed));
    if dice.chance(0.45) {
        for _ in 0..1 + dice.index(3) {
            mesa(&mut canvas, stage, horizon, mix(dark, low, 0.35), dice);
        }
    }
    let layers = 3 + dice.index(2);
    for k in 0..layers {
        let t = k as f32 / (layers - 1) as f32;
        let base = horizon + 0.04 + (0.85 - horizon) * t * t;
        let swing = 0.05 + 0.1 * t;
        let (key, grain) = (seed.wrapping_add(77 * (k as u32 + 1)), (1.7 - 0.7 * t) / stage.zoom);
        let crest = ridge(stage, base, swing, grain, 2, key);
        let colour = mix(mix(sand, low, 0.35), sand, t);
        let ripple = dice.range(16.0, 40.0) / stage.zoom;
        canvas.fill(&crest, 1.0, |x, y| {
            // The flank turned from the sun lies where the crest falls away from it.
            let slope = fractal((x + 0.04 * sun) * grain + 17.0, 3.7, key, 2)
                - fractal((x - 0.04 * sun) * grain + 17.0, 3.7, key, 2);
            let shade = smoothstep(-0.02, 0.06, slope + 0.05 * (fractal(x * 3.0, y * 6.0, key, 2) - 0.5));
            let wave =
                sin_turns(y * ripple + 0.8 * fractal(x * 4.0, y * 5.0, key ^ 5, 2) * 4.0) * 0.05 * (0.3 + t);
            scale(mix(colour, dark, shade * 0.6), 1.0 + wave)
        });
    }
    for _ in 0..dice.index(9) {
        let depth = dice.unit();
        let (x, y) = (dice.range(0.0, stage.aspect), horizon + 0.12 + (0.88 - horizon) * depth);
        let r = (0.008 + 0.03 * depth) * stage.zoom * dice.range(0.5, 1.3);
        canvas.flat(&ellipse(x + r * 0.5 * sun, y + r * 0.4, r * 1.5, r * 0.45), 0.4, scale(dark, 0.7));
        let stone = smooth(&[
            [x - r, y + r * 0.4],
            [x - r * 0.6, y - r * 0.5],
            [x + r * 0.2, y - r * 0.7],
            [x + r, y],
            [x + r * 0.8, y + r * 0.5],
        ]);
        canvas.fill(&stone, 1.0, |px, py| {
            scale(mix(dark, sand, 0.3), 0.8 + 0.5 * value(px * 60.0, py * 60.0, seed))
        });
    }
    mottle(&mut canvas, 60.0, 0.09, seed ^ 9);
    canvas
}

/// A table mountain on the horizon with level strata.
fn mesa(canvas: &mut Canvas, stage: &Stage, horizon: f32, colour: [f32; 3], dice: &mut Dice) {
    let (x, wide, tall) =
        (dice.range(0.0, stage.aspect), dice.range(0.08, 0.25), dice.range(0.08, 0.22) * stage.zoom);
    let y = horizon + 0.08;
    let key = dice.bits();
    canvas.fill(
        &[
            [x - wide * 1.3, y],
            [x - wide, y - tall * 0.4],
            [x - wide * 0.85, y - tall],
            [x + wide * 0.8, y - tall],
            [x + wide, y - tall * 0.4],
            [x + wide * 1.4, y],
        ],
        1.0,
        |px, py| scale(colour, 0.85 + 0.3 * value(px * 3.0, py * 50.0, key)),
    );
}
