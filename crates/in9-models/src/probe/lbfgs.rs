//! Minimising a smooth function of many variables: L-BFGS (Nocedal and Wright 2006, *Numerical Optimization*, algorithm 7.5)
//! with a line search that halves and doubles its way to the weak Wolfe conditions (Lewis and Overton 2013).

use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const REMEMBERED: usize = 10;
/// How much of the promised decrease a step has to bring.
const DECREASE: f64 = 1e-4;
/// How much of its slope may be left.
const SLOPE: f64 = 0.9;
/// Trials of a line search.
const TRIALS: usize = 50;

/// What is minimised: from a place to the value and the gradient there.
type Function<'a> = &'a dyn Fn(&[f64]) -> (f64, Vec<f64>);

/// Where a minimisation ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub(super) x: Vec<f64>,
    pub(super) value: f64,
    /// Largest element of the gradient.
    pub(super) gradient: f64,
    pub(super) steps: usize,
}

/// Goes down from `start` until no element of the gradient is above `tolerance`, for at most `most` steps; it ends earlier
/// where rounding hides every further decrease.
pub(super) fn minimise(start: Vec<f64>, tolerance: f64, most: usize, f: Function<'_>) -> Minimum {
    let (mut x, mut steps) = (start, 0);
    let (mut value, mut gradient) = f(&x);
    let mut memory: VecDeque<Curvature> = VecDeque::new();
    while largest(&gradient) > tolerance && steps < most {
        let mut direction = descent(&gradient, &memory);
        let mut slope = dot(&gradient, &direction);
        if slope.is_nan() || slope >= 0.0 {
            // Rounding has spoilt what was remembered.
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&gradient, &direction);
        }
        // Nothing is known of the curvature at first.
        let first = if memory.is_empty() { 1.0 / slope.abs().sqrt().max(1.0) } else { 1.0 };
        let Some(next) = search(&x, value, slope, &direction, first, f) else { break };
        let step: Vec<f64> = next.x.iter().zip(&x).map(|(a, b)| a - b).collect();
        let turn: Vec<f64> = next.gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let product = dot(&step, &turn);
        if product > 0.0 {
            memory.push_back(Curvature { step, turn, inverse: 1.0 / product });
            if memory.len() > REMEMBERED {
                memory.pop_front();
            }
        }
        (x, value, gradient) = (next.x, next.value, next.gradient);
        steps += 1;
    }
    Minimum { gradient: largest(&gradient), x, value, steps }
}

/// What a step told about the curvature along it.
struct Curvature {
    step: Vec<f64>,
    /// By how much the gradient changed.
    turn: Vec<f64>,
    /// One over the product of both.
    inverse: f64,
}

struct Point {
    x: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// The direction of the next step: the gradient, turned and stretched by what is remembered, and reversed.
fn descent(gradient: &[f64], memory: &VecDeque<Curvature>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for Curvature { step, turn, inverse } in memory.iter().rev() {
        let share = inverse * dot(step, &direction);
        add(&mut direction, turn, -share);
        shares.push(share);
    }
    if let Some(Curvature { turn, inverse, .. }) = memory.back() {
        let scale = 1.0 / (inverse * dot(turn, turn));
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (Curvature { step, turn, inverse }, share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = inverse * dot(turn, &direction);
        add(&mut direction, step, share - other);
    }
    direction
}

/// A point along `direction` that is enough lower and less steep; `None` if rounding hides it.
fn search(
    x: &[f64],
    value: f64,
    slope: f64,
    direction: &[f64],
    first: f64,
    f: Function<'_>,
) -> Option<Point> {
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, first);
    for _ in 0..TRIALS {
        let mut at = x.to_vec();
        add(&mut at, direction, length);
        let (there, gradient) = f(&at);
        let left = dot(&gradient, direction);
        // Where the value cannot fall visibly any more, the slope tells whether this is downhill.
        let enough = there <= value + DECREASE * length * slope
            || (there - value).abs() <= 1e-14 * value.abs() && left.abs() <= SLOPE * slope.abs();
        if !enough {
            high = length;
        } else if left < SLOPE * slope {
            low = length;
        } else {
            return Some(Point { x: at, value: there, gradient });
        }
        length = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * low };
    }
    None
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |most, x| x.abs().max(most))
}

/// Eight sums side by side, so that several products are made at once.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a, b) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.0.iter().zip(b.0) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// `a += b · by`.
pub(super) fn add(a: &mut [f64], b: &[f64], by: f64) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b * by);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_valley_is_followed_to_its_end() {
        let rosenbrock = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
        };
        let found = minimise(vec![-1.2, 1.0], 1e-10, 200, &rosenbrock);
        assert!(found.steps < 100 && found.gradient <= 1e-10, "{found:?}");
        assert!(found.x.iter().all(|x| (x - 1.0).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn curvatures_that_differ_a_thousandfold_are_found() {
        let scales: Vec<f64> = (0..20).map(|i| 10f64.powf(f64::from(i) * 3.0 / 19.0)).collect();
        let bowl = |x: &[f64]| {
            let gradient: Vec<f64> = x.iter().zip(&scales).map(|(x, s)| s * (x - 1.0)).collect();
            (x.iter().zip(&gradient).map(|(x, g)| 0.5 * g * (x - 1.0)).sum(), gradient)
        };
        let found = minimise(vec![0.0; 20], 1e-8, 1000, &bowl);
        assert!(found.gradient <= 1e-8, "{found:?}");
        let cut = minimise(vec![0.0; 20], 1e-8, 3, &bowl);
        assert!(cut.steps == 3 && cut.gradient > 1e-8 && cut.value < bowl(&[0.0; 20]).0, "{cut:?}");
    }
}
