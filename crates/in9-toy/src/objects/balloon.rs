//! Balloons: with a basket, with an engine, or on a string.

use crate::colour::scale;
use crate::dice::Dice;
use crate::figure::Figure;
use crate::outline::{curve, ellipse, rounded, smooth, stroke};
use crate::paint::{Livery, Paint, Pattern};

/// 0 hot-air balloon, 1 airship, 2 party balloon.
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    match fine {
        0 => {
            let wide = dice.range(0.62, 0.74);
            let mouth = dice.range(0.4, 0.52);
            for x in [-0.16f32, 0.16] {
                figure.flat(stroke(&[[x * 1.2, mouth - 0.1], [x * 0.8, 0.75]], 0.04, 0.04), livery.dark);
            }
            figure.round(
                rounded(0.0, 0.86, 0.34, 0.26, 0.05),
                Paint::bands(livery.second.ground, scale(livery.second.ground, 0.6), 0.25, 7.0),
                0.08,
            );
            let shape = smooth(&[
                [0.0, -1.0],
                [wide * 0.75, -0.82],
                [wide, -0.35],
                [wide * 0.72, 0.12],
                [0.2, mouth],
                [-0.2, mouth],
                [-wide * 0.72, 0.12],
                [-wide, -0.35],
                [-wide * 0.75, -0.82],
            ]);
            figure.round(shape, livery.main, 0.45);
            // Gores: the seams bulge away from the middle.
            let seams = if livery.main.pattern == Pattern::Plain { 5 } else { 3 };
            for k in 0..seams {
                let x = (k as f32 - (seams - 1) as f32 * 0.5) * 2.0 / (seams + 1) as f32 * wide;
                let path = curve(&[
                    [x * 0.3, -0.96],
                    [x, -0.6],
                    [x * 1.05, -0.3],
                    [x * 0.75, 0.1],
                    [x * 0.3, mouth],
                ]);
                figure.flat(stroke(&path, 0.03, 0.03), scale(livery.main.ground, 0.62));
            }
        }
        1 => {
            let tall = dice.range(0.36, 0.48);
            let fin = dice.range(0.3, 0.42);
            for side in [-1.0, 1.0] {
                figure.round(
                    smooth(&[
                        [-0.6, side * tall * 0.4],
                        [-0.9, side * (tall * 0.5 + fin * 0.7)],
                        [-1.02, side * (tall * 0.5 + fin)],
                        [-1.02, side * tall * 0.2],
                        [-0.8, side * 0.05],
                    ]),
                    livery.second,
                    0.06,
                );
            }
            figure.round(
                rounded(dice.range(-0.05, 0.2), tall + 0.1, dice.range(0.42, 0.6), 0.24, 0.1),
                livery.second.shaded(0.9),
                0.08,
            );
            let hull = smooth(&[
                [1.0, 0.0],
                [0.75, -tall * 0.75],
                [0.15, -tall],
                [-0.5, -tall * 0.72],
                [-1.0, -tall * 0.16],
                [-1.0, tall * 0.16],
                [-0.5, tall * 0.72],
                [0.15, tall],
                [0.75, tall * 0.75],
            ]);
            figure.round(hull, livery.main, 0.4);
            for k in [-0.45, 0.0, 0.45] {
                let path = curve(&[[-0.95, k * tall * 0.4], [0.1, k * tall * 1.3], [0.97, k * tall * 0.3]]);
                figure.flat(stroke(&path, 0.02, 0.03), scale(livery.main.ground, 0.65));
            }
        }
        _ => {
            let wide = dice.range(0.54, 0.66);
            let sway = dice.range(0.05, 0.16) * dice.sign();
            figure.flat(
                stroke(&curve(&[[0.0, 0.42], [sway, 0.6], [-sway, 0.8], [sway * 0.5, 1.0]]), 0.05, 0.04),
                livery.dark,
            );
            figure.round(vec![[0.0, 0.32], [0.11, 0.48], [-0.11, 0.48]], livery.main.shaded(0.8), 0.04);
            figure.round(
                smooth(&[
                    [0.0, -1.0],
                    [wide * 0.76, -0.84],
                    [wide, -0.38],
                    [wide * 0.62, 0.12],
                    [0.0, 0.38],
                    [-wide * 0.62, 0.12],
                    [-wide, -0.38],
                    [-wide * 0.76, -0.84],
                ]),
                livery.main,
                0.5,
            );
            figure.flat(ellipse(-wide * 0.42, -0.6, 0.09, 0.15), scale(livery.light, 1.05));
            figure.flat(ellipse(-wide * 0.52, -0.36, 0.04, 0.06), scale(livery.light, 1.05));
        }
    }
    figure
}
