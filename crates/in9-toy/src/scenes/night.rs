//! A night sky: stars, the Milky Way, a moon or a planet, an aurora, a dark horizon.

use super::{Stage, fir, mottle, ridge};
use crate::colour::{hex, hsv, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::smoothstep;
use crate::noise::{fractal, value};
use crate::outline::{ellipse, stroke};
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let (top, low) = dice.pick(&[
        (0x070b1e, 0x1d2b52),
        (0x0c0a22, 0x3a2450),
        (0x06121f, 0x174050),
        (0x10142c, 0x4a3f66),
        (0x0a1030, 0x2a4a7a),
    ]);
    let (top, low) = (jitter(hex(top), 0.02, dice), jitter(hex(low), 0.04, dice));
    let seed = dice.bits();
    let (tilt, band) = (dice.range(-1.2, 1.2), dice.range(0.1, 0.7));
    let milky = if dice.chance(0.55) { dice.range(0.2, 0.5) } else { 0.0 };
    let aurora = if dice.chance(0.25) { dice.range(0.3, 0.7) } else { 0.0 };
    let veil = hsv(dice.pick(&[0.38, 0.45, 0.8]), 0.6, 0.85);
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| {
        let base = mix(top, low, y * y);
        let d = (y - band - tilt * (x - stage.aspect * 0.5)).abs();
        let cloud = smoothstep(0.3, 0.0, d) * fractal(x * 5.0, y * 5.0, seed, 4);
        let base = mix(base, hex(0x9a92c0), cloud * milky);
        let fold = value(x * 3.0, 0.3, seed ^ 3) * 0.4 + 0.1;
        let glow = smoothstep(0.35, 0.0, (y - fold).abs()) * (0.5 + value(x * 22.0, y, seed ^ 4));
        mix(base, veil, glow * aurora * 0.6)
    });
    for _ in 0..(dice.range(60.0, 200.0) * stage.aspect) as usize {
        let bright = dice.unit();
        let r = 0.0025 + 0.006 * bright * bright * bright;
        let colour = mix([1.0, 0.95, 0.85], [0.8, 0.88, 1.0], dice.unit());
        canvas.flat(&ellipse(dice.range(0.0, stage.aspect), dice.unit(), r, r), 0.35 + 0.65 * bright, colour);
    }
    if dice.chance(0.55) {
        moon(&mut canvas, stage, top, dice);
    }
    if dice.chance(0.25) {
        let (x, y) = (dice.range(0.1, stage.aspect), dice.range(0.05, 0.5));
        canvas.flat(&stroke(&[[x, y], [x - 0.18, y - 0.09]], 0.008, 0.001), 0.85, [1.0; 3]);
    }
    if dice.chance(0.6) {
        let base = dice.range(0.72, 0.95);
        let dark = scale(low, dice.range(0.25, 0.5));
        canvas.flat(&ridge(stage, base - 0.06, 0.07, 1.6, 3, seed ^ 5), 1.0, mix(dark, low, 0.3));
        if dice.chance(0.5) {
            for _ in 0..(6.0 * stage.aspect) as usize {
                fir(
                    &mut canvas,
                    [dice.range(0.0, stage.aspect), base + 0.06],
                    dice.range(0.1, 0.25) * stage.zoom,
                    scale(dark, 0.6),
                    None,
                    dice,
                );
            }
        }
        canvas.flat(&ridge(stage, base, 0.04, 2.2, 3, seed ^ 6), 1.0, dark);
    }
    mottle(&mut canvas, 30.0, 0.1, seed ^ 9);
    canvas
}

/// A moon, full or a crescent, or a ringed planet.
fn moon(canvas: &mut Canvas, stage: &Stage, night: [f32; 3], dice: &mut Dice) {
    let (x, y, r) =
        (dice.range(0.0, stage.aspect), dice.range(0.05, 0.6), dice.range(0.05, 0.12) * stage.zoom);
    let key = dice.bits();
    let face = jitter(dice.pick(&[hex(0xf2ecd0), hex(0xe8e4da), hex(0xe9c9a0), hex(0xc9d4e8)]), 0.04, dice);
    let ringed = dice.chance(0.25);
    for k in 0..4 {
        let halo = r * (1.9 - 0.22 * k as f32);
        canvas.flat(&ellipse(x, y, halo, halo), 0.06, face);
    }
    canvas.fill(&ellipse(x, y, r, r), 1.0, |px, py| {
        scale(face, 0.8 + 0.3 * fractal(px / r * 2.0, py / r * if ringed { 7.0 } else { 2.0 }, key, 3))
    });
    if ringed {
        canvas.flat(
            &stroke(
                &[[x - r * 1.8, y + r * 0.5], [x, y + r * 0.1], [x + r * 1.8, y - r * 0.5]],
                r * 0.16,
                r * 0.16,
            ),
            0.8,
            scale(face, 0.8),
        );
    } else if dice.chance(0.5) {
        let side = dice.sign();
        canvas.flat(
            &ellipse(x + side * r * 0.45, y - r * 0.1, r * 0.92, r * 0.92),
            0.95,
            mix(night, [0.1, 0.12, 0.25], 0.4),
        );
    }
}
