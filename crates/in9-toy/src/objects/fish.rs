//! Fish from the side, head to the right.

use crate::colour::scale;
use crate::dice::Dice;
use crate::figure::Figure;
use crate::outline::{arc, ellipse, smooth, stroke};
use crate::paint::{Livery, Paint};

/// 0 trout (long), 1 reef fish (round), 2 angelfish (tall fins).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let (length, height) = match fine {
        0 => (dice.range(0.72, 0.8), dice.range(0.24, 0.32)),
        1 => (dice.range(0.6, 0.66), dice.range(0.44, 0.54)),
        _ => (dice.range(0.52, 0.6), dice.range(0.46, 0.54)),
    };
    let bend = dice.bell() * 0.08;
    let fin = livery.second;
    // Tail: forked for the trout, fan for the others.
    let tail = dice.range(0.26, 0.36) * if fine == 0 { 1.0 } else { 1.15 };
    let notch = if fine == 0 { 0.16 } else { 0.06 };
    let root = -length * 0.85;
    figure.round(
        smooth(&[
            [root + 0.08, bend - 0.04],
            [root - 0.2, bend - tail * 0.6],
            [root - 0.36, bend * 2.0 - tail],
            [root - 0.36 + notch, bend * 2.0],
            [root - 0.36, bend * 2.0 + tail],
            [root - 0.2, bend + tail * 0.6],
            [root + 0.08, bend + 0.04],
        ]),
        fin,
        0.08,
    );
    // Dorsal and ventral fins.
    let rise = match fine {
        0 => dice.range(0.14, 0.22),
        1 => dice.range(0.16, 0.28),
        _ => dice.range(0.5, 0.68),
    };
    let sweep = if fine == 2 { 0.45 } else { 0.2 };
    for side in [-1.0, 1.0] {
        let reach = if side < 0.0 { rise } else { rise * if fine == 2 { 0.95 } else { 0.6 } };
        let (front, back) = if side < 0.0 { (0.25, -0.4) } else { (0.0, -0.4) };
        figure.round(
            smooth(&[
                [front * length, side * height * 0.7],
                [front * length * 0.3 - sweep * 0.3, side * (height + reach * 0.7)],
                [back * length - sweep * 0.6, side * (height + reach)],
                [back * length - sweep * 0.3, side * height * 0.75],
                [back * length, side * height * 0.5],
            ]),
            fin,
            0.06,
        );
    }
    let body = smooth(&[
        [length, 0.02],
        [length * 0.72, -height * 0.62],
        [length * 0.2, -height],
        [-length * 0.45, -height * 0.62 + bend * 0.5],
        [-length, bend - 0.07],
        [-length, bend + 0.07],
        [-length * 0.45, height * 0.62 + bend * 0.5],
        [length * 0.2, height],
        [length * 0.72, height * 0.6],
    ]);
    figure.round(body, livery.main, 0.3);
    // Gill, side fin, eye, mouth.
    let gill = length * 0.38;
    figure.flat(
        stroke(&arc(gill - 0.12, 0.0, 0.16, height * 0.62, -0.17, 0.17, 10), 0.03, 0.03),
        scale(livery.main.ground, 0.55),
    );
    figure.round(
        smooth(&[[gill - 0.12, 0.06], [gill - 0.42, 0.0], [gill - 0.46, 0.2], [gill - 0.2, 0.2]]),
        Paint::plain(scale(fin.ground, 0.9)),
        0.05,
    );
    let (ex, ey, er) = (length * 0.62, -height * 0.22, dice.range(0.075, 0.11));
    figure.round(ellipse(ex, ey, er, er), Paint::plain(livery.light), 0.04);
    figure.flat(ellipse(ex + 0.015, ey, er * 0.55, er * 0.55), livery.dark);
    figure.flat(
        stroke(&[[length * 0.98, 0.07], [length * 0.82, 0.11]], 0.03, 0.02),
        scale(livery.main.ground, 0.45),
    );
    figure
}
