//! A forest: rows of trunks that fade with distance, foliage above, litter or moss below.

use super::{Stage, fir, ground_noise, mottle};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::smoothstep;
use crate::noise::{fractal, value};
use crate::outline::{curve, ellipse, stroke};
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let floor = dice.range(0.5, 0.85);
    let (haze, leaf, litter) = dice.pick(&[
        (0xbfd2a8, 0x3c6b2f, 0x5d5a33),
        (0xd7dcb8, 0x5a8a35, 0x6b7a3c),
        (0xd8c9a0, 0xb0702c, 0x8a5a30),
        (0x9db6ac, 0x27503f, 0x3f4a30),
        (0xcfd8d0, 0x4b7350, 0x5a5038),
    ]);
    let (haze, leaf, litter) =
        (jitter(hex(haze), 0.06, dice), jitter(hex(leaf), 0.05, dice), jitter(hex(litter), 0.05, dice));
    let birch = dice.chance(0.25);
    let bark = jitter(
        if birch { hex(0xd8d4c8) } else { dice.pick(&[hex(0x4d3a2c), hex(0x5f4c3c), hex(0x3a322c)]) },
        0.04,
        dice,
    );
    let seed = dice.bits();
    let aspect = stage.aspect;
    let grain = dice.range(2.0, 4.0) / stage.zoom;
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| {
        if y < floor {
            let n = fractal(x * 7.0, y * 7.0, seed, 4);
            return mix(haze, leaf, smoothstep(0.35, 0.75, n) * (0.85 - 0.45 * y / floor));
        }
        let n = ground_noise(x, y, floor - 0.1, aspect, grain * 4.0, seed ^ 1);
        let moss = smoothstep(0.45, 0.7, fractal(x * 4.0, y * 9.0, seed ^ 2, 3));
        scale(mix(litter, leaf, moss * 0.7), 0.65 + 0.7 * n)
    });
    let firs = dice.chance(0.3);
    for layer in 0..3 {
        let near = layer as f32 / 2.0;
        let count = ((7.0 - 2.0 * near) * aspect / stage.zoom.sqrt()) as usize + 1;
        for _ in 0..count {
            let x = dice.range(-0.05, aspect + 0.05);
            let foot = floor + 0.02 + near * near * dice.range(0.05, 0.3);
            let wide = (0.014 + 0.05 * near) * stage.zoom * dice.range(0.6, 1.5);
            let colour = mix(bark, haze, 0.6 * (1.0 - near));
            if firs && layer < 2 {
                fir(
                    &mut canvas,
                    [x, foot],
                    dice.range(0.4, 0.9) * (0.5 + near),
                    mix(leaf, haze, 0.5 * (1.0 - near)),
                    None,
                    dice,
                );
                continue;
            }
            let lean = dice.bell() * 0.06;
            let key = dice.bits();
            let trunk = stroke(
                &curve(&[[x, foot + 0.02], [x + lean * 0.3, foot * 0.5], [x + lean, -0.05]]),
                wide * 1.25,
                wide * 0.8,
            );
            canvas.fill(&trunk, 1.0, |px, py| {
                let across = smoothstep(-0.6, 0.7, (px - x - lean * (1.0 - py / foot)) / wide);
                let grain = if birch {
                    1.0 - 0.6 * smoothstep(0.7, 0.8, value(px * 14.0, py * 40.0, key))
                } else {
                    0.75 + 0.5 * value(px * 90.0, py * 12.0, key)
                };
                scale(colour, grain * (1.12 - 0.45 * across))
            });
        }
    }
    // The canopy hangs into the picture.
    let canopy = dice.range(0.0, 0.3);
    for _ in 0..(26.0 * aspect) as usize {
        let (x, y, r) =
            (dice.range(0.0, aspect), canopy * dice.unit() - 0.02, dice.range(0.02, 0.07) * stage.zoom);
        canvas.flat(
            &ellipse(x, y, r * 1.4, r),
            0.8,
            scale(mix(leaf, haze, dice.range(0.0, 0.4)), dice.range(0.65, 1.2)),
        );
    }
    // Ferns and fallen leaves.
    for _ in 0..(34.0 * aspect) as usize {
        let depth = dice.unit();
        let (x, y) = (dice.range(0.0, aspect), floor + 0.03 + (1.0 - floor) * depth);
        let long = (0.02 + 0.06 * depth) * stage.zoom;
        let lean = dice.bell() * long;
        let colour = scale(mix(leaf, litter, dice.unit() * 0.7), dice.range(0.7, 1.4));
        canvas.flat(
            &stroke(
                &curve(&[[x, y], [x + lean * 0.5, y - long * 0.7], [x + lean * 1.4, y - long * 0.8]]),
                long * 0.22,
                long * 0.05,
            ),
            0.9,
            colour,
        );
    }
    let beam = if dice.chance(0.4) { dice.range(0.1, 0.3) } else { 0.0 };
    let slant = dice.range(-0.6, 0.6);
    canvas.adjust(|x, y, c| {
        mix(
            c,
            [1.0, 0.97, 0.8],
            beam * smoothstep(0.55, 0.75, value((x + slant * y) * 5.0, 0.5, seed ^ 7)) * (1.0 - y),
        )
    });
    mottle(&mut canvas, 45.0, 0.12, seed ^ 9);
    canvas
}
