//! How far two masks of a photograph agree, over photographs and by class.

use in9_data::{MaskBits, outline_distance};
use serde::{Deserialize, Serialize};

use crate::stats::{Bootstrap, Interval};

/// Two masks of one photograph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The photograph's class.
    pub class: u16,
    /// Pixels in both over pixels in either, `0..=1`; 1 for two empty masks.
    pub iou: f64,
    /// How far the outlines lie apart, in pixels of the stored picture: the mean of [`outline_distance`] taken from either
    /// side; NaN if a mask has no outline.
    pub outline: f64,
    /// Share of the second mask that the first misses, `0..=1`; NaN if the second is empty.
    pub missed: f64,
    /// Share of the first mask that is not in the second, `0..=1`; NaN if the first is empty.
    pub excess: f64,
}

impl Pair {
    /// Compares two masks of one size.
    ///
    /// # Panics
    /// If they are not of one size.
    pub fn of(class: u16, mask: &MaskBits<'_>, reference: &MaskBits<'_>) -> Self {
        let count = |both: fn(u8, u8) -> u8| -> f64 {
            let bytes = mask.bytes().iter().zip(reference.bytes());
            f64::from(bytes.map(|(a, b)| both(*a, *b).count_ones()).sum::<u32>())
        };
        let (both, either) = (count(|a, b| a & b), count(|a, b| a | b));
        let (missed, excess) = (count(|a, b| !a & b), count(|a, b| a & !b));
        let outline = match (outline_distance(mask, reference), outline_distance(reference, mask)) {
            (Some(there), Some(back)) => (there + back) / 2.0,
            _ => f64::NAN,
        };
        Self {
            class,
            iou: if either > 0.0 { both / either } else { 1.0 },
            outline,
            missed: missed / (both + missed),
            excess: excess / (both + excess),
        }
    }
}

/// Agreement over photographs; each mean with its interval, photographs resampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Photographs.
    pub images: usize,
    /// Mean intersection over union.
    pub iou: Interval,
    /// Median intersection over union.
    pub median_iou: f64,
    /// Mean distance of the outlines, in pixels of the stored picture, over photographs where both masks have one.
    pub outline: Interval,
    /// Mean share of the second mask that the first misses.
    pub missed: Interval,
    /// Mean share of the first mask that is not in the second.
    pub excess: Interval,
}

/// Agreement on the photographs of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassAgreement {
    /// Index of the class.
    pub class: u16,
    /// Its photographs.
    pub agreement: Agreement,
}

/// Agreement over pairs of masks; `None` for none.
pub fn agreement(pairs: &[Pair], bootstrap: &Bootstrap) -> Option<Agreement> {
    if pairs.is_empty() {
        return None;
    }
    let mean = |purpose: &str, of: fn(&Pair) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).filter(|value| !value.is_nan()).collect();
        match values.is_empty() {
            true => Interval::exact(f64::NAN),
            false => bootstrap.mean(purpose, &values),
        }
    };
    let mut ious: Vec<f64> = pairs.iter().map(|pair| pair.iou).collect();
    ious.sort_by(f64::total_cmp);
    Some(Agreement {
        images: pairs.len(),
        iou: mean("mask-iou", |pair| pair.iou),
        median_iou: crate::stats::quantile(&ious, 0.5),
        outline: mean("mask-outline", |pair| pair.outline),
        missed: mean("mask-missed", |pair| pair.missed),
        excess: mean("mask-excess", |pair| pair.excess),
    })
}

/// Agreement on each class that has photographs, by class.
pub fn classes(pairs: &[Pair], bootstrap: &Bootstrap) -> Vec<ClassAgreement> {
    let mut known: Vec<u16> = pairs.iter().map(|pair| pair.class).collect();
    known.sort_unstable();
    known.dedup();
    let of_class = |class: u16| {
        let own: Vec<Pair> = pairs.iter().filter(|pair| pair.class == class).copied().collect();
        agreement(&own, bootstrap).map(|agreement| ClassAgreement { class, agreement })
    };
    known.into_iter().filter_map(of_class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask of 16 × 16 pixels that is `true` where `inside` is.
    fn mask(inside: impl Fn(usize, usize) -> bool) -> Vec<u8> {
        let mut bits = vec![0u8; 32];
        for i in (0..256).filter(|i| inside(i % 16, i / 16)) {
            bits[i / 8] |= 1 << (i % 8);
        }
        bits
    }

    fn pair(a: &[u8], b: &[u8]) -> Pair {
        Pair::of(0, &MaskBits::new(a, 16), &MaskBits::new(b, 16))
    }

    #[test]
    fn two_masks_are_compared_by_area_and_by_outline() {
        let wide = mask(|x, y| (4..12).contains(&x) && (4..12).contains(&y));
        let half = mask(|x, y| (4..8).contains(&x) && (4..12).contains(&y));
        let moved = mask(|x, y| (5..13).contains(&x) && (4..12).contains(&y));
        let same = pair(&wide, &wide);
        assert_eq!((same.iou, same.outline, same.missed, same.excess), (1.0, 0.0, 0.0, 0.0));
        let less = pair(&half, &wide);
        assert_eq!((less.iou, less.missed, less.excess), (0.5, 0.5, 0.0));
        let more = pair(&wide, &half);
        assert_eq!((more.iou, more.missed, more.excess), (0.5, 0.0, 0.5));
        assert_eq!(more.outline, less.outline, "from either side");
        let aside = pair(&moved, &wide);
        assert_eq!(aside.iou, 56.0 / 72.0);
        assert!(0.0 < aside.outline && aside.outline < less.outline, "{aside:?}");
    }

    #[test]
    fn masks_without_an_outline_count_by_area_only() {
        let (empty, full, some) = (mask(|_, _| false), mask(|_, _| true), mask(|x, _| x < 4));
        assert_eq!(pair(&empty, &empty).iou, 1.0);
        let nothing = pair(&empty, &some);
        assert!(
            nothing.iou == 0.0
                && nothing.missed == 1.0
                && nothing.excess.is_nan()
                && nothing.outline.is_nan()
        );
        let all = [pair(&full, &some), nothing];
        let found = agreement(&all, &Bootstrap { replicates: 100, ..Bootstrap::default() }).unwrap();
        assert_eq!((found.iou.value, found.median_iou), (0.125, 0.125));
        assert!(found.outline.value.is_nan() && found.missed.value == 0.5 && found.excess.value == 0.75);
    }

    #[test]
    fn classes_are_apart_and_none_is_made_up() {
        let of = |class, iou| Pair { class, iou, outline: 1.0, missed: 0.0, excess: 0.0 };
        let pairs = [of(3, 0.5), of(1, 1.0), of(3, 0.7)];
        let bootstrap = Bootstrap { replicates: 100, ..Bootstrap::default() };
        let found = classes(&pairs, &bootstrap);
        let shown: Vec<_> =
            found.iter().map(|c| (c.class, c.agreement.images, c.agreement.iou.value)).collect();
        assert_eq!(shown, [(1, 1, 1.0), (3, 2, 0.6)]);
        assert!(agreement(&[], &bootstrap).is_none() && classes(&[], &bootstrap).is_empty());
    }
}
