//! Penguins, upright, looking to the right or at the camera.

use crate::colour::{hex, mix, scale};
use crate::dice::Dice;
use crate::figure::Figure;
use crate::outline::{curve, ellipse, smooth, stroke};
use crate::paint::{Livery, Paint};

/// 0 emperor penguin (tall), 1 chick (round, large head), 2 rockhopper (crest).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let facing = dice.pick(&[0.0, 0.12, 0.22]) + dice.bell() * 0.03;
    let (wide, head, shoulder) = match fine {
        0 => (dice.range(0.42, 0.5), dice.range(0.24, 0.28), -0.4),
        1 => (dice.range(0.56, 0.66), dice.range(0.36, 0.42), -0.12),
        _ => (dice.range(0.46, 0.55), dice.range(0.28, 0.33), -0.3),
    };
    let beak = mix(livery.accent, hex(0xf0a030), 0.5);
    for x in [-0.22, 0.22] {
        figure.round(
            smooth(&[
                [x + facing * 0.3 - 0.2, 0.98],
                [x + facing * 0.3 - 0.08, 0.84],
                [x + facing * 0.3 + 0.1, 0.84],
                [x + facing * 0.3 + 0.22, 0.98],
            ]),
            Paint::plain(beak),
            0.05,
        );
    }
    // Flippers: hanging, spread or raised; the far one behind the body.
    let lift = dice.range(-0.15, 0.75);
    let flipper = |side: f32, lift: f32| {
        let root = [side * wide * 0.78, shoulder + 0.12];
        let tip = [side * (wide + 0.16 + lift * 0.28), shoulder + 0.78 - lift * 0.75];
        stroke(
            &curve(&[root, [(root[0] + tip[0]) * 0.5 + side * 0.06, (root[1] + tip[1]) * 0.5], tip]),
            0.24,
            0.07,
        )
    };
    figure.round(flipper(-1.0, (lift + dice.bell() * 0.3).clamp(-0.15, 0.9)), livery.main.shaded(0.85), 0.08);
    let body = smooth(&[
        [0.0, shoulder - 0.22],
        [wide * 0.72, shoulder],
        [wide, 0.3],
        [wide * 0.8, 0.78],
        [0.0, 0.93],
        [-wide * 0.8, 0.78],
        [-wide, 0.3],
        [-wide * 0.72, shoulder],
    ]);
    figure.round(body, livery.main, 0.32);
    let belly = if dice.chance(0.7) { Paint::plain(livery.light) } else { livery.second };
    let narrow = wide * (0.72 - facing * 0.6);
    let off = facing * 0.75;
    figure.round(
        smooth(&[
            [off, shoulder - 0.02],
            [off + narrow * 0.75, shoulder + 0.25],
            [off + narrow, 0.4],
            [off + narrow * 0.6, 0.8],
            [off - narrow * 0.6, 0.8],
            [off - narrow, 0.4],
            [off - narrow * 0.75, shoulder + 0.25],
        ]),
        belly,
        0.14,
    );
    figure.round(flipper(1.0, lift), livery.main.shaded(0.9), 0.08);
    let (hx, hy) = (facing * 0.35, shoulder - 0.1 - head * 0.75);
    figure.round(ellipse(hx, hy, head * 1.05, head), livery.main, 0.2);
    // Face: cheeks, eyes, beak; a side view shows one eye and a long beak.
    let side_on = facing > 0.17;
    let cheek = if fine == 0 { Paint::plain(livery.accent) } else { belly };
    if fine != 2 {
        figure.round(ellipse(hx + facing * 0.5, hy + head * 0.18, head * 0.66, head * 0.58), cheek, 0.08);
    }
    let eye = head * 0.17;
    let eyes: &[f32] = if side_on { &[0.35] } else { &[-0.36, 0.44] };
    for &at in eyes {
        let x = hx + at * head + facing * 0.25;
        figure.flat(ellipse(x, hy - head * 0.12, eye * 1.35, eye * 1.45), livery.light);
        figure.flat(ellipse(x + 0.01, hy - head * 0.1, eye * 0.8, eye * 0.9), livery.dark);
    }
    let bx = hx + if side_on { head * 0.8 } else { facing * 0.9 + 0.02 };
    let beak_shape = if side_on {
        smooth(&[[bx - 0.05, hy - 0.06], [bx + 0.26, hy + 0.06], [bx - 0.05, hy + 0.13]])
    } else {
        smooth(&[
            [bx - 0.09, hy + 0.04],
            [bx, hy - 0.02],
            [bx + 0.09, hy + 0.04],
            [bx + facing * 0.4, hy + 0.22],
        ])
    };
    figure.round(beak_shape, Paint::plain(beak), 0.04);
    if fine == 2 {
        for (k, side) in [-1.0f32, 1.0, -1.0, 1.0].into_iter().enumerate() {
            let spread = if k < 2 { 0.34 } else { 0.18 };
            let path = curve(&[
                [hx + side * head * 0.5, hy - head * 0.5],
                [hx + side * (head * 0.8 + spread * 0.4), hy - head * 0.95],
                [hx + side * (head * 0.8 + spread), hy - head * (1.0 + spread)],
            ]);
            figure.flat(stroke(&path, 0.1, 0.03), scale(livery.accent, 1.0));
        }
    }
    figure
}
