//! Rockets, nose up, some with their engines lit.

use crate::colour::{mix, scale};
use crate::dice::Dice;
use crate::figure::Figure;
use crate::outline::{Outline, ellipse, mirrored, rounded, smooth};
use crate::paint::{Livery, Paint};

/// 0 slim rocket, 1 stout rocket, 2 booster rocket (two side tanks).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let (wide, foot) = match fine {
        0 => (dice.range(0.22, 0.3), 0.62),
        1 => (dice.range(0.42, 0.52), 0.5),
        _ => (dice.range(0.22, 0.28), 0.62),
    };
    if dice.chance(0.6) {
        let reach = dice.range(0.2, 0.42);
        flame(&mut figure, 0.0, foot, wide * 0.75, reach);
        if fine == 2 {
            flame(&mut figure, wide * 1.75, foot, wide * 0.5, reach * 0.7);
            flame(&mut figure, -wide * 1.75, foot, wide * 0.5, reach * 0.7);
        }
    }
    let fin_out = if fine == 2 { 0.62 } else { wide + dice.range(0.22, 0.34) };
    let fin_top = dice.range(0.0, 0.25);
    let fin: Outline = vec![
        [wide * 0.7, fin_top],
        [fin_out, foot - 0.05],
        [fin_out * 0.98, foot + 0.14],
        [wide * 0.6, foot],
    ];
    if fine != 2 {
        figure.round_pair(fin, livery.second, 0.08);
    } else {
        let tall = dice.range(0.75, 0.95);
        let tank: Outline = smooth(&[
            [wide * 1.75, foot - tall - 0.12],
            [wide * 2.3, foot - tall + 0.16],
            [wide * 2.35, foot - 0.1],
            [wide * 2.1, foot],
            [wide * 1.4, foot],
            [wide * 1.2, foot - 0.1],
            [wide * 1.2, foot - tall + 0.16],
        ]);
        figure.round_pair(tank, livery.second, 0.16);
    }
    figure.flat(rounded(0.0, foot + 0.02, wide * 1.2, 0.16, 0.04), scale(livery.dark, 1.3));
    let shoulder = if fine == 1 { -0.1 } else { -0.35 };
    let hull = smooth(&[
        [0.0, -1.0],
        [wide * 0.62, -0.72],
        [wide, shoulder],
        [wide * 1.02, 0.15],
        [wide * 0.75, foot],
        [-wide * 0.75, foot],
        [-wide * 1.02, 0.15],
        [-wide, shoulder],
        [-wide * 0.62, -0.72],
    ]);
    figure.round(hull, livery.main, 0.24);
    if dice.chance(0.7) {
        let tip: Outline = smooth(&[
            [0.0, -1.0],
            [wide * 0.62, -0.7],
            [wide * 0.3, -0.66],
            [-wide * 0.3, -0.66],
            [-wide * 0.62, -0.7],
        ]);
        figure.round(tip, livery.second, 0.12);
    }
    let glass = mix(livery.light, [0.5, 0.7, 0.85], 0.5);
    let size = wide * if fine == 1 { 0.42 } else { 0.5 };
    for k in 0..1 + dice.index(2) {
        let y = shoulder + 0.05 + k as f32 * size * 2.7;
        figure.round(ellipse(0.0, y, size * 1.3, size * 1.3), Paint::plain(scale(livery.dark, 1.6)), 0.03);
        figure.round(ellipse(0.0, y, size, size), Paint::plain(glass), 0.06);
    }
    if fine == 0 || dice.chance(0.4) {
        figure.round(
            vec![[-0.045, 0.12], [0.045, 0.12], [0.045, foot + 0.12], [-0.045, foot + 0.12]],
            livery.second,
            0.03,
        );
    }
    figure
}

/// A flame below an engine: an outer and an inner tongue.
fn flame(figure: &mut Figure, x: f32, top: f32, half: f32, reach: f32) {
    let tongue = |k: f32| {
        smooth(&[
            [x, top],
            [x + half * k, top + 0.08],
            [x + half * 0.5 * k, top + reach * 0.6 * k],
            [x, top + reach * k + 0.06],
            [x - half * 0.5 * k, top + reach * 0.6 * k],
            [x - half * k, top + 0.08],
        ])
    };
    figure.glow(tongue(1.0), [1.0, 0.55, 0.15]);
    figure.glow(mirrored(&mirrored(&tongue(0.6))), [1.0, 0.92, 0.6]);
}
