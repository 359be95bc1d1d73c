//! Worlds whose truth is known at every level: each answer is right by a chance that the photograph, the background, the
//! training and the view shift.

use in9_analysis::levels::{Column, Study};
use in9_base::rng::{below, stream, unit};
use rand_chacha::ChaCha8Rng;

/// What varies in a world, as standard deviations of the logarithm of the odds of a right answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    pub(crate) trainings: usize,
    pub(crate) photographs: usize,
    /// Backgrounds of each photograph on each view.
    pub(crate) pairings: usize,
    pub(crate) between_photographs: f64,
    pub(crate) between_trainings: f64,
    pub(crate) between_backgrounds: f64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            trainings: 5,
            photographs: 300,
            pairings: 1,
            between_photographs: 0.0,
            between_trainings: 0.0,
            between_backgrounds: 0.0,
        }
    }
}

/// Logarithms of odds of the four columns: two configurations on mixed-same and on mixed-rand.
const EASE: [f64; 4] = [1.4, 0.4, 1.0, 0.9];

impl World {
    /// True mean of each column, over all photographs, backgrounds and trainings.
    pub(crate) fn truth(&self) -> Vec<f64> {
        // All shifts together are normal.
        let spread = (self.between_photographs.powi(2)
            + self.between_backgrounds.powi(2)
            + 2.0 * self.between_trainings.powi(2))
        .sqrt();
        EASE.iter().map(|ease| mean(*ease, spread)).collect()
    }

    /// A draw of everything.
    pub(crate) fn draw(&self, number: u64) -> Study {
        let mut random = stream(7, "levels", number, 0);
        let shifts = |spread: f64, n: usize, random: &mut ChaCha8Rng| -> Vec<f64> {
            (0..n).map(|_| spread * normal(random)).collect()
        };
        let photographs = shifts(self.between_photographs, self.photographs, &mut random);
        // About as many backgrounds as photographs, as each is one's own.
        let backgrounds = shifts(self.between_backgrounds, self.photographs, &mut random);
        let mut columns = Vec::new();
        for group in 0..2 {
            // A training shifts all views, and each view by itself, so that gaps vary between trainings too.
            let common = shifts(self.between_trainings, self.trainings, &mut random);
            for view in 0..2 {
                let own = shifts(self.between_trainings, self.trainings, &mut random);
                let drawn: Vec<Vec<u32>> = (0..self.photographs)
                    .map(|_| {
                        (0..self.pairings).map(|_| below(&mut random, self.photographs as u32)).collect()
                    })
                    .collect();
                let mut values = vec![vec![0.0; self.photographs]; self.trainings];
                let mut draws: Vec<Vec<(u32, f64)>> =
                    drawn.iter().map(|list| list.iter().map(|b| (*b, 0.0)).collect()).collect();
                for (t, training) in values.iter_mut().enumerate() {
                    for (i, value) in training.iter_mut().enumerate() {
                        for (at, b) in drawn[i].iter().enumerate() {
                            let odds = EASE[2 * group + view]
                                + photographs[i]
                                + backgrounds[*b as usize]
                                + common[t]
                                + own[t];
                            let right = f64::from(u8::from(f64::from(unit(&mut random)) < logistic(odds)));
                            *value += right / self.pairings as f64;
                            draws[i][at].1 += right / self.trainings as f64;
                        }
                    }
                }
                columns.push(Column { group, values, draws });
            }
        }
        Study { classes: vec![0; self.photographs], columns }
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Mean of the logistic function over a normal variable, by the trapezoid rule.
fn mean(centre: f64, spread: f64) -> f64 {
    let (steps, reach) = (4000, 9.0);
    let weight = |z: f64| (-z * z / 2.0).exp();
    let points = (0..=steps).map(|k| -reach + 2.0 * reach * f64::from(k) / f64::from(steps));
    let (sum, all) =
        points.fold((0.0, 0.0), |(s, a), z| (s + weight(z) * logistic(centre + spread * z), a + weight(z)));
    sum / all
}

/// A standard normal number.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (a, b) = (f64::from(unit(random)).max(1e-7), f64::from(unit(random)));
    (-2.0 * a.ln()).sqrt() * (2.0 * std::f64::consts::PI * b).cos()
}
