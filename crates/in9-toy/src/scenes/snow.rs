//! Snow: white ground with blue shadows, firs or ice blocks, falling flakes.

use super::{Stage, fir, mottle, ridge, sky};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::smoothstep;
use crate::noise::fractal;
use crate::outline::ellipse;
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let horizon = dice.range(0.15, 0.55);
    let (top, low) = dice.pick(&[
        (0x8fb4d8, 0xe6eef4),
        (0xb9c4cd, 0xe4e8ea),
        (0x7f86b8, 0xf4d8cf),
        (0x5d9bdc, 0xd9eaf5),
        (0x8f9cab, 0xcfd6db),
    ]);
    let (top, low) = (jitter(hex(top), 0.05, dice), jitter(hex(low), 0.03, dice));
    let snow = jitter(dice.pick(&[hex(0xf2f6fa), hex(0xe9eef6), hex(0xf8efe9)]), 0.02, dice);
    let shadow = jitter(dice.pick(&[hex(0xa9bfdb), hex(0xb5bfd0), hex(0xb8add0)]), 0.04, dice);
    let (seed, cover) = (dice.bits(), dice.range(-0.2, 0.6));
    let mut canvas =
        Canvas::opaque(stage.width, stage.height, |x, y| sky(x, y, horizon, top, low, cover, seed));
    let far = mix(snow, shadow, 0.5);
    canvas.flat(&ridge(stage, horizon, 0.08, 1.4, 3, seed ^ 1), 1.0, mix(far, low, 0.3));
    let ice = dice.chance(0.4);
    let green = jitter(hex(0x2f4f44), 0.05, dice);
    let layers = 3;
    for k in 0..layers {
        let t = k as f32 / (layers - 1) as f32;
        let base = horizon + 0.06 + (0.8 - horizon) * t;
        if ice {
            for _ in 0..dice.index(3) {
                floe(&mut canvas, stage, base, t, snow, shadow, dice);
            }
        } else {
            for _ in 0..(dice.range(1.0, 5.0) * stage.aspect * (1.0 - 0.5 * t)) as usize {
                let tall = (0.16 + 0.3 * t) * stage.zoom * dice.range(0.6, 1.3);
                let white = if dice.chance(0.75) { Some(snow) } else { None };
                fir(
                    &mut canvas,
                    [dice.range(0.0, stage.aspect), base + 0.04],
                    tall,
                    mix(green, low, 0.35 * (1.0 - t)),
                    white,
                    dice,
                );
            }
        }
        let key = seed.wrapping_add(31 * (k as u32 + 1));
        let drift = ridge(stage, base + 0.03, 0.05, 1.1, 2, key);
        canvas.fill(&drift, 1.0, |x, y| {
            let n = fractal(x * 2.2, y * 7.0, key, 3);
            let sparkle = fractal(x * 60.0, y * 60.0, key ^ 1, 1);
            scale(mix(snow, shadow, smoothstep(0.42, 0.72, n) * 0.8), 0.97 + 0.05 * sparkle)
        });
    }
    if dice.chance(0.55) {
        let small = dice.chance(0.5);
        for _ in 0..(dice.range(30.0, 110.0) * stage.aspect) as usize {
            let r = dice.range(0.003, if small { 0.007 } else { 0.014 });
            canvas.flat(&ellipse(dice.range(0.0, stage.aspect), dice.unit(), r, r), 0.8, [1.0; 3]);
        }
    }
    mottle(&mut canvas, 35.0, 0.05, seed ^ 9);
    canvas
}

/// A block of ice with a bright top and blue sides.
fn floe(
    canvas: &mut Canvas,
    stage: &Stage,
    base: f32,
    t: f32,
    snow: [f32; 3],
    shadow: [f32; 3],
    dice: &mut Dice,
) {
    let (x, wide, tall) = (
        dice.range(0.0, stage.aspect),
        dice.range(0.08, 0.2) * (0.6 + t) * stage.zoom,
        dice.range(0.06, 0.2) * (0.6 + t),
    );
    let y = base + 0.05;
    let blue = mix(shadow, [0.45, 0.7, 0.85], 0.5);
    canvas.flat(
        &[
            [x - wide, y],
            [x - wide * 0.8, y - tall],
            [x - wide * 0.1, y - tall * 1.25],
            [x + wide * 0.7, y - tall * 0.8],
            [x + wide, y],
        ],
        1.0,
        blue,
    );
    canvas.flat(
        &[
            [x - wide * 0.8, y - tall],
            [x - wide * 0.1, y - tall * 1.25],
            [x + wide * 0.7, y - tall * 0.8],
            [x + wide * 0.1, y - tall * 0.75],
        ],
        1.0,
        snow,
    );
}
