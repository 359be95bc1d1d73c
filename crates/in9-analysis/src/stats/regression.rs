//! Simple linear regression with intervals.

use super::Interval;
use super::special::t_quantile;
use serde::Serialize;

/// Least-squares line through points, with Student's t intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Change of y for a change of one in x.
    pub slope: Interval,
    /// y at x = 0.
    pub intercept: Interval,
    /// Coefficient of determination, `0..=1`.
    pub r_squared: f64,
    /// Number of points.
    pub points: usize,
    mean_x: f64,
    spread_x: f64,
    residual: f64,
    t: f64,
}

impl Line {
    /// The line's y at `x`, with the interval of the mean response.
    pub fn at(&self, x: f64) -> Interval {
        let y = self.intercept.value + self.slope.value * x;
        let lever = 1.0 / self.points as f64 + (x - self.mean_x).powi(2) / self.spread_x;
        let half = self.t * self.residual * lever.sqrt();
        Interval::new(y, y - half, y + half)
    }
}

/// Fits a line to `(x, y)` points; `None` for fewer than three points or no spread in x.
///
/// ```
/// let line = in9_analysis::stats::regression::fit(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)], 0.95).unwrap();
/// assert_eq!(line.slope.value, 2.0);
/// assert_eq!(line.at(3.0).value, 7.0);
/// ```
pub fn fit(points: &[(f64, f64)], level: f64) -> Option<Line> {
    if points.len() < 3 {
        return None;
    }
    let n = points.len() as f64;
    let mean_x = points.iter().map(|p| p.0).sum::<f64>() / n;
    let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
    let sxx: f64 = points.iter().map(|p| (p.0 - mean_x).powi(2)).sum();
    let sxy: f64 = points.iter().map(|p| (p.0 - mean_x) * (p.1 - mean_y)).sum();
    let syy: f64 = points.iter().map(|p| (p.1 - mean_y).powi(2)).sum();
    if sxx <= 0.0 {
        return None;
    }
    let slope = sxy / sxx;
    let intercept = mean_y - slope * mean_x;
    let sse: f64 = points.iter().map(|p| (p.1 - intercept - slope * p.0).powi(2)).sum();
    let residual = (sse / (n - 2.0)).sqrt();
    let t = t_quantile(0.5 + level / 2.0, n - 2.0);
    let half_slope = t * residual / sxx.sqrt();
    let half_intercept = t * residual * (1.0 / n + mean_x * mean_x / sxx).sqrt();
    Some(Line {
        slope: Interval::new(slope, slope - half_slope, slope + half_slope),
        intercept: Interval::new(intercept, intercept - half_intercept, intercept + half_intercept),
        r_squared: if syy > 0.0 { 1.0 - sse / syy } else { 1.0 },
        points: points.len(),
        mean_x,
        spread_x: sxx,
        residual,
        t,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_points_or_no_spread() {
        assert!(fit(&[(0.0, 1.0), (1.0, 2.0)], 0.95).is_none());
        assert!(fit(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)], 0.95).is_none());
    }

    #[test]
    fn band_is_narrowest_at_the_mean() {
        let line = fit(&[(0.0, 0.0), (1.0, 1.5), (2.0, 1.8), (3.0, 3.1)], 0.95).unwrap();
        assert!(line.at(1.5).width() < line.at(0.0).width());
        assert!(line.slope.contains(1.0));
    }
}
