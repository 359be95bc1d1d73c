//! Mountains: jagged ridges with lit and shaded faces, snow above, alp or scree or a lake below.

use super::{Stage, fir, ground_noise, mottle, ridge, sky};
use crate::colour::{hex, jitter, mix, scale};
use crate::dice::Dice;
use crate::maths::smoothstep;
use crate::noise::fractal;
use crate::outline::Outline;
use crate::raster::Canvas;

pub(super) fn paint(stage: &mut Stage, dice: &mut Dice) -> Canvas {
    let foot = dice.range(0.55, 0.95);
    let (top, low) = dice.pick(&[
        (0x4f8fd8, 0xd5e6f2),
        (0x86a8c6, 0xe8e6e0),
        (0x6a6fb0, 0xf5c5a8),
        (0x9fb0c0, 0xdfe4e6),
        (0x3f78c8, 0xb9d6ee),
    ]);
    let (top, low) = (jitter(hex(top), 0.05, dice), jitter(hex(low), 0.04, dice));
    let rock = jitter(dice.pick(&[hex(0x6f6a70), hex(0x7d6a5c), hex(0x565f6c), hex(0x8a7f78)]), 0.05, dice);
    let (seed, cover) = (dice.bits(), dice.range(-0.1, 0.7));
    let snowline = dice.range(0.1, 0.75) * foot;
    let sun = dice.sign();
    let mut canvas = Canvas::opaque(stage.width, stage.height, |x, y| sky(x, y, foot, top, low, cover, seed));
    let ranges = 2 + dice.index(2);
    for k in 0..ranges {
        let t = (k as f32 + 1.0) / ranges as f32;
        let key = seed.wrapping_add(101 * (k as u32 + 1));
        let base = foot * (0.45 + 0.35 * t);
        peaks(
            &mut canvas,
            stage,
            base,
            (0.24 - 0.08 * t) * stage.zoom,
            mix(low, rock, 0.35 + 0.65 * t),
            snowline,
            foot,
            sun,
            key,
            dice,
        );
    }
    let aspect = stage.aspect;
    if dice.chance(0.25) {
        let lake = mix(mix(top, low, 0.4), rock, 0.3);
        canvas.fill(
            &[[-0.01, foot], [aspect + 0.01, foot], [aspect + 0.01, 1.01], [-0.01, 1.01]],
            1.0,
            |x, y| scale(lake, 0.8 + 0.35 * fractal(x * 5.0, y * 36.0, seed ^ 8, 3)),
        );
    } else {
        let alp =
            jitter(dice.pick(&[hex(0x6d8f4a), hex(0x8a8c55), hex(0x8b857c), hex(0x5a7a4c)]), 0.05, dice);
        let grain = 12.0 / stage.zoom;
        canvas.fill(&ridge(stage, foot, 0.06, 1.3, 3, seed ^ 7), 1.0, |x, y| {
            let scree = smoothstep(0.5, 0.7, fractal(x * 5.0, y * 10.0, seed ^ 6, 3));
            scale(
                mix(alp, rock, scree * 0.7),
                0.7 + 0.6 * ground_noise(x, y, foot - 0.1, aspect, grain, seed ^ 5),
            )
        });
        if dice.chance(0.5) {
            for _ in 0..(dice.range(2.0, 9.0) * aspect) as usize {
                let y = foot + dice.range(0.0, (1.0 - foot) * 0.5);
                fir(
                    &mut canvas,
                    [dice.range(0.0, aspect), y],
                    dice.range(0.07, 0.16) * stage.zoom,
                    mix(hex(0x2f4a38), low, 0.15),
                    None,
                    dice,
                );
            }
        }
    }
    mottle(&mut canvas, 40.0, 0.1, seed ^ 9);
    canvas
}

/// One range: pointed summits, each with a crest line that parts light from shade.
fn peaks(
    canvas: &mut Canvas,
    stage: &Stage,
    base: f32,
    tall: f32,
    rock: [f32; 3],
    snowline: f32,
    foot: f32,
    sun: f32,
    key: u32,
    dice: &mut Dice,
) {
    let mut x = -dice.range(0.0, 0.3);
    while x < stage.aspect + 0.1 {
        let rise = tall * dice.range(0.6, 1.5);
        let (left, right) = (rise * dice.range(0.9, 1.6), rise * dice.range(0.9, 1.6));
        let summit = base - rise;
        let down = foot.max(base) + 0.12;
        // The flanks widen with the same slope down to the foot.
        let grow = (down - summit) / rise;
        let flank = |side: f32, reach: f32| -> Outline {
            let steps = 10;
            let mut out: Outline = (0..=steps)
                .map(|i| {
                    let t = i as f32 / steps as f32;
                    let jag = (fractal(t * 7.0 + x * 3.0, side, key, 3) - 0.5) * rise * 0.28 * t.min(0.5);
                    [x + side * reach * grow * t + jag, summit + (down - summit) * t]
                })
                .collect();
            for i in (0..=steps).rev() {
                let t = i as f32 / steps as f32;
                out.push([
                    x + (fractal(t * 9.0 + x, 9.0, key ^ 2, 3) - 0.5) * rise * 0.7 * t.min(0.6),
                    summit + (down - summit) * t,
                ]);
            }
            out
        };
        for (side, reach) in [(-1.0, left), (1.0, right)] {
            let lit = if side == sun { 1.15 } else { 0.72 };
            canvas.fill(&flank(side, reach), 1.0, |px, py| {
                let n = fractal(px * 9.0, py * 13.0, key ^ 1, 3);
                let snow = smoothstep(0.05, -0.05, py - snowline + 0.16 * (n - 0.5));
                let stone = scale(rock, 0.75 + 0.5 * n);
                scale(mix(stone, [0.97, 0.98, 1.0], snow * 0.92), lit)
            });
        }
        x += (left + right) * dice.range(0.55, 0.9);
    }
}
