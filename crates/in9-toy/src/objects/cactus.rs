//! Cacti: ribbed columns, globes and pads, now and then in flower.

use crate::colour::{mix, scale};
use crate::dice::Dice;
use crate::figure::Figure;
use crate::maths::{Affine, cos_turns, sin_turns};
use crate::outline::{curve, ellipse, rounded, smooth, stroke};
use crate::paint::{Livery, Paint, Pattern};

/// 0 saguaro (column with arms), 1 barrel cactus (globe), 2 prickly pear (pads).
pub(crate) fn draw(fine: usize, livery: &Livery, dice: &mut Dice) -> Figure {
    let mut figure = Figure::default();
    let ground = livery.main.ground;
    // Ribs, unless the livery brings a pattern of its own.
    let skin = if livery.main.pattern == Pattern::Plain {
        Paint::bands(ground, mix(ground, scale(livery.dark, 1.4), 0.35), 0.0, dice.range(5.0, 8.0))
    } else {
        livery.main
    };
    match fine {
        0 => {
            let width = dice.range(0.3, 0.4);
            for side in [-1.0f32, 1.0] {
                if side > 0.0 && dice.chance(0.12) {
                    continue;
                }
                let out = side * dice.range(0.48, 0.66);
                let (elbow, tip) = (dice.range(-0.05, 0.4), dice.range(-0.65, -0.25));
                let thick = width * dice.range(0.6, 0.8);
                let path = curve(&[
                    [0.0, elbow + 0.04],
                    [out * 0.6, elbow + 0.05],
                    [out * 0.97, elbow - 0.12],
                    [out, tip],
                ]);
                figure.round(stroke(&path, thick, thick), skin.shaded(0.93), 0.14);
                figure.round(ellipse(out, tip, thick * 0.5, thick * 0.5), skin.shaded(0.93), 0.14);
            }
            figure.round(rounded(0.0, 0.0, width, 2.0, width * 0.5), skin, 0.22);
            if dice.chance(0.35) {
                flower(&mut figure, 0.0, -1.0, 0.14, livery);
            }
        }
        1 => {
            let tall = dice.range(0.72, 0.95);
            let ribs = 9;
            let mut outline = Vec::new();
            // A scalloped rim shows the ribs in the silhouette.
            for i in 0..ribs * 8 {
                let t = i as f32 / (ribs * 8) as f32;
                let r = 0.95 + 0.045 * sin_turns(t * ribs as f32 * 1.5);
                outline.push([0.86 * r * cos_turns(t), tall * r * sin_turns(t)]);
            }
            figure.round(outline, Paint::plain(ground), 0.55);
            for k in -3i32..=3 {
                let x = k as f32 / 3.6;
                let bow = x * 0.82;
                let path = curve(&[
                    [bow * 0.45, -tall * 0.86],
                    [bow, -tall * 0.3],
                    [bow, tall * 0.3],
                    [bow * 0.55, tall * 0.84],
                ]);
                figure.round(stroke(&path, 0.05, 0.08), Paint::plain(mix(ground, livery.dark, 0.45)), 0.0);
            }
            let spread = dice.range(0.22, 0.4);
            for k in -1..=1 {
                if dice.chance(0.8) {
                    flower(&mut figure, k as f32 * spread, -tall * 0.93, dice.range(0.12, 0.19), livery);
                }
            }
        }
        _ => {
            let mut pads = vec![(0.0f32, 0.62f32, 0.0f32, 0.42f32)];
            let splay = dice.range(0.09, 0.14);
            pads.push((-0.42, 0.0, -splay, 0.38));
            pads.push((0.42, 0.02, splay, dice.range(0.3, 0.4)));
            if dice.chance(0.8) {
                pads.push((dice.range(-0.15, 0.15), -0.22, dice.bell() * 0.04, 0.34));
            }
            if dice.chance(0.7) {
                pads.push((0.66 * dice.sign(), -0.56, dice.bell() * 0.08, 0.27));
            }
            let tops: Vec<(f32, f32, f32)> = pads.iter().skip(1).map(|p| (p.0, p.1, p.3)).collect();
            for (x, y, turn, size) in pads {
                let pad = smooth(&[
                    [0.0, size],
                    [-size * 0.62, size * 0.3],
                    [-size * 0.66, -size * 0.5],
                    [0.0, -size],
                    [size * 0.66, -size * 0.5],
                    [size * 0.62, size * 0.3],
                ]);
                let mut piece = Figure::default();
                piece.round(pad, skin, 0.2);
                for (dx, dy) in [(-0.25, -0.4), (0.25, -0.45), (0.0, 0.0), (-0.22, 0.35), (0.24, 0.3)] {
                    piece.flat(ellipse(dx * size, dy * size, 0.03, 0.03), livery.light);
                }
                figure.add(piece, Affine::turn(turn).moved(x, y));
            }
            for (x, y, size) in tops {
                if dice.chance(0.5) {
                    flower(&mut figure, x, y - size, 0.1, livery);
                }
            }
        }
    }
    figure
}

/// A flower of five petals.
fn flower(figure: &mut Figure, x: f32, y: f32, r: f32, livery: &Livery) {
    for k in 0..5 {
        let t = k as f32 / 5.0 + 0.05;
        figure.round(
            ellipse(x + r * 0.6 * cos_turns(t), y + r * 0.6 * sin_turns(t), r * 0.5, r * 0.5),
            Paint::plain(livery.accent),
            0.04,
        );
    }
    figure.flat(ellipse(x, y, r * 0.35, r * 0.35), livery.light);
}
