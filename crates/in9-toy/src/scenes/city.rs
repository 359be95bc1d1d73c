//! A city: blocks with rows of windows behind a street, by day or at dusk.

use super::{Stage, mottle, sky};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::smoothstep;
use crate::noise::{hash_unit, value};
use crate::outline::rounded;
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let street = dice.range(0.55, 0.9);
    let hour = dice.index(5);
    let (top, low) = [
        (0x7fb2e0, 0xdce8ee),
        (0xa3b2bf, 0xdadde0),
        (0x3d4a80, 0xf2a878),
        (0x8cc0ea, 0xf2e8d8),
        (0x1c2444, 0x6a5f84),
    ][hour];
    let (top, low) = (jitter(hex(top), 0.04, dice), jitter(hex(low), 0.04, dice));
    let lit = [0.06, 0.15, 0.5, 0.06, 0.6][hour];
    let daylight = [1.0, 0.92, 0.68, 1.0, 0.42][hour];
    let (seed, cover) = (dice.bits(), dice.range(-0.2, 0.6));
    let aspect = stage.aspect;
    let mut canvas =
        Canvas::opaque(stage.width, stage.height, |x, y| sky(x, y, street, top, low, cover, seed));
    for layer in 0..2 {
        let near = layer as f32;
        let mut x = -dice.range(0.0, 0.15);
        while x < aspect {
            let wide = dice.range(0.12, 0.3) * stage.zoom * (0.8 + 0.3 * near);
            let roof = street - dice.range(0.18, 0.75) * (1.0 - 0.15 * near);
            if layer == 0 || dice.chance(0.8) {
                let wall = jitter(
                    dice.pick(&[
                        hex(0xb9a48c),
                        hex(0x9a6a55),
                        hex(0x8d949c),
                        hex(0xcdc3b0),
                        hex(0x6f7f8c),
                        hex(0xa8866a),
                        hex(0x59616e),
                    ]),
                    0.05,
                    dice,
                );
                block(
                    &mut canvas,
                    [x, roof],
                    [x + wide, street],
                    mix(scale(wall, daylight), low, 0.45 * (1.0 - near)),
                    lit,
                    daylight,
                    stage.zoom,
                    dice,
                );
            }
            x += wide + if dice.chance(0.3) { dice.range(0.0, 0.1) } else { 0.005 };
        }
    }
    let (asphalt, paving) = (jitter(hex(0x55575c), 0.05, dice), jitter(hex(0xa8a39a), 0.05, dice));
    let kerb = street + (1.0 - street) * dice.range(0.1, 0.35);
    canvas.flat(
        &[[-0.01, street], [aspect + 0.01, street], [aspect + 0.01, 1.01], [-0.01, 1.01]],
        1.0,
        scale(paving, daylight),
    );
    canvas.fill(
        &[[-0.01, kerb], [aspect + 0.01, kerb], [aspect + 0.01, 1.01], [-0.01, 1.01]],
        1.0,
        |x, y| scale(asphalt, daylight * (0.85 + 0.3 * value(x * 70.0, y * 110.0, seed ^ 1))),
    );
    canvas.flat(
        &[[-0.01, kerb], [aspect + 0.01, kerb], [aspect + 0.01, kerb + 0.012], [-0.01, kerb + 0.012]],
        1.0,
        scale(hex(0xd0ccc4), daylight),
    );
    let line = kerb + (1.0 - kerb) * dice.range(0.4, 0.7);
    let (pitch, phase) = (dice.range(0.18, 0.3) * stage.zoom, dice.unit());
    let mut x = -pitch * phase;
    while x < aspect {
        canvas.flat(
            &[
                [x, line],
                [x + pitch * 0.5, line],
                [x + pitch * 0.5 - 0.02, line + 0.02],
                [x - 0.02, line + 0.02],
            ],
            0.9,
            scale(hex(0xe9e4d2), daylight),
        );
        x += pitch;
    }
    for _ in 0..dice.index(3) {
        lamp(&mut canvas, dice.range(0.0, aspect), kerb, 0.35 * stage.zoom, daylight < 0.7);
    }
    canvas.adjust(|_, y, c| mix(c, scale(c, 0.85), smoothstep(0.8, 1.0, y)));
    mottle(&mut canvas, 55.0, 0.08, seed ^ 9);
    canvas
}

/// A building with a grid of windows, some of them lit.
fn block(
    canvas: &mut Canvas,
    from: [f32; 2],
    to: [f32; 2],
    wall: [f32; 3],
    lit: f32,
    daylight: f32,
    zoom: f32,
    dice: &mut Dice,
) {
    let key = dice.bits();
    let (columns, rows) = (dice.range(0.035, 0.06) * zoom, dice.range(0.045, 0.075) * zoom);
    let (share_x, share_y) = (dice.range(0.4, 0.7), dice.range(0.45, 0.7));
    let pane = mix(scale(wall, 0.45), [0.35, 0.45, 0.55], 0.4 * daylight);
    canvas.fill(&[from, [to[0], from[1]], to, [from[0], to[1]]], 1.0, |x, y| {
        let (u, v) = ((x - from[0]) / columns, (y - from[1]) / rows);
        let (i, j) = (u.floor(), v.floor());
        let inside = u - i > 0.5 - share_x * 0.5
            && u - i < 0.5 + share_x * 0.5
            && v - j > 0.5 - share_y * 0.5
            && v - j < 0.5 + share_y * 0.5;
        let margin = x - from[0] > columns * 0.3 && to[0] - x > columns * 0.3 && y - from[1] > rows * 0.5;
        if inside && margin {
            let h = hash_unit(i as i32, j as i32, key);
            if h < lit { [1.0, 0.86, 0.55] } else { scale(pane, 0.8 + 0.5 * h) }
        } else {
            wall
        }
    });
    canvas.flat(
        &[[from[0], from[1]], [to[0], from[1]], [to[0], from[1] + 0.012], [from[0], from[1] + 0.012]],
        1.0,
        scale(wall, 0.8),
    );
}

/// A street lamp.
fn lamp(canvas: &mut Canvas, x: f32, foot: f32, tall: f32, on: bool) {
    canvas.flat(&rounded(x, foot - tall * 0.5, 0.012, tall, 0.004), 1.0, [0.2, 0.21, 0.23]);
    canvas.flat(&rounded(x + 0.03, foot - tall, 0.07, 0.014, 0.006), 1.0, [0.2, 0.21, 0.23]);
    canvas.flat(
        &rounded(x + 0.055, foot - tall + 0.016, 0.035, 0.022, 0.01),
        1.0,
        if on { [1.0, 0.92, 0.66] } else { [0.75, 0.76, 0.74] },
    );
}
