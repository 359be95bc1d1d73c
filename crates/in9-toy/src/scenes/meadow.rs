//! A meadow: sky, far hills, grass blades and flowers that grow towards the viewer.

use super::{Stage, ground_noise, mottle, ridge, sky};
use crate::colour::{Rgb, hex, hsv, jitter, mix, scale};
use crate::dice::Dice;
use crate::outline::ellipse;
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let horizon = dice.range(-0.1, 0.45);
    let top = jitter(dice.pick(&[hex(0x5a9be0), hex(0x7fb4e6), hex(0xa9bccb), hex(0x6d8fd0)]), 0.06, dice);
    let low = jitter(dice.pick(&[hex(0xd6e8f2), hex(0xf3e6cf), hex(0xdbe2e4)]), 0.04, dice);
    let cover = dice.range(0.0, 0.8);
    // Spring, high summer, hay, autumn.
    let (near, far) = dice.pick(&[
        (0x4f8f2c, 0x8fbf57),
        (0x3f7a34, 0x7fae62),
        (0xa3a043, 0xc9c070),
        (0x7d8a35, 0xb5a860),
        (0x5fa03a, 0xa9cf6a),
    ]);
    let (near, far) = (jitter(hex(near), 0.05, dice), jitter(hex(far), 0.05, dice));
    let (seed, grain) = (dice.bits(), dice.range(3.0, 6.0) / stage.zoom);
    let aspect = stage.aspect;
    let mut canvas =
        Canvas::opaque(stage.width, stage.height, |x, y| sky(x, y, horizon, top, low, cover, seed));
    if horizon > 0.05 {
        let hill = mix(far, low, 0.45);
        canvas.flat(&ridge(stage, horizon, 0.07, 1.6, 3, seed ^ 1), 1.0, scale(hill, 0.85));
    }
    let field = ridge(stage, horizon + 0.04, 0.02, 1.0, 2, seed ^ 2);
    canvas.fill(&field, 1.0, |x, y| {
        let t = ((y - horizon) / (1.0 - horizon)).clamp(0.0, 1.0);
        let n = ground_noise(x, y, horizon, aspect, grain * 3.0, seed ^ 3);
        scale(mix(far, near, t), 0.75 + 0.5 * n)
    });
    let blades = (260.0 * aspect) as usize;
    for k in 0..blades {
        let depth = (k as f32 + dice.unit()) / blades as f32;
        let y = horizon + 0.06 + (1.05 - horizon) * depth;
        let tall = (0.02 + 0.12 * depth) * stage.zoom * dice.range(0.6, 1.3);
        let x = dice.range(-0.05, aspect + 0.05);
        let lean = dice.bell() * tall * 0.6;
        let wide = tall * 0.09;
        let colour = scale(mix(far, near, depth), dice.range(0.6, 1.35));
        canvas.flat(&[[x - wide, y], [x + lean, y - tall], [x + wide, y]], 0.9, colour);
    }
    let hue = dice.unit();
    let flowers = if dice.chance(0.85) { dice.range(10.0, 70.0) as usize } else { 0 };
    for k in 0..flowers {
        let depth = (k as f32 + dice.unit()) / flowers as f32;
        let y = horizon + 0.06 + (1.0 - horizon) * depth;
        let r = (0.005 + 0.022 * depth) * stage.zoom * dice.range(0.7, 1.3);
        let petal: Rgb = if dice.chance(0.3) {
            [0.97, 0.96, 0.92]
        } else {
            hsv(hue + dice.bell() * 0.12, dice.range(0.55, 0.9), 0.95)
        };
        bloom(&mut canvas, dice.range(0.0, aspect), y, r, petal);
    }
    mottle(&mut canvas, 40.0, 0.1, seed ^ 5);
    canvas
}

/// A small flower seen from the side.
fn bloom(canvas: &mut Canvas, x: f32, y: f32, r: f32, petal: Rgb) {
    for (dx, dy) in [(-0.9, 0.1), (0.9, 0.1), (-0.4, -0.7), (0.4, -0.7), (0.0, 0.7)] {
        canvas.flat(&ellipse(x + dx * r, y + dy * r * 0.7, r * 0.75, r * 0.6), 1.0, petal);
    }
    canvas.flat(&ellipse(x, y, r * 0.5, r * 0.4), 1.0, [0.95, 0.78, 0.25]);
}
