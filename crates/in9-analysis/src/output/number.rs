//! How fractions are printed: percent and points with one decimal.

use crate::stats::Interval;

/// A fraction as percent, such as `78.0`; a dash for NaN.
pub fn percent(fraction: f64) -> String {
    if fraction.is_nan() {
        "–".into()
    } else {
        signless_zero(format!("{:.1}", 100.0 * fraction)).replace('-', "−")
    }
}

/// An interval of fractions as percent, such as `78.0 [73.4, 82.1]`; limits only if there are any.
pub fn percent_interval(i: &Interval) -> String {
    if i.low.is_nan() || i.high.is_nan() || i.value.is_nan() {
        return percent(i.value);
    }
    format!("{} [{}, {}]", percent(i.value), percent(i.low), percent(i.high))
}

/// A difference of fractions as signed points, such as `+13.5`.
pub fn points(fraction: f64) -> String {
    if fraction.is_nan() {
        return "–".into();
    }
    let text = signless_zero(format!("{:+.1}", 100.0 * fraction));
    text.replace('-', "−")
}

/// An interval of differences as signed points.
pub fn points_interval(i: &Interval) -> String {
    if i.low.is_nan() || i.high.is_nan() || i.value.is_nan() {
        return points(i.value);
    }
    format!("{} [{}, {}]", points(i.value), points(i.low), points(i.high))
}

/// A number without a unit, such as `0.97`; a dash for NaN.
pub fn decimal(number: f64) -> String {
    if number.is_nan() { "–".into() } else { signless_zero(format!("{number:.2}")).replace('-', "−") }
}

/// An interval of numbers without a unit.
pub fn decimal_interval(i: &Interval) -> String {
    if i.low.is_nan() || i.high.is_nan() || i.value.is_nan() {
        return decimal(i.value);
    }
    format!("{} [{}, {}]", decimal(i.value), decimal(i.low), decimal(i.high))
}

/// A p-value: three decimals, or a bound when it is smaller; a dash for NaN.
pub fn p_value(p: f64) -> String {
    if p.is_nan() {
        return "–".into();
    }
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

/// A count with thin groups of three digits, such as `12 345`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn signless_zero(text: String) -> String {
    match text.as_str() {
        "-0.0" | "+0.0" => "0.0".into(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(percent(0.78049), "78.0");
        assert_eq!(points(-0.0479), "−4.8");
        assert_eq!(points(0.0001), "0.0");
        assert_eq!(percent_interval(&Interval::new(0.5, 0.4, 0.6)), "50.0 [40.0, 60.0]");
        assert_eq!(percent_interval(&Interval::new(0.5, f64::NAN, 1.0)), "50.0");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(p_value(0.0001), "< 0.001");
    }
}
