//! What trainings of one configuration differ by, and how well that is known.

use super::study::squares;

/// What trainings differ by, over all configurations that were trained more than once.
#[derive(Default)]
pub(super) struct BetweenTrainings {
    /// Variance of the figure as it is seen between them.
    pub(super) between: f64,
    /// The part of it that the interaction of photographs and trainings makes.
    pub(super) crossed: f64,
    /// Squares of `between` over their degrees of freedom.
    uncertain: f64,
    /// Degrees of freedom of all of them, and the fewest of one configuration.
    df: f64,
    fewest: f64,
}

impl BetweenTrainings {
    /// Of each group of trainings the parts `[training][photograph]` of a figure on `n` photographs.
    pub(super) fn of(groups: &[Vec<Vec<f64>>], n: usize) -> Self {
        let mut all = Self { fewest: f64::INFINITY, ..Self::default() };
        for group in groups.iter().filter(|group| group.len() > 1) {
            let (between, crossed) = between(group, n);
            let df = group.len() as f64 - 1.0;
            all.between += between;
            all.crossed += crossed;
            all.uncertain += between.powi(2) / df;
            all.df += df;
            all.fewest = all.fewest.min(df);
        }
        all
    }

    /// Satterthwaite's degrees of freedom of `variance`: its square over the squares of the mean squares over theirs.
    ///
    /// What a few trainings differ by is often far too small by chance, and then seems to matter little and to be known
    /// well. `1 + 1/df` makes up for it; `LEVELS.md` shows what it does.
    pub(super) fn df(&self, variance: f64, photographs: f64) -> f64 {
        let trainings = if self.df > 0.0 { self.uncertain * (1.0 + 1.0 / self.df) } else { 0.0 };
        let uncertain = photographs + trainings;
        let fewest = if self.fewest.is_finite() { self.fewest } else { 1.0 };
        if uncertain > 0.0 { (variance.powi(2) / uncertain).max(fewest) } else { f64::INFINITY }
    }
}

/// Variance of the mean over trainings as it is seen between them, and the part of it that the photographs' and the
/// trainings' interaction makes.
fn between(group: &[Vec<f64>], n: usize) -> (f64, f64) {
    let (trainings, many) = (group.len() as f64, n as f64);
    let each: Vec<f64> = group.iter().map(|training| training.iter().sum()).collect();
    let mean = each.iter().sum::<f64>() / trainings;
    let mut crossed = 0.0;
    for i in 0..n {
        let photograph = group.iter().map(|training| training[i]).sum::<f64>() / trainings;
        let rest = |(training, sum): (&Vec<f64>, &f64)| training[i] - sum / many - photograph + mean / many;
        crossed += group.iter().zip(&each).map(|pair| rest(pair).powi(2)).sum::<f64>();
    }
    let over = trainings * (trainings - 1.0);
    (squares(&each) / over, crossed * many / (many - 1.0) / over)
}
