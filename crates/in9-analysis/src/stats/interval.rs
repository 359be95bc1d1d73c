//! An estimate between two confidence limits.

use serde::{Deserialize, Deserializer, Serialize};

/// An estimate with its two-sided confidence limits, in the unit of the estimate.
///
/// Proportions are fractions in `0..=1` and gaps are differences of such fractions in `-1..=1`;
/// they become percent and points only when they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Point estimate.
    #[serde(deserialize_with = "number_or_null")]
    pub value: f64,
    /// Lower limit, at most `value` up to rounding.
    #[serde(deserialize_with = "number_or_null")]
    pub low: f64,
    /// Upper limit.
    #[serde(deserialize_with = "number_or_null")]
    pub high: f64,
}

/// JSON has no NaN: an undefined number is written as null.
fn number_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl Interval {
    /// An interval from its three numbers.
    pub fn new(value: f64, low: f64, high: f64) -> Self {
        Self { value, low, high }
    }

    /// An estimate without uncertainty, such as a published number.
    pub fn exact(value: f64) -> Self {
        Self::new(value, value, value)
    }

    /// Whether `x` lies between the limits, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// Width of the interval.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// The same interval in other units: all three numbers times `factor` (not negative).
    pub fn scaled(&self, factor: f64) -> Self {
        Self::new(self.value * factor, self.low * factor, self.high * factor)
    }

    /// The interval of `value - x` for a fixed `x`.
    pub fn shifted(&self, x: f64) -> Self {
        Self::new(self.value - x, self.low - x, self.high - x)
    }

    /// The interval of `self - other` for two independent estimates, by the method of variance estimates recovery.
    ///
    /// Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach",
    /// Statistics in Medicine 2008.
    ///
    /// ```
    /// use in9_analysis::stats::Interval;
    /// let apart = Interval::new(5.0, 2.0, 9.0).minus(&Interval::new(1.0, -2.0, 5.0));
    /// assert_eq!(apart, Interval::new(4.0, -1.0, 9.0));
    /// ```
    pub fn minus(&self, other: &Self) -> Self {
        let value = self.value - other.value;
        let low = value - ((self.value - self.low).powi(2) + (other.high - other.value).powi(2)).sqrt();
        let high = value + ((self.high - self.value).powi(2) + (other.value - other.low).powi(2)).sqrt();
        Self::new(value, low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_without_limits_is_read_as_it_was_written() {
        let text = serde_json::to_string(&Interval::new(0.5, f64::NAN, f64::NAN)).unwrap();
        assert_eq!(text, r#"{"value":0.5,"low":null,"high":null}"#);
        let read: Interval = serde_json::from_str(&text).unwrap();
        assert!(read.value == 0.5 && read.low.is_nan() && read.high.is_nan());
    }

    #[test]
    fn scaling_and_shifting_move_all_three_numbers() {
        let i = Interval::new(0.5, 0.4, 0.7);
        assert_eq!(i.scaled(100.0), Interval::new(50.0, 40.0, 70.0));
        assert_eq!(Interval::new(3.0, 2.0, 5.0).shifted(1.0), Interval::new(2.0, 1.0, 4.0));
        assert!(i.contains(0.4) && !i.contains(0.39));
    }
}
