//! Butterflies from above: two pairs of wings on a narrow body.

use crate::colour::scale;
use crate::dice::Dice;
use crate::figure::Figure;
use crate::maths::Affine;
use crate::outline::{Outline, curve, ellipse, mirrored, smooth, stroke};
use crate::paint::{Livery, Paint};

/// 0 monarch (rounded wings), 1 swallowtail (pointed, with tails), 2 moth (broad triangles).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    // Half-closed wings are narrower; the two sides need not agree.
    let open = dice.range(0.55, 1.0);
    let sides = [open, (open + dice.bell() * 0.25).clamp(0.45, 1.05)];
    let v = |amount: f32, dice: &mut Dice| dice.bell() * amount;
    let (upper, lower): (Outline, Outline) = match fine {
        0 => (
            smooth(&[
                [0.05, -0.12],
                [0.3, -0.62 + v(0.1, dice)],
                [0.78, -0.74 + v(0.1, dice)],
                [0.95, -0.42],
                [0.7, -0.05],
                [0.2, 0.06],
            ]),
            smooth(&[
                [0.06, 0.0],
                [0.45, 0.0],
                [0.72, 0.25 + v(0.1, dice)],
                [0.6, 0.62],
                [0.28, 0.66 + v(0.08, dice)],
                [0.08, 0.3],
            ]),
        ),
        1 => (
            smooth(&[
                [0.04, -0.15],
                [0.4, -0.7 + v(0.08, dice)],
                [0.98, -0.86 + v(0.08, dice)],
                [0.8, -0.4],
                [0.5, -0.02],
                [0.12, 0.08],
            ]),
            smooth(&[
                [0.05, 0.02],
                [0.5, -0.02],
                [0.56, 0.3],
                [0.5, 0.55],
                [0.56, 0.98 + v(0.08, dice)],
                [0.42, 0.98],
                [0.34, 0.62],
                [0.12, 0.4],
            ]),
        ),
        _ => (
            smooth(&[
                [0.06, -0.32],
                [0.5, -0.42 + v(0.08, dice)],
                [1.0, -0.12 + v(0.1, dice)],
                [0.96, 0.16],
                [0.5, 0.2],
                [0.1, 0.14],
            ]),
            smooth(&[[0.06, 0.05], [0.5, 0.12], [0.68, 0.36 + v(0.08, dice)], [0.42, 0.56], [0.12, 0.44]]),
        ),
    };
    let rim = Paint::plain(livery.dark);
    let spots = dice.chance(0.65);
    let spot = (dice.range(0.35, 0.65), dice.range(-0.5, -0.3), dice.range(0.07, 0.13));
    for (side, wide) in sides.into_iter().enumerate() {
        let mut wing = Figure::default();
        for (outline, paint) in [(&lower, livery.second), (&upper, livery.main)] {
            wing.round(outline.clone(), rim, 0.05);
            // The coloured field stays inside a dark rim.
            let inner = Affine::scale(0.86, 0.86).moved(0.035, 0.0);
            wing.round(outline.iter().map(|&p| inner.apply(p)).collect(), paint, 0.12);
        }
        if spots {
            wing.flat(
                ellipse(spot.0, spot.1 * if fine == 2 { 0.2 } else { 1.0 }, spot.2, spot.2),
                livery.light,
            );
            wing.flat(ellipse(0.42, 0.34, spot.2 * 0.7, spot.2 * 0.7), livery.accent);
        }
        figure.add(wing, Affine::scale(if side == 0 { wide } else { -wide }, 1.0));
    }
    let thick = if fine == 2 { 0.11 } else { 0.07 };
    let body = if dice.chance(0.5) { livery.dark } else { scale(livery.accent, 0.6) };
    figure.round(ellipse(0.0, 0.12, thick, 0.38), Paint::plain(body), 0.08);
    figure.round(ellipse(0.0, -0.3, thick * 1.1, 0.1), Paint::plain(body), 0.06);
    let feeler = stroke(&curve(&[[0.03, -0.36], [0.1, -0.6], [0.26, -0.8 + v(0.06, dice)]]), 0.045, 0.03);
    for antenna in [mirrored(&feeler), feeler] {
        figure.flat(antenna, livery.dark);
    }
    figure
}
