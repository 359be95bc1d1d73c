//! A room: papered wall, skirting or table edge, boards or cloth, a picture or a window.

use super::{Stage, mottle};
use crate::colour::{Rgb, hex, hsv, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::{sin_turns, smoothstep};
use crate::noise::{fractal, hash_unit};
use crate::outline::{ellipse, rounded};
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let edge = dice.range(0.5, 0.85);
    let wall = jitter(
        dice.pick(&[
            hex(0xd9c7a8),
            hex(0xb7c4b1),
            hex(0xa9b8c6),
            hex(0xd4a99a),
            hex(0xe6ddd0),
            hex(0x8a9a8c),
            hex(0xc9b6c6),
            hex(0x7c8aa0),
        ]),
        0.05,
        dice,
    );
    let ink = if dice.chance(0.6) {
        scale(wall, dice.pick(&[0.8, 0.86, 1.14]))
    } else {
        mix(wall, hsv(dice.unit(), 0.5, 0.7), 0.4)
    };
    let paper = dice.index(5);
    let wood = jitter(
        dice.pick(&[hex(0x8a5a34), hex(0xb5854f), hex(0x5f4030), hex(0xcaa477), hex(0x74604c)]),
        0.05,
        dice,
    );
    let (seed, pitch) = (dice.bits(), dice.range(7.0, 14.0) / stage.zoom);
    let lamp = [dice.range(0.0, stage.aspect), dice.range(-0.1, 0.4)];
    let warm = dice.range(0.0, 0.45);
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| {
        let amount = match paper {
            0 => 0.0,
            1 => smoothstep(-0.1, 0.1, sin_turns(x * pitch)),
            2 => dots(x * pitch, y * pitch),
            3 => {
                smoothstep(0.75, 0.95, sin_turns((x + y) * pitch * 0.7).max(sin_turns((x - y) * pitch * 0.7)))
            }
            _ => 0.6 * smoothstep(0.4, 0.6, fractal(x * 12.0, y * 12.0, seed, 2)),
        };
        mix(wall, ink, amount)
    });
    for _ in 0..dice.index(3) {
        picture(&mut canvas, stage, edge, dice);
    }
    if dice.chance(0.35) {
        window(&mut canvas, stage, edge, dice);
    }
    // Floor or table.
    let boards = dice.range(4.0, 8.0) / stage.zoom;
    let aspect = stage.aspect;
    let cloth = dice.chance(0.25);
    let fabric = hsv(dice.unit(), dice.range(0.2, 0.7), dice.range(0.5, 0.95));
    canvas.fill(
        &[[-0.01, edge], [aspect + 0.01, edge], [aspect + 0.01, 1.01], [-0.01, 1.01]],
        1.0,
        |x, y| {
            let depth = 0.4 + (y - edge) / (1.05 - edge);
            let u = (x - aspect * 0.5) / depth * boards;
            if cloth {
                let check = (sin_turns(u * 0.5) * sin_turns(6.0 / depth)).clamp(-0.2, 0.2) * 2.5 + 0.5;
                return mix(fabric, mix(fabric, [1.0; 3], 0.75), check);
            }
            let plank = u.floor();
            let tone = 0.82 + 0.36 * hash_unit(plank as i32, 1, seed);
            let grain = 0.9 + 0.2 * fractal(u * 3.0, y * 3.0 + plank, seed ^ 2, 3);
            let gap = smoothstep(0.0, 0.06, (u - plank).min(1.0 - (u - plank)));
            scale(wood, tone * grain * (0.6 + 0.4 * gap))
        },
    );
    let board = scale(if cloth { wood } else { mix(wall, [1.0; 3], 0.6) }, 0.92);
    canvas.flat(
        &[[-0.01, edge - 0.03], [aspect + 0.01, edge - 0.03], [aspect + 0.01, edge], [-0.01, edge]],
        1.0,
        board,
    );
    canvas.flat(
        &[[-0.01, edge], [aspect + 0.01, edge], [aspect + 0.01, edge + 0.012], [-0.01, edge + 0.012]],
        0.4,
        [0.1, 0.08, 0.06],
    );
    canvas.adjust(|x, y, c| {
        let d = ((x - lamp[0]) * (x - lamp[0]) + (y - lamp[1]) * (y - lamp[1])).sqrt();
        let lit = 1.12 - 0.45 * smoothstep(0.0, 1.2, d);
        let glow = [1.0 + 0.12 * warm, 1.0, 1.0 - 0.3 * warm];
        [c[0] * lit * glow[0], c[1] * lit * glow[1], c[2] * lit * glow[2]]
    });
    mottle(&mut canvas, 45.0, 0.06, seed ^ 9);
    canvas
}

/// Dots on a staggered grid.
fn dots(x: f32, y: f32) -> f32 {
    let row = y.floor();
    let u = x + 0.5 * (row - 2.0 * (row * 0.5).floor());
    let (dx, dy) = (u - u.floor() - 0.5, y - row - 0.5);
    1.0 - smoothstep(0.18, 0.28, (dx * dx + dy * dy).sqrt())
}

/// A framed picture of two colours.
fn picture(canvas: &mut Canvas, stage: &Stage, edge: f32, dice: &mut Dice) {
    let (w, h) = (dice.range(0.16, 0.32) * stage.zoom, dice.range(0.16, 0.32) * stage.zoom);
    let (x, y) = (dice.range(0.0, stage.aspect), dice.range(0.08, (edge - 0.1).max(0.1)));
    let frame: Rgb =
        jitter(dice.pick(&[hex(0x4a3524), hex(0xc9a24e), hex(0xf0ece2), hex(0x2b2b2e)]), 0.04, dice);
    canvas.flat(&rounded(x + 0.008, y + 0.012, w, h, 0.0), 0.3, [0.1, 0.08, 0.08]);
    canvas.flat(&rounded(x, y, w, h, 0.0), 1.0, frame);
    canvas.flat(&rounded(x, y, w * 0.84, h * 0.84, 0.0), 1.0, [0.93, 0.91, 0.86]);
    let (sky, land) = (hsv(dice.unit(), 0.35, 0.85), hsv(dice.unit(), 0.5, 0.6));
    canvas.flat(&rounded(x, y, w * 0.66, h * 0.66, 0.0), 1.0, sky);
    canvas.flat(&rounded(x, y + h * 0.2, w * 0.66, h * 0.26, 0.0), 1.0, land);
    canvas.flat(
        &ellipse(x + w * 0.15, y - h * 0.12, w * 0.08, w * 0.08),
        1.0,
        mix(sky, [1.0, 0.95, 0.7], 0.8),
    );
}

/// A window with a cross bar and curtains.
fn window(canvas: &mut Canvas, stage: &Stage, edge: f32, dice: &mut Dice) {
    let (w, h) = (0.36 * stage.zoom, 0.42 * stage.zoom);
    let (x, y) = (dice.range(0.0, stage.aspect), dice.range(0.1, (edge - 0.25).max(0.12)));
    let outside = dice.pick(&[hex(0xbfdcf0), hex(0xe9eef0), hex(0x7f93b8)]);
    canvas.flat(&rounded(x, y, w, h, 0.0), 1.0, [0.94, 0.93, 0.9]);
    for (sx, sy) in [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)] {
        canvas.flat(&rounded(x + sx * w * 0.94, y + sy * h * 0.94, w * 0.42, h * 0.42, 0.0), 1.0, outside);
    }
    let curtain = hsv(dice.unit(), dice.range(0.2, 0.6), dice.range(0.5, 0.9));
    for side in [-1.0, 1.0] {
        canvas.fill(&rounded(x + side * w * 0.52, y, w * 0.28, h * 1.15, 0.0), 1.0, |px, _| {
            scale(curtain, 0.85 + 0.2 * sin_turns(px * 34.0))
        });
    }
}
