//! How sure GrabCut is of an object's outline, photograph by photograph.

use in9_data::{MaskBits, SoundSplit, Split, Workspace, cut_margin};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::agreement::Pair;
use super::joined::Joined;
use crate::stats::{Bootstrap, Interval, spearman};

/// One photograph's cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confidence {
    /// The photograph's class.
    pub class: u16,
    /// How firmly the cut holds its outline ([`in9_data::CutMargin`]), in nats; NaN if nothing was cut out.
    pub margin: f64,
    /// Intersection over union of the cut with the mask in question, `0..=1`.
    pub iou: f64,
}

/// What margins say of masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confidences {
    /// Photographs with a cut.
    pub images: usize,
    /// Mean margin, in nats.
    pub margin: Interval,
    /// Spearman's correlation of the margin with the mask's IoU with the reference, if there is one: whether firm cuts are
    /// the right ones.
    pub tells: Option<Interval>,
}

/// Cuts every photograph of `split` that `joined` names first once more, at the stored size.
pub fn confidence(split: &SoundSplit, joined: &Joined) -> Vec<Confidence> {
    let size = Split::size(split);
    let cut = |workspace: &mut Workspace, row: &Vec<usize>| {
        let (sample, layers) = (split.sample(row[0]), split.layers(row[0]));
        let found = cut_margin(&layers, sample.crop_box, size, workspace);
        let iou = |mask: &[u8]| Pair::of(sample.class, &MaskBits::new(mask, size), &layers.mask).iou;
        Confidence {
            class: sample.class,
            margin: found.as_ref().map_or(f64::NAN, |cut| cut.nats),
            iou: found.as_ref().map_or(0.0, |cut| iou(&cut.mask)),
        }
    };
    joined.rows().par_iter().map_init(Workspace::new, cut).collect()
}

/// Margins over photographs; `pairs` compares the masks with the reference, in the same order. `None` if nothing was cut.
pub fn confidences(
    found: &[Confidence],
    pairs: Option<&[Pair]>,
    bootstrap: &Bootstrap,
) -> Option<Confidences> {
    let margins: Vec<f64> = found.iter().map(|one| one.margin).filter(|margin| !margin.is_nan()).collect();
    if margins.is_empty() {
        return None;
    }
    let tells = pairs.map(|pairs| {
        let both = found.iter().zip(pairs).filter(|(one, _)| !one.margin.is_nan());
        let both: Vec<(f64, f64)> = both.map(|(one, pair)| (one.margin, pair.iou)).collect();
        bootstrap.interval("mask-confidence", both.len(), |counts| {
            let drawn = counts
                .iter()
                .zip(&both)
                .flat_map(|(&count, pair)| std::iter::repeat_n(*pair, count as usize));
            spearman(&drawn.collect::<Vec<_>>())
        })
    });
    Some(Confidences { images: margins.len(), margin: bootstrap.mean("mask-margin", &margins), tells })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_held_against_the_reference() {
        let one = |margin| Confidence { class: 0, margin, iou: 1.0 };
        let pair = |iou| Pair { class: 0, iou, outline: 0.0, missed: 0.0, excess: 0.0 };
        let found = [one(1.0), one(f64::NAN), one(2.0), one(3.0), one(4.0)];
        let pairs = [pair(0.1), pair(0.0), pair(0.2), pair(0.5), pair(0.4)];
        let bootstrap = Bootstrap { replicates: 100, ..Bootstrap::default() };
        let all = confidences(&found, Some(&pairs), &bootstrap).unwrap();
        assert_eq!((all.images, all.margin.value), (4, 2.5));
        assert!((all.tells.unwrap().value - 0.8).abs() < 1e-12);
        assert!(confidences(&found, None, &bootstrap).unwrap().tells.is_none());
        assert!(confidences(&found[1..2], None, &bootstrap).is_none());
    }
}
