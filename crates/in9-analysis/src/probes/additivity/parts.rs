//! What the players make of one picture in one layer.

/// Products of a picture's embeddings: all that shares and additivity are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// ⟨foreground, D⟩: what the foreground's Shapley value has of the displacement.
    pub foreground: f64,
    /// ⟨D, D⟩: the square of the displacement from the empty picture; what is not the foreground's is the background's.
    pub displacement: f64,
    /// Square of the error of e(F) + e(B) − e(∅).
    pub error: f64,
    /// Square of how far e(F, B) is from the mean embedding.
    pub spread: f64,
    /// Cosine of D and of what is foretold for it, e(F) + e(B) − 2 e(∅); `None` where one of them is nought.
    pub cosine: Option<f64>,
}

impl Parts {
    /// Of the embeddings of the picture, of its foreground and of its background alone, of the empty picture, and of the
    /// mean of all pictures; each as long.
    ///
    /// ```
    /// use in9_analysis::probes::additivity::Parts;
    /// // The foreground moves the first channel by 3, the background the second by 4.
    /// let parts = Parts::of(&[4.0, 5.0], &[4.0, 1.0], &[1.0, 5.0], &[1.0, 1.0], &[4.0, 5.0]);
    /// assert_eq!((parts.foreground, parts.displacement, parts.error, parts.spread), (9.0, 25.0, 0.0, 0.0));
    /// ```
    pub fn of(both: &[f32], foreground: &[f32], background: &[f32], empty: &[f32], mean: &[f32]) -> Self {
        let mut parts = Self { foreground: 0.0, displacement: 0.0, error: 0.0, spread: 0.0, cosine: None };
        let (mut product, mut foretold_square) = (0.0, 0.0);
        let others = foreground.iter().zip(background).zip(empty).zip(mean);
        for (both, (((f, b), empty), mean)) in both.iter().zip(others) {
            let [both, f, b, empty, mean] = [*both, *f, *b, *empty, *mean].map(f64::from);
            let (whole, foretold) = (both - empty, f + b - 2.0 * empty);
            parts.foreground += 0.5 * (both - b + f - empty) * whole;
            parts.displacement += whole * whole;
            parts.error += (whole - foretold).powi(2);
            parts.spread += (both - mean).powi(2);
            product += whole * foretold;
            foretold_square += foretold * foretold;
        }
        let lengths = (parts.displacement * foretold_square).sqrt();
        parts.cosine = (lengths > 0.0).then(|| product / lengths);
        parts
    }

    /// The foreground's share of the displacement; `None` where there is none.
    pub fn share(&self) -> Option<f64> {
        (self.displacement > 0.0).then(|| self.foreground / self.displacement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The two Shapley values add up to the displacement, and change places with the players.
        #[test]
        fn players_share_the_displacement(v in prop::collection::vec(-9i8..9, 5 * 7)) {
            let v: Vec<f32> = v.into_iter().map(f32::from).collect();
            let part = |i: usize| &v[7 * i..7 * (i + 1)];
            let parts = Parts::of(part(0), part(1), part(2), part(3), part(4));
            let changed = Parts::of(part(0), part(2), part(1), part(3), part(4));
            prop_assert!((parts.foreground + changed.foreground - parts.displacement).abs() < 1e-9);
            prop_assert_eq!(
                (parts.displacement, parts.error, parts.spread, parts.cosine),
                (changed.displacement, changed.error, changed.spread, changed.cosine)
            );
            prop_assert!(parts.cosine.is_none_or(|cosine| cosine.abs() < 1.0 + 1e-12));
        }
    }

    #[test]
    fn nothing_has_no_share() {
        let parts = Parts::of(&[1.0], &[2.0], &[3.0], &[1.0], &[1.0]);
        assert_eq!((parts.share(), parts.cosine, parts.error), (None, None, 9.0));
    }
}
