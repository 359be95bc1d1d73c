//! The sea: open water under a sky with or without a beach, or the world below the surface.

use super::{Stage, mottle, ridge, sky};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::{sin_turns, smoothstep};
use crate::noise::{fractal, value};
use crate::outline::{curve, ellipse, stroke};
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    if dice.chance(0.55) { below(stage, dice) } else { above(stage, dice) }
}

fn above(stage: &Stage, dice: &mut Dice) -> Canvas {
    let horizon = dice.range(0.15, 0.5);
    let (top, low) =
        dice.pick(&[(0x5f9fe0, 0xd8ebf4), (0x8aa7bd, 0xdfe3e2), (0x5570b8, 0xf6c99a), (0x79b7e3, 0xf3efe0)]);
    let (top, low) = (jitter(hex(top), 0.05, dice), jitter(hex(low), 0.04, dice));
    let (deep, shallow) =
        dice.pick(&[(0x14507e, 0x3f9fb5), (0x1d5f73, 0x66bfae), (0x2b4a68, 0x7d9dae), (0x17466f, 0x4a86b8)]);
    let (deep, shallow) = (jitter(hex(deep), 0.04, dice), jitter(hex(shallow), 0.05, dice));
    let (seed, cover) = (dice.bits(), dice.range(0.0, 0.7));
    let (chop, glint) = (dice.range(14.0, 30.0) / stage.zoom, dice.range(0.3, 0.9));
    let beach = if dice.chance(0.4) { dice.range(0.72, 0.92) } else { 1.2 };
    let sand = jitter(hex(0xdcc492), 0.06, dice);
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| {
        if y < horizon {
            return sky(x, y, horizon, top, low, cover, seed);
        }
        let t = (y - horizon) / (1.0 - horizon);
        let near = 1.0 / (0.12 + t);
        let swell = fractal(x * chop * 0.16 * near + 5.0, y * chop * 1.4 * near.sqrt(), seed ^ 1, 3);
        let water = mix(mix(low, deep, 0.35 + 0.65 * smoothstep(0.0, 0.25, t)), shallow, t * 0.7);
        let lit = smoothstep(0.55, 0.78, swell);
        let shade = smoothstep(0.5, 0.25, swell);
        let water = mix(scale(water, 1.0 - 0.3 * shade), mix(water, [1.0; 3], 0.6), lit * glint);
        let shore = beach + 0.03 * (value(x * 4.0, 1.0, seed ^ 2) - 0.5) + 0.05 * (x - 0.5);
        if y > shore {
            let grain = value(x * 90.0, y * 90.0, seed ^ 3);
            return scale(sand, (0.9 + 0.15 * grain) * (0.8 + 0.2 * smoothstep(0.0, 0.06, y - shore)));
        }
        mix(water, [0.97, 0.98, 0.98], smoothstep(0.05, 0.0, shore - y) * 0.85)
    });
    // White caps.
    for _ in 0..dice.index(14) {
        let y = dice.range(horizon + 0.04, 0.95_f32.min(beach - 0.04).max(horizon + 0.06));
        let t = (y - horizon) / (1.0 - horizon);
        let (x, wide) = (dice.range(0.0, stage.aspect), (0.03 + 0.12 * t) * stage.zoom);
        canvas.flat(
            &stroke(
                &curve(&[
                    [x - wide, y],
                    [x - wide * 0.3, y - wide * 0.12],
                    [x + wide * 0.3, y],
                    [x + wide, y - wide * 0.05],
                ]),
                0.004 + 0.014 * t,
                0.002,
            ),
            0.75,
            [0.95, 0.97, 0.98],
        );
    }
    mottle(&mut canvas, 50.0, 0.06, seed ^ 9);
    canvas
}

fn below(stage: &Stage, dice: &mut Dice) -> Canvas {
    let (light, dark) =
        dice.pick(&[(0x7fd3e0, 0x0d4a78), (0x8fd8c2, 0x155e63), (0x68a9dd, 0x12305f), (0xa6dcc8, 0x2c6e6a)]);
    let (light, dark) = (jitter(hex(light), 0.05, dice), jitter(hex(dark), 0.04, dice));
    let (seed, slant) = (dice.bits(), dice.range(-0.5, 0.5));
    let rays = dice.range(0.1, 0.45);
    let floor = if dice.chance(0.6) { dice.range(0.7, 0.92) } else { 1.3 };
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| {
        let base = mix(light, dark, smoothstep(-0.1, 1.05, y));
        let beam = fractal((x + slant * y) * 6.0, y * 0.5, seed, 3);
        let ripple =
            sin_turns(fractal(x * 5.0, y * 9.0, seed ^ 4, 2) * 3.0) * smoothstep(0.35, 0.0, y) * 0.12;
        let lit = smoothstep(0.5, 0.75, beam) * rays * (1.0 - y) + ripple.max(0.0);
        mix(base, [0.9, 1.0, 0.98], lit)
    });
    if floor < 1.0 {
        let sand = mix(jitter(hex(0xd9c89a), 0.05, dice), dark, 0.4);
        canvas.fill(&ridge(stage, floor, 0.05, 2.0, 3, seed ^ 5), 1.0, |x, y| {
            scale(sand, 0.8 + 0.35 * fractal(x * 14.0, y * 40.0, seed ^ 6, 2))
        });
    }
    for _ in 0..dice.index(9) {
        weed(&mut canvas, stage, floor.min(1.02), light, dark, dice);
    }
    for _ in 0..8 + dice.index(22) {
        let (x, y, r) =
            (dice.range(0.0, stage.aspect), dice.range(0.0, 0.95), dice.range(0.004, 0.02) * stage.zoom);
        let pale = mix(light, [1.0; 3], 0.55);
        canvas.flat(&ellipse(x, y, r, r), 0.45, pale);
        canvas.flat(&ellipse(x - r * 0.3, y - r * 0.3, r * 0.35, r * 0.35), 0.9, [1.0; 3]);
    }
    mottle(&mut canvas, 30.0, 0.07, seed ^ 9);
    canvas
}

/// A ribbon of weed, or a branch of coral, growing from the floor.
fn weed(canvas: &mut Canvas, stage: &Stage, floor: f32, light: [f32; 3], dark: [f32; 3], dice: &mut Dice) {
    let x = dice.range(0.0, stage.aspect);
    let tall = dice.range(0.15, 0.5) * stage.zoom;
    let colour = if dice.chance(0.6) {
        mix(hex(0x3f7d3c), dark, 0.35)
    } else {
        mix(jitter(hex(0xd9785f), 0.12, dice), dark, 0.3)
    };
    let colour = scale(mix(colour, light, dice.range(0.0, 0.2)), dice.range(0.8, 1.1));
    let sway = dice.range(0.02, 0.06);
    for k in 0..1 + dice.index(3) {
        let x = x + k as f32 * 0.04 * stage.zoom;
        let top = floor + 0.03 - tall * dice.range(0.7, 1.0);
        let step = (floor + 0.03 - top) / 3.0;
        let path = curve(&[
            [x, floor + 0.03],
            [x + sway, floor - step],
            [x - sway, floor - 2.0 * step],
            [x + sway, top],
        ]);
        canvas.flat(&stroke(&path, 0.035 * stage.zoom, 0.012), 0.95, colour);
    }
}
