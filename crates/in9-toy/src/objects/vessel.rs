//! Vessels for tea: pot, mug and jug, spout to the right.

use crate::colour::scale;
use crate::dice::Dice;
use crate::figure::Figure;
use crate::maths::Point;
use crate::outline::{curve, ellipse, rounded, smooth, stroke};
use crate::paint::Livery;

/// 0 teapot, 1 mug, 2 jug.
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let trim = if dice.chance(0.5) { livery.second } else { livery.main };
    match fine {
        0 => {
            let (wide, tall) = (dice.range(0.54, 0.62), dice.range(0.48, 0.6));
            handle(
                &mut figure,
                &[[-wide * 0.75, -0.22], [-wide - 0.3, -0.28], [-wide - 0.32, 0.16], [-wide * 0.72, 0.4]],
                trim,
                dice,
            );
            let reach = dice.range(0.32, 0.42);
            figure.round(
                stroke(
                    &curve(&[
                        [wide * 0.6, 0.34],
                        [wide + 0.12, 0.18],
                        [wide + reach * 0.6, -0.2],
                        [wide + reach, -0.4],
                    ]),
                    0.32,
                    0.13,
                ),
                trim,
                0.1,
            );
            figure.round(rounded(0.0, tall + 0.05, wide * 1.1, 0.14, 0.06), trim.shaded(0.85), 0.04);
            figure.round(
                smooth(&[
                    [-wide * 0.5, -tall * 0.9],
                    [wide * 0.5, -tall * 0.9],
                    [wide * 0.96, -tall * 0.3],
                    [wide, tall * 0.3],
                    [wide * 0.6, tall],
                    [-wide * 0.6, tall],
                    [-wide, tall * 0.3],
                    [-wide * 0.96, -tall * 0.3],
                ]),
                livery.main,
                0.34,
            );
            figure.round(
                smooth(&[
                    [-wide * 0.55, -tall * 0.84],
                    [-wide * 0.3, -tall * 1.12],
                    [wide * 0.3, -tall * 1.12],
                    [wide * 0.55, -tall * 0.84],
                    [0.0, -tall * 0.76],
                ]),
                trim,
                0.08,
            );
            figure.round(ellipse(0.0, -tall * 1.28, 0.1, 0.1), livery.second, 0.06);
            shine(&mut figure, -wide * 0.45, -tall * 0.3, 0.3, livery);
        }
        1 => {
            let (wide, tall) = (dice.range(0.5, 0.6), dice.range(0.6, 0.78));
            let taper = dice.range(-0.08, 0.14);
            let hang = dice.range(0.3, 0.45);
            handle(
                &mut figure,
                &[
                    [wide * 0.8, -tall * 0.55],
                    [wide + hang, -tall * 0.5],
                    [wide + hang, tall * 0.35],
                    [wide * 0.8, tall * 0.5],
                ],
                trim,
                dice,
            );
            let foot = wide - taper;
            figure.round(
                smooth(&[
                    [-wide, -tall],
                    [0.0, -tall + 0.06],
                    [wide, -tall],
                    [wide - taper * 0.5, 0.0],
                    [foot, tall * 0.88],
                    [0.0, tall],
                    [-foot, tall * 0.88],
                    [-wide + taper * 0.5, 0.0],
                ]),
                livery.main,
                0.3,
            );
            figure.round(ellipse(0.0, -tall, wide, 0.15), trim, 0.04);
            figure.flat(ellipse(0.0, -tall + 0.02, wide * 0.86, 0.1), scale(livery.dark, 1.2));
            if dice.chance(0.6) {
                figure.round(
                    rounded(0.0, tall * dice.range(0.0, 0.5), foot * 1.9, 0.14, 0.03),
                    livery.second,
                    0.04,
                );
            }
            shine(&mut figure, -wide * 0.6, -tall * 0.2, 0.4, livery);
        }
        _ => {
            let (belly, neck) = (dice.range(0.5, 0.6), dice.range(0.22, 0.32));
            let waist = dice.range(-0.5, -0.35);
            handle(
                &mut figure,
                &[[-neck * 0.8, -0.78], [-belly - 0.22, -0.72], [-belly - 0.26, -0.1], [-belly * 0.8, 0.18]],
                trim,
                dice,
            );
            figure.round(
                smooth(&[
                    [-neck - 0.02, -0.9],
                    [0.0, -0.84],
                    [neck + 0.28, -0.98],
                    [neck * 1.05, waist],
                    [belly, 0.2],
                    [belly * 0.8, 0.75],
                    [belly * 0.5, 0.95],
                    [-belly * 0.5, 0.95],
                    [-belly * 0.8, 0.75],
                    [-belly, 0.2],
                    [-neck, waist],
                ]),
                livery.main,
                0.3,
            );
            figure.round(
                stroke(&curve(&[[-neck - 0.04, -0.9], [0.0, -0.85], [neck + 0.26, -0.97]]), 0.09, 0.07),
                trim,
                0.03,
            );
            if dice.chance(0.6) {
                figure.round(
                    stroke(&curve(&[[-belly * 0.96, 0.1], [0.0, 0.2], [belly * 0.96, 0.1]]), 0.13, 0.13),
                    livery.second,
                    0.04,
                );
            }
            shine(&mut figure, -belly * 0.5, 0.15, 0.35, livery);
        }
    }
    figure
}

/// A handle along a path.
fn handle(figure: &mut Figure, path: &[Point], paint: crate::paint::Paint, dice: &mut Dice) {
    let thick = dice.range(0.12, 0.18);
    figure.round(stroke(&curve(path), thick, thick), paint, 0.08);
}

/// The window's reflection on the glaze.
fn shine(figure: &mut Figure, x: f32, y: f32, tall: f32, livery: &Livery) {
    figure.flat(
        stroke(&curve(&[[x + 0.06, y - tall * 0.5], [x, y], [x + 0.03, y + tall * 0.5]]), 0.07, 0.03),
        scale(livery.light, 1.05),
    );
}
