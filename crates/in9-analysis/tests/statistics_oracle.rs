//! Statistics against SciPy and statsmodels: `tests/oracles/analysis_statistics.py`.

use in9_analysis::stats::mcnemar;
use in9_analysis::stats::quantile;
use in9_analysis::stats::regression::fit;
use in9_analysis::stats::student;
use in9_analysis::stats::wilson;
use in9_analysis::stats::{Bootstrap, Interval, special};
use serde_json::Value;

fn oracle(name: &str) -> Vec<Value> {
    let text = include_str!("fixtures/statistics.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[name].as_array().unwrap().clone()
}

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

/// Rows of numbers under a name.
fn rows(name: &str) -> Vec<Vec<f64>> {
    oracle(name).iter().map(numbers).collect()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(number).collect()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = expected.abs().max(1.0);
    assert!((found - expected).abs() <= tolerance * scale, "{what}: expected {expected}, found {found}");
}

fn close_interval(found: &Interval, expected: &[f64], tolerance: f64, what: &str) {
    close(found.value, expected[0], tolerance, what);
    close(found.low, expected[1], tolerance, what);
    close(found.high, expected[2], tolerance, what);
}

#[test]
fn wilson_is_statsmodels() {
    for r in rows("wilson") {
        let i = wilson(r[0] as u64, r[1] as u64, r[2]);
        close(i.low, r[3].max(0.0), 1e-10, "low");
        close(i.high, r[4].min(1.0), 1e-10, "high");
    }
}

#[test]
fn mcnemar_is_statsmodels() {
    for r in rows("mcnemar") {
        let t = mcnemar(r[0] as u64, r[1] as u64);
        close(t.p_exact, r[2], 1e-10, "exact");
        // At b = c the correction overshoots zero: statsmodels squares the −1, we stop at zero.
        let expected = if r[0] == r[1] { 1.0 } else { r[3] };
        close(t.p_chi2, expected, 1e-10, "chi-square");
    }
}

#[test]
fn distributions_are_scipys() {
    for r in rows("normal_quantile") {
        close(special::normal_quantile(r[0]), r[1], 1e-9, "normal quantile");
    }
    for r in rows("normal_cdf") {
        close(special::normal_cdf(r[0]), r[1], 1e-13, "normal cdf");
    }
    for r in rows("t_quantile") {
        close(special::t_quantile(r[0], r[1]), r[2], 1e-8, "t quantile");
    }
    for r in rows("beta_inc") {
        close(special::beta_inc(r[0], r[1], r[2]), r[3], 1e-11, "incomplete beta");
    }
    for r in rows("binomial_cdf") {
        close(special::binomial_cdf(r[0] as u64, r[1] as u64, r[2]), r[3], 1e-10, "binomial");
    }
}

#[test]
fn regression_is_statsmodels() {
    for case in oracle("regression") {
        let points: Vec<(f64, f64)> = numbers(&case["x"]).into_iter().zip(numbers(&case["y"])).collect();
        let line = fit(&points, 0.95).unwrap();
        close_interval(&line.slope, &numbers(&case["slope"]), 1e-7, "slope");
        close_interval(&line.intercept, &numbers(&case["intercept"]), 1e-7, "intercept");
        close(line.r_squared, number(&case["r2"]), 1e-9, "r²");
        let at = numbers(&case["at"]);
        close_interval(&line.at(at[0]), &at[1..], 1e-7, "band");
    }
}

#[test]
fn means_and_quantiles() {
    for case in oracle("student") {
        let i = student(&numbers(&case["values"]), 0.95);
        close_interval(&i, &numbers(&case["interval"]), 1e-8, "mean");
    }
    for r in rows("quantile") {
        close(quantile(&[1.0, 4.0, 4.5, 10.0, 11.0], r[0]), r[1], 1e-12, "quantile");
    }
}

#[test]
fn bootstrap_limits_are_scipys_up_to_chance() {
    let bootstrap = Bootstrap { replicates: 20_000, ..Bootstrap::default() };
    for case in oracle("bootstrap_mean") {
        let values = numbers(&case["values"]);
        let i = bootstrap.mean("oracle", &values);
        // Means of −1, 0 and 1 move in steps of 1 / n; chance moves a limit by about one step.
        let tolerance = 2.0 / values.len() as f64;
        assert!((i.low - number(&case["low"])).abs() <= tolerance, "{i:?} {case}");
        assert!((i.high - number(&case["high"])).abs() <= tolerance, "{i:?} {case}");
    }
}
