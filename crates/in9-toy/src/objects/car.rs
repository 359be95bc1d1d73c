//! Vehicles from the side, facing right.

use crate::colour::{Rgb, mix, scale};
use crate::dice::Dice;
use crate::figure::Figure;
use crate::outline::{Outline, ellipse, rounded, smooth};
use crate::paint::{Livery, Paint};

/// 0 saloon car, 1 bus, 2 lorry.
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let glass = mix(livery.light, [0.45, 0.62, 0.75], dice.range(0.3, 0.9));
    let wheel = dice.range(0.19, 0.25);
    let floor = 0.5;
    match fine {
        0 => {
            let (front, back) = (dice.range(0.3, 0.5), dice.range(-0.7, -0.4));
            let roof = dice.range(-0.5, -0.38);
            let cabin = smooth(&[
                [back - 0.15, 0.02],
                [back + 0.02, roof + 0.12],
                [back + 0.25, roof],
                [front - 0.3, roof],
                [front - 0.05, roof + 0.15],
                [front + 0.22, 0.02],
                [0.0, 0.1],
            ]);
            figure.round(cabin, livery.main, 0.12);
            let middle = (back + front) * 0.5;
            figure.flat(pane(back + 0.04, roof + 0.09, middle - 0.05, 0.0, 0.1, 0.0), glass);
            figure.flat(pane(middle + 0.03, roof + 0.09, front + 0.08, 0.0, 0.0, 0.16), glass);
            let body = smooth(&[
                [-0.98, 0.1],
                [-0.9, -0.02],
                [-0.4, -0.04],
                [0.4, -0.04],
                [0.82, 0.04],
                [0.99, 0.2],
                [0.98, 0.42],
                [0.6, 0.48],
                [-0.6, 0.48],
                [-0.98, 0.42],
            ]);
            figure.round(body, livery.main, 0.16);
            figure.flat(rounded(0.0, 0.3, 1.5, 0.05, 0.02), scale(livery.main.ground, 0.6));
            lamps(&mut figure, 0.93, 0.2, -0.95, 0.18, livery);
            wheels(&mut figure, &[-0.56, 0.58], floor, wheel, livery);
        }
        1 => {
            let roof = dice.range(-0.72, -0.55);
            figure.round(rounded(0.0, (roof + 0.46) * 0.5, 1.96, 0.46 - roof, 0.13), livery.main, 0.16);
            if dice.chance(0.7) {
                figure.flat(rounded(0.0, 0.22, 1.94, dice.range(0.08, 0.2), 0.02), livery.second.ground);
            }
            let panes = 4 + dice.index(2);
            let pitch = 1.55 / panes as f32;
            for k in 0..panes {
                figure.flat(
                    rounded(-0.82 + pitch * (k as f32 + 0.5), roof + 0.32, pitch * 0.78, 0.34, 0.04),
                    glass,
                );
            }
            figure.flat(rounded(0.86, roof + 0.36, 0.18, 0.44, 0.05), scale(glass, 1.1));
            lamps(&mut figure, 0.95, 0.32, -0.95, 0.3, livery);
            wheels(&mut figure, &[-0.56, 0.56], floor, wheel, livery);
        }
        _ => {
            let (top, nose) = (dice.range(-0.78, -0.5), dice.range(0.36, 0.5));
            figure.flat(rounded(0.0, 0.42, 1.85, 0.14, 0.04), livery.dark);
            figure.round(
                rounded((nose - 1.0) * 0.5 - 0.02, (top + 0.36) * 0.5, nose + 0.94, 0.36 - top, 0.05),
                livery.second,
                0.12,
            );
            let cab = smooth(&[
                [nose + 0.03, 0.44],
                [nose + 0.03, -0.26],
                [nose + 0.1, -0.34],
                [0.76, -0.32],
                [0.9, -0.02],
                [0.98, 0.1],
                [0.98, 0.44],
            ]);
            figure.round(cab, livery.main, 0.12);
            figure.flat(pane(nose + 0.14, -0.25, 0.88, 0.02, 0.0, 0.14), glass);
            lamps(&mut figure, 0.94, 0.26, -0.97, 0.3, livery);
            wheels(&mut figure, &[-0.62, -0.14 + dice.range(-0.1, 0.05), 0.68], floor, wheel * 0.92, livery);
        }
    }
    figure
}

/// A window: a rectangle whose top edge is drawn in at the left and at the right.
fn pane(x0: f32, y0: f32, x1: f32, y1: f32, left: f32, right: f32) -> Outline {
    vec![[x0 + left, y0], [x1 - right, y0], [x1, y1], [x0, y1]]
}

/// Head lamp and tail lamp.
fn lamps(figure: &mut Figure, hx: f32, hy: f32, tx: f32, ty: f32, livery: &Livery) {
    let lit: Rgb = mix(livery.light, [1.0, 0.95, 0.7], 0.6);
    figure.glow(ellipse(hx, hy, 0.05, 0.06), lit);
    figure.glow(rounded(tx, ty, 0.06, 0.12, 0.02), [0.85, 0.2, 0.15]);
}

/// Tyres with hubs, in dark arches.
fn wheels(figure: &mut Figure, at: &[f32], floor: f32, radius: f32, livery: &Livery) {
    for &x in at {
        figure.flat(ellipse(x, floor - 0.04, radius * 1.15, radius * 1.1), scale(livery.dark, 0.6));
        figure.round(ellipse(x, floor, radius, radius), Paint::plain(livery.dark), 0.06);
        figure.round(ellipse(x, floor, radius * 0.52, radius * 0.52), Paint::plain(livery.light), 0.05);
        figure.flat(ellipse(x, floor, radius * 0.16, radius * 0.16), livery.dark);
    }
}
