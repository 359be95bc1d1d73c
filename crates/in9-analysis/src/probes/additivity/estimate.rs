//! Shares and additivity over photographs.

use super::parts::Parts;
use crate::stats::{Bootstrap, Interval};
use serde::{Deserialize, Serialize};

/// What a layer makes of objects and backgrounds, over all photographs; intervals resample photographs. NaN where a layer's
/// embeddings do not differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerAdditivity {
    /// The layer.
    pub layer: String,
    /// Channels of its embedding.
    pub width: usize,
    /// The foreground's share of the displacement; 0 to 1 unless the two work against each other.
    pub foreground: Interval,
    /// The background's: what is left.
    pub background: Interval,
    /// How well the sum of the parts foretells the embedding, at most 1.
    pub r2: Interval,
    /// Mean cosine of the displacement and of the foretold one, −1 to 1, over photographs that have both.
    pub cosine: Interval,
}

/// Over the photographs' `parts` of a layer of so many channels.
pub fn estimate(layer: &str, width: usize, parts: &[Parts], bootstrap: &Bootstrap) -> LayerAdditivity {
    let over = |above: &(dyn Fn(&Parts) -> f64 + Sync), below: &(dyn Fn(&Parts) -> f64 + Sync)| {
        let share = |counts: &[u32]| {
            let sum = |of: &dyn Fn(&Parts) -> f64| -> f64 {
                counts.iter().zip(parts).map(|(&count, one)| f64::from(count) * of(one)).sum()
            };
            let below = sum(below);
            if below > 0.0 { sum(above) / below } else { f64::NAN }
        };
        bootstrap.interval("additivity", parts.len(), share)
    };
    let foreground = over(&|one| one.foreground, &|one| one.displacement);
    let rest = |i: &Interval| Interval::new(1.0 - i.value, 1.0 - i.high, 1.0 - i.low);
    LayerAdditivity {
        layer: layer.to_owned(),
        width,
        background: rest(&foreground),
        foreground,
        r2: rest(&over(&|one| one.error, &|one| one.spread)),
        cosine: over(&|one| one.cosine.unwrap_or_default(), &|one| f64::from(u8::from(one.cosine.is_some()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(foreground: f64, displacement: f64, error: f64, cosine: Option<f64>) -> Parts {
        Parts { foreground, displacement, error, spread: 2.0, cosine }
    }

    #[test]
    fn sums_are_divided_and_not_shares_averaged() {
        let all = [parts(1.0, 4.0, 1.0, Some(0.5)), parts(5.0, 8.0, 0.0, None)];
        let found = estimate("fc", 3, &all, &Bootstrap::default());
        assert_eq!((found.foreground.value, found.background.value), (0.5, 0.5));
        assert_eq!((found.r2.value, found.cosine.value), (0.75, 0.5));
        assert!((found.foreground.low + found.background.high - 1.0).abs() < 1e-12);
        assert!(found.foreground.low < 0.5 && found.foreground.high > 0.5);
    }

    #[test]
    fn a_layer_that_says_nothing_has_no_shares() {
        let dead = Parts { spread: 0.0, ..parts(0.0, 0.0, 0.0, None) };
        let found = estimate("dead", 3, &[dead; 4], &Bootstrap::default());
        assert!(found.foreground.value.is_nan() && found.r2.value.is_nan() && found.cosine.value.is_nan());
    }
}
