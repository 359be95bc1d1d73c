//! From data to pixels, and where the ticks go.

use in9_analysis::stats::Interval;

/// Values further from zero than this are left out of a chart's range: differences of them would be infinite.
const LARGEST: f64 = 1e300;

/// Whether a value can be drawn to scale.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// An interval in the words of a tip: the limits only if there are any.
pub(crate) fn tip(i: &Interval) -> String {
    if i.low.is_nan() || i.high.is_nan() {
        return format!("{:.1}", i.value);
    }
    format!("{:.1} [{:.1}, {:.1}]", i.value, i.low, i.high)
}

/// A linear scale from a data range to a pixel range (which may run backwards).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    /// Data range.
    pub(crate) domain: (f64, f64),
    /// Pixel range.
    pub(crate) range: (f64, f64),
}

impl Scale {
    /// A scale; an empty domain is widened by one so that it can be divided by.
    pub(crate) fn new(domain: (f64, f64), range: (f64, f64)) -> Self {
        let domain = if domain.1 > domain.0 { domain } else { (domain.0, domain.0 + 1.0) };
        Self { domain, range }
    }

    /// Pixel of a value; values outside the domain are drawn at its edge.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (low, high) = self.domain;
        let share = (value.clamp(low, high) - low) / (high - low);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// About `count` round values inside the domain.
    pub(crate) fn ticks(&self, count: usize) -> Vec<f64> {
        let step = round_step((self.domain.1 - self.domain.0) / count.max(1) as f64);
        let first = (self.domain.0 / step - 1e-9).ceil() as i64;
        let last = (self.domain.1 / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `raw`.
fn round_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let candidates = [1.0, 2.0, 2.5, 5.0, 10.0];
    let factor = candidates.into_iter().find(|c| c * power >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// A range around values that begins and ends on round numbers.
pub(crate) fn nice_range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|v| is_drawable(*v))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let step = round_step(((high - low) / 5.0).max(1e-9));
    ((low / step).floor() * step, (high / step).ceil() * step)
}

/// A tick label: as few decimals as the value needs, at most three; a power of ten from a thousand million up.
pub(crate) fn tick_label(value: f64) -> String {
    if value.abs() >= 1e9 {
        return format!("{value:e}").replace('-', "−");
    }
    let rounded = (value * 1000.0).round() / 1000.0;
    let rounded = if rounded == 0.0 { 0.0 } else { rounded };
    format!("{rounded}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let s = Scale::new((0.0, 100.0), (200.0, 0.0));
        assert_eq!(s.ticks(5), vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(s.at(25.0), 150.0);
        assert_eq!(s.at(-5.0), 200.0);
    }

    #[test]
    fn ranges_hold_their_values() {
        assert_eq!(nice_range([-3.2, 21.0]), (-5.0, 25.0));
        assert_eq!(nice_range([]), (0.0, 1.0));
        let (low, high) = nice_range([0.5, 0.5]);
        assert!(low <= 0.5 && 0.5 <= high);
    }

    #[test]
    fn values_beyond_any_scale_give_finite_pixels() {
        let huge = [-1e308, 1e308, f64::INFINITY, f64::NAN];
        assert_eq!(nice_range(huge), (0.0, 1.0));
        let s = Scale::new(nice_range(huge.into_iter().chain([-1e300, 1e300])), (0.0, 100.0));
        assert!(s.domain.0.is_finite() && s.domain.1.is_finite() && s.ticks(5).len() < 20);
        assert!([-1e308, 0.0, 1e308].iter().all(|v| (0.0..=100.0).contains(&s.at(*v))));
        assert_eq!(tick_label(-2e300), "−2e300");
    }

    #[test]
    fn labels() {
        assert_eq!(tick_label(-0.1 - 0.2), "−0.3");
        assert_eq!(tick_label(-1e-12), "0");
    }
}
