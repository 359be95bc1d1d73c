//! Mushrooms: a cap on a stem, sometimes with a little one beside it.

use crate::colour::{mix, scale};
use crate::dice::Dice;
use crate::figure::Figure;
use crate::maths::Affine;
use crate::outline::{curve, ellipse, smooth, stroke};
use crate::paint::{Livery, Paint};

/// 0 toadstool (dome), 1 chanterelle (funnel), 2 ink cap (bell).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    if dice.chance(0.35) {
        let side = dice.sign();
        let size = dice.range(0.4, 0.55);
        let small = one(fine, livery, dice);
        figure.add(
            small,
            Affine::scale(size, size).after(Affine::turn(side * 0.03)).moved(side * 0.6, 1.0 - size * 1.0),
        );
    }
    let large = one(fine, livery, dice);
    figure.add(large, Affine::scale(1.0, 1.0));
    figure
}

fn one(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let lean = dice.bell() * 0.15;
    let flesh = if dice.chance(0.6) { Paint::plain(livery.light) } else { livery.second };
    let thick = dice.range(0.24, 0.36);
    match fine {
        0 => {
            let (wide, rim) = (dice.range(0.78, 0.95), dice.range(-0.25, 0.0));
            stem(&mut figure, lean, rim, thick, flesh);
            // The underside with its gills shows a little below the cap.
            figure.round(
                ellipse(lean, rim, wide * 0.92, 0.16),
                Paint::bands(scale(flesh.ground, 0.72), scale(flesh.ground, 0.5), 0.0, 9.0),
                0.05,
            );
            let cap = smooth(&[
                [lean - wide, rim],
                [lean - wide * 0.8, rim - 0.5],
                [lean, -0.98],
                [lean + wide * 0.8, rim - 0.5],
                [lean + wide, rim],
                [lean + wide * 0.5, rim + 0.05],
                [lean, rim + 0.07],
                [lean - wide * 0.5, rim + 0.05],
            ]);
            figure.round(cap, livery.main, 0.4);
            if dice.chance(0.7) {
                for (x, y, r) in [
                    (-0.5, -0.22, 0.1),
                    (-0.1, -0.55, 0.13),
                    (0.38, -0.42, 0.1),
                    (0.12, -0.18, 0.08),
                    (0.62, -0.14, 0.07),
                ] {
                    let r = r * dice.range(0.7, 1.2);
                    figure.round(
                        ellipse(lean + x * wide, rim + y * (0.98 + rim), r, r * 0.8),
                        Paint::plain(livery.light),
                        0.05,
                    );
                }
            }
        }
        1 => {
            let (wide, top) = (dice.range(0.72, 0.92), dice.range(-0.8, -0.6));
            let wave = dice.range(0.04, 0.1);
            let funnel = smooth(&[
                [-thick * 0.5, 0.98],
                [-thick * 0.55 + lean * 0.3, 0.4],
                [lean - wide * 0.55, top + 0.45],
                [lean - wide, top],
                [lean - wide * 0.5, top - wave],
                [lean, top + wave],
                [lean + wide * 0.5, top - wave],
                [lean + wide, top],
                [lean + wide * 0.55, top + 0.45],
                [thick * 0.55 + lean * 0.3, 0.4],
                [thick * 0.5, 0.98],
            ]);
            figure.round(funnel, livery.main, 0.25);
            for k in -2i32..=2 {
                let x = k as f32 / 2.6;
                let path = curve(&[
                    [x * 0.25 + lean * 0.2, 0.35],
                    [lean + x * 0.5, top + 0.5],
                    [lean + x * wide, top + 0.16],
                ]);
                figure.flat(stroke(&path, 0.02, 0.045), scale(livery.main.ground, 0.62));
            }
            figure.round(
                ellipse(lean, top + 0.02, wide * 0.8, 0.13),
                Paint::plain(scale(mix(livery.main.ground, livery.second.ground, 0.4), 0.8)),
                0.05,
            );
        }
        _ => {
            let (wide, rim) = (dice.range(0.45, 0.56), dice.range(0.1, 0.4));
            stem(&mut figure, lean * 0.5, rim - 0.2, thick * 0.85, flesh);
            let cap = smooth(&[
                [lean - wide, rim],
                [lean - wide * 0.92, rim - 0.5],
                [lean - wide * 0.5, -0.78],
                [lean, -0.98],
                [lean + wide * 0.5, -0.78],
                [lean + wide * 0.92, rim - 0.5],
                [lean + wide, rim],
                [lean + wide * 0.5, rim + 0.06],
                [lean, rim - 0.03],
                [lean - wide * 0.5, rim + 0.06],
            ]);
            figure.round(cap, livery.main, 0.32);
            for (x, y) in [(-0.45, -0.2), (0.3, -0.35), (-0.1, -0.6), (0.5, -0.08)] {
                figure.flat(
                    stroke(
                        &curve(&[[lean + x * wide, rim + y], [lean + x * wide * 0.9 + 0.05, rim + y - 0.1]]),
                        0.08,
                        0.02,
                    ),
                    livery.light,
                );
            }
        }
    }
    figure
}

/// A stem from the cap's rim down to the ground, thicker at the foot.
fn stem(figure: &mut Figure, lean: f32, rim: f32, thick: f32, paint: Paint) {
    figure.round(
        stroke(&curve(&[[lean, rim - 0.1], [lean * 0.5, 0.45], [0.0, 0.97]]), thick, thick * 1.45),
        paint,
        0.16,
    );
    figure.round(
        smooth(&[
            [lean - thick * 0.8, rim + 0.3],
            [lean, rim + 0.2],
            [lean + thick * 0.8, rim + 0.3],
            [lean + thick * 0.5, rim + 0.4],
            [lean - thick * 0.5, rim + 0.4],
        ]),
        paint.shaded(0.9),
        0.05,
    );
}
