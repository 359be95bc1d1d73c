//! Fine-grained attribution: which images need the background, and which are fooled by it.

use crate::error::{Error, Result};
use crate::frame::{ModelFrame, Outcome};
use crate::stats::Interval;
use crate::stats::proportion::wilson;
use in9_data::View;
use serde::Serialize;

/// Category of one image for one model, from its correctness on original (full image), mixed-rand
/// (foreground alone) and only-bg-t (background alone).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Right in full, wrong on the foreground alone, right on the background alone.
    BgRequired,
    /// Right in full, wrong on either part.
    BgFgRequired,
    /// Wrong in full, right on the foreground alone, wrong on the background alone.
    BgFools,
    /// Wrong in full, right on either part.
    BgFgFools,
    /// Right on both the full image and the foreground alone, or on neither.
    BgIrrelevant,
}

impl Category {
    /// All five, in the order of the paper's figure.
    pub const ALL: [Self; 5] =
        [Self::BgRequired, Self::BgFgRequired, Self::BgFools, Self::BgFgFools, Self::BgIrrelevant];

    /// Name as the paper writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BgRequired => "BG Required",
            Self::BgFgRequired => "BG+FG Required",
            Self::BgFools => "BG Fools",
            Self::BgFgFools => "BG+FG Fools",
            Self::BgIrrelevant => "BG Irrelevant",
        }
    }

    /// The category of an image from its three correctnesses: a partition of all eight cases.
    ///
    /// ```
    /// use in9_analysis::metrics::Category;
    /// assert_eq!(Category::of(true, false, true), Category::BgRequired);
    /// assert_eq!(Category::of(false, false, true), Category::BgIrrelevant);
    /// ```
    pub fn of(full: bool, foreground: bool, background: bool) -> Self {
        match (full, foreground, background) {
            (true, false, true) => Self::BgRequired,
            (true, false, false) => Self::BgFgRequired,
            (false, true, false) => Self::BgFools,
            (false, true, true) => Self::BgFgFools,
            (true, true, _) | (false, false, _) => Self::BgIrrelevant,
        }
    }
}

/// Counts of the five categories over the images tested on all three views.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Categories {
    /// Images tested on original, mixed-rand and only-bg-t.
    pub total: u64,
    /// Images of each category, in the order of [`Category::ALL`].
    pub counts: [u64; 5],
    /// Shares with Wilson's interval, in the same order.
    pub shares: [Interval; 5],
    /// BG Fools by the stricter wording: the full image and the background alone get the same wrong
    /// class, and the foreground alone is right.
    pub fools_same_class: u64,
    /// Its share with Wilson's interval.
    pub fools_same_class_share: Interval,
    /// BG Required and BG+FG Required together.
    pub required: Interval,
    /// BG Fools and BG+FG Fools together.
    pub fools: Interval,
    /// `counts` of each class, in class order.
    pub per_class: Vec<[u64; 5]>,
    /// `fools_same_class` of each class, in class order.
    pub fools_same_class_per_class: Vec<u64>,
}

/// Counts the categories of `model`; `None` unless it was tested on all three views.
///
/// # Errors
/// [`Error::Identity`] if required − fools is not original − mixed-rand: it holds for any
/// predictions, so a violation is a fault of the counting.
pub fn categories(model: &ModelFrame, classes: usize, level: f64) -> Result<Option<Categories>> {
    let full = model.by_foreground(View::Original);
    let foreground = model.by_foreground(View::MixedRand);
    let background = model.by_foreground(View::OnlyBgT);
    let mut counts = [0u64; 5];
    let mut per_class = vec![[0u64; 5]; classes];
    let mut strict_per_class = vec![0u64; classes];
    let (mut total, mut right_full, mut right_foreground) = (0u64, 0i64, 0i64);
    for ((full, foreground), background) in full.into_iter().zip(foreground).zip(background) {
        let (Some(f), Some(g), Some(b)) = (full, foreground, background) else { continue };
        let category = Category::of(f.correct(), g.correct(), b.correct());
        counts[category as usize] += 1;
        per_class[usize::from(f.class)][category as usize] += 1;
        strict_per_class[usize::from(f.class)] += u64::from(fooled_alike(&f, &g, &b));
        total += 1;
        right_full += i64::from(f.correct());
        right_foreground += i64::from(g.correct());
    }
    if total == 0 {
        return Ok(None);
    }
    let strict = strict_per_class.iter().sum();
    let (required, fools) = (counts[0] + counts[1], counts[2] + counts[3]);
    if required as i64 - fools as i64 != right_full - right_foreground {
        return Err(Error::Identity {
            model: model.key.model.clone(),
            required,
            fools,
            original: right_full,
            mixed_rand: right_foreground,
        });
    }
    Ok(Some(Categories {
        total,
        counts,
        shares: counts.map(|k| wilson(k, total, level)),
        fools_same_class: strict,
        fools_same_class_share: wilson(strict, total, level),
        required: wilson(required, total, level),
        fools: wilson(fools, total, level),
        per_class,
        fools_same_class_per_class: strict_per_class,
    }))
}

/// Whether each foreground is of BG Fools, 1 or 0, aligned with [`ModelFrame::foregrounds`]; `None` for those that were not
/// tested on original, mixed-rand and only-bg-t.
pub fn fools(model: &ModelFrame) -> Vec<Option<f64>> {
    by_three(model, |f, g, b| Category::of(f.correct(), g.correct(), b.correct()) == Category::BgFools)
}

/// The same by the stricter wording: the full image and the background alone get the same wrong class.
pub fn fools_alike(model: &ModelFrame) -> Vec<Option<f64>> {
    by_three(model, fooled_alike)
}

fn by_three(model: &ModelFrame, of: impl Fn(&Outcome, &Outcome, &Outcome) -> bool) -> Vec<Option<f64>> {
    let views = [View::Original, View::MixedRand, View::OnlyBgT].map(|view| model.by_foreground(view));
    let one = |i: usize| Some(f64::from(u8::from(of(&views[0][i]?, &views[1][i]?, &views[2][i]?))));
    (0..model.foregrounds.len()).map(one).collect()
}

fn fooled_alike(full: &Outcome, foreground: &Outcome, background: &Outcome) -> bool {
    // Two answers outside the taxonomy are not known to be the same class.
    foreground.correct()
        && !full.correct()
        && full.predicted.is_some()
        && full.predicted == background.predicted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;
    use proptest::prelude::*;

    #[test]
    fn both_definitions_of_bg_fools() {
        let rows = [
            // Wrong in full as class 1, right on the foreground, background says class 1 too.
            ("a", 0, View::Original, 1),
            ("a", 0, View::MixedRand, 0),
            ("a", 0, View::OnlyBgT, 1),
            // The same, but the background says class 2.
            ("b", 0, View::Original, 1),
            ("b", 0, View::MixedRand, 0),
            ("b", 0, View::OnlyBgT, 2),
            // Tested on one view only: not counted.
            ("c", 0, View::Original, 0),
        ];
        let frame = frame(3, &rows);
        let c = categories(&frame.models[0], 3, 0.95).unwrap().unwrap();
        assert_eq!((c.counts, c.fools_same_class, c.total), ([0, 0, 2, 0, 0], 1, 2));
        assert_eq!((c.per_class[0], &c.fools_same_class_per_class[..]), (c.counts, &[1, 0, 0][..]));
        assert_eq!(fools(&frame.models[0]), [Some(1.0), Some(1.0), None]);
        assert_eq!(fools_alike(&frame.models[0]), [Some(1.0), Some(0.0), None]);
    }

    proptest! {
        #[test]
        fn categories_partition_and_keep_the_identity(
            answers in prop::collection::vec((0u16..3, 0u16..5, 0u16..5, 0u16..5), 1..60)
        ) {
            let ids: Vec<String> = (0..answers.len()).map(|i| format!("{i:03}")).collect();
            let mut rows = Vec::new();
            for (id, &(class, full, fg, bg)) in ids.iter().zip(&answers) {
                rows.push((id.as_str(), class, View::Original, full));
                rows.push((id.as_str(), class, View::MixedRand, fg));
                rows.push((id.as_str(), class, View::OnlyBgT, bg));
            }
            let frame = frame(3, &rows);
            let c = categories(&frame.models[0], 3, 0.95).unwrap().unwrap();
            prop_assert_eq!(c.counts.iter().sum::<u64>(), answers.len() as u64);
            prop_assert_eq!(c.total, answers.len() as u64);
            prop_assert!(c.fools_same_class <= c.counts[2]);
            let right = |pick: fn(&(u16, u16, u16, u16)) -> u16| answers.iter().filter(|a| pick(a) == a.0).count() as f64;
            let apart = (right(|a| a.1) - right(|a| a.2)) / answers.len() as f64;
            prop_assert!((c.required.value - c.fools.value - apart).abs() < 1e-12);
        }
    }
}
