//! Counterfactual attribution: how the score of an image's class moves as foreground and background
//! are swapped for those of partners.
//!
//! For an image i and a partner j of another class let s(a, b) be the score of i's class on the
//! foreground of a before the background of b. With two things to swap, the Shapley value of each is
//! the mean over both orders of swapping:
//!
//! - background effect: ½ · \[s(i, i) − s(i, j) + s(j, i) − s(j, j)\]
//! - foreground effect: ½ · \[s(i, i) − s(j, i) + s(i, j) − s(j, j)\]
//! - interaction: s(i, i) − s(i, j) − s(j, i) + s(j, j)
//!
//! The two effects add up to s(i, i) − s(j, j). Each is averaged over the partners. *Reliance* is the
//! background's share of both: 0 for a network that sees foregrounds only, 1 for one that sees
//! backgrounds only. All backgrounds are tiled ones, the image's own too.

use crate::error::{Error, Result};
use crate::probes::classifier::{Classifier, Pictures};
use crate::probes::scenes::{Scenes, composite};
use crate::stats::{Bootstrap, Interval};
use in9_data::rng;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Effects on one image, as differences of probabilities in `-1..=1`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Index of the photograph.
    pub image: u32,
    /// Its class.
    pub class: u16,
    /// What its background adds to the score of its class.
    pub background: f64,
    /// What its foreground adds.
    pub foreground: f64,
    /// What the two add together beyond their sum.
    pub interaction: f64,
}

/// Least total effect of an image whose reliance is given: a share of next to nothing says nothing.
pub const LEAST_TOTAL: f64 = 0.1;

impl Effects {
    /// The background's share of both effects; `None` unless they add up to [`LEAST_TOTAL`] at least.
    ///
    /// Below 0 or above 1 where the two work against each other.
    pub fn reliance(&self) -> Option<f64> {
        let total = self.background + self.foreground;
        (total >= LEAST_TOTAL).then(|| self.background / total)
    }
}

/// Mean effects with bootstrap intervals over images, given their partners.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanEffects {
    /// Images.
    pub images: usize,
    /// Mean background effect.
    pub background: Interval,
    /// Mean foreground effect.
    pub foreground: Interval,
    /// Mean interaction.
    pub interaction: Interval,
    /// Σ background / Σ (background + foreground).
    pub reliance: Interval,
    /// Mean of background and foreground effect together, of which reliance is a share.
    #[serde(default)]
    pub total: Option<Interval>,
}

impl MeanEffects {
    /// Reliance, unless the total that it is a share of may be below [`LEAST_TOTAL`].
    pub fn settled_reliance(&self) -> Option<Interval> {
        self.total.is_none_or(|total| total.low >= LEAST_TOTAL).then_some(self.reliance)
    }
}

/// Effects on `images`, each with `partners` others of another class drawn by `seed`; `each` receives them one after the
/// other.
///
/// Partners stand by their own ids, so a shorter list of images gives the same numbers for those it
/// holds. `batch` pictures a forward pass change nothing but speed.
///
/// # Errors
/// If the classifier fails, or what `each` returns.
pub fn effects(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    images: &[u32],
    partners: usize,
    seed: u64,
    batch: usize,
    each: &mut dyn FnMut(Effects) -> Result<()>,
) -> Result<()> {
    for &image in images {
        let chosen = partners_of(scenes, image, partners, seed);
        each(effects_of(scenes, classifier, image, &chosen, batch)?)?;
    }
    Ok(())
}

/// Partners of another class, without repetition as far as there are enough.
fn partners_of(scenes: &dyn Scenes, image: u32, partners: usize, seed: u64) -> Vec<u32> {
    let class = scenes.class(image as usize);
    let mut others: Vec<u32> =
        (0..scenes.len() as u32).filter(|&j| scenes.class(j as usize) != class).collect();
    let key = rng::text_key(scenes.id(image as usize));
    rng::shuffle(&mut rng::stream(seed, "counterfactual", key, 0), &mut others);
    others.truncate(partners);
    others
}

fn effects_of(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    image: u32,
    partners: &[u32],
    batch: usize,
) -> Result<Effects> {
    let class = scenes.class(image as usize);
    let mut wanted = vec![(image, image)];
    for &j in partners {
        wanted.extend([(image, j), (j, image), (j, j)]);
    }
    let scores = class_scores(scenes, classifier, &wanted, class, batch)?;
    let own = scores[0];
    let mut sums = [0.0; 3];
    for s in scores[1..].chunks_exact(3) {
        let (swapped_back, swapped_fore, both) = (s[0], s[1], s[2]);
        sums[0] += 0.5 * (own - swapped_back + swapped_fore - both);
        sums[1] += 0.5 * (own - swapped_fore + swapped_back - both);
        sums[2] += own - swapped_back - swapped_fore + both;
    }
    let n = partners.len().max(1) as f64;
    let [background, foreground, interaction] = sums.map(|s| s / n);
    Ok(Effects { image, class, background, foreground, interaction })
}

/// Score of `class` on each (foreground, background).
fn class_scores(
    scenes: &dyn Scenes,
    classifier: &dyn Classifier,
    wanted: &[(u32, u32)],
    class: u16,
    batch: usize,
) -> Result<Vec<f64>> {
    let size = scenes.size();
    let mut rgb = vec![0; 3 * size * size];
    let mut scores = Vec::with_capacity(wanted.len());
    for chunk in wanted.chunks(batch.max(1)) {
        let mut pictures = Pictures::empty(size);
        for &(f, b) in chunk {
            composite(scenes, f as usize, b as usize, &mut rgb);
            pictures.push_rgb(&rgb);
        }
        let rows = classifier.scores(&pictures)?;
        let row = rows.chunks(classifier.classes());
        scores.extend(row.map(|r| f64::from(r[usize::from(class)])));
    }
    Ok(scores)
}

/// Means over images; `None` for no images.
pub fn mean(effects: &[Effects], bootstrap: &Bootstrap) -> Option<MeanEffects> {
    if effects.is_empty() {
        return None;
    }
    let column = |pick: fn(&Effects) -> f64| -> Vec<f64> { effects.iter().map(pick).collect() };
    let over = |values: &[f64]| bootstrap.mean("counterfactual", values);
    let weighted = |counts: &[u32], pick: fn(&Effects) -> f64| -> f64 {
        counts.iter().zip(effects).map(|(&c, e)| f64::from(c) * pick(e)).sum()
    };
    Some(MeanEffects {
        images: effects.len(),
        background: over(&column(|e| e.background)),
        foreground: over(&column(|e| e.foreground)),
        interaction: over(&column(|e| e.interaction)),
        reliance: bootstrap.interval("counterfactual", effects.len(), |counts| {
            let background = weighted(counts, |e| e.background);
            background / (background + weighted(counts, |e| e.foreground))
        }),
        total: Some(over(&column(|e| e.background + e.foreground))),
    })
}

/// Effects on one image, as effects.csv has them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ImageEffects {
    /// Identifier of the image.
    pub image: String,
    /// What its background adds to the score of its class.
    pub background_effect: f64,
    /// The background's share of both effects, where these are large enough.
    #[serde(default)]
    pub reliance: Option<f64>,
}

/// The effects on every image, from the folder of a counterfactual probe.
///
/// # Errors
/// If its effects.csv cannot be used.
pub fn read_effects(folder: &Path) -> Result<Vec<ImageEffects>> {
    let path = folder.join("effects.csv");
    let bad = Error::csv(&path);
    csv::Reader::from_reader(in9_base::files::open(&path)?)
        .deserialize()
        .map(|row| row.map_err(&bad))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::scenes::tests::{ByPixel, Grey};

    /// The effects on `images`, together.
    fn all(
        scenes: &Grey,
        network: &ByPixel,
        images: &[u32],
        partners: usize,
        seed: u64,
        batch: usize,
    ) -> Vec<Effects> {
        let mut found = Vec::new();
        let each = &mut |effects| {
            found.push(effects);
            Ok(())
        };
        effects(scenes, network, images, partners, seed, batch, each).unwrap();
        found
    }

    #[test]
    fn reliance_is_the_weight_of_the_background() {
        let scenes = Grey::new(40, 2);
        let images: Vec<u32> = (0..40).collect();
        let reliance = |lean| {
            let network = ByPixel { classes: 2, lean };
            let e = all(&scenes, &network, &images, 6, 0, 5);
            mean(&e, &Bootstrap::default()).unwrap().reliance.value
        };
        assert_eq!(reliance(0.0), 0.0);
        assert_eq!(reliance(1.0), 1.0);
        let (little, much) = (reliance(0.25), reliance(0.75));
        assert!(0.0 < little && little < 0.5 && 0.5 < much && much < 1.0, "{little} {much}");
    }

    #[test]
    fn effects_do_not_depend_on_the_other_images() {
        let scenes = Grey::new(20, 2);
        let network = ByPixel { classes: 2, lean: 0.4 };
        let run = |images: &[u32]| all(&scenes, &network, images, 4, 1, 3);
        assert_eq!(run(&[3, 7])[1], run(&[7])[0]);
        let e = run(&[7])[0];
        let partners = partners_of(&scenes, 7, 4, 1);
        let wanted: Vec<(u32, u32)> = partners.iter().map(|&j| (j, j)).chain([(7, 7)]).collect();
        let s = class_scores(&scenes, &network, &wanted, e.class, 8).unwrap();
        let total = s[4] - s[..4].iter().sum::<f64>() / 4.0;
        assert!((e.background + e.foreground - total).abs() < 1e-12);
    }

    #[test]
    fn a_share_of_nothing_is_no_reliance() {
        let of =
            |background, foreground| Effects { image: 0, class: 0, background, foreground, interaction: 0.0 };
        assert_eq!(of(0.25, 0.75).reliance(), Some(0.25));
        assert_eq!((of(0.04, 0.05).reliance(), of(0.3, -0.3).reliance()), (None, None));
        let settled = |effects: &[Effects]| mean(effects, &Bootstrap::default()).unwrap().settled_reliance();
        assert_eq!(settled(&[of(0.25, 0.75), of(0.25, 0.75)]).unwrap().value, 0.25);
        assert!(settled(&[of(0.5, 0.4), of(-0.5, -0.3)]).is_none());
    }
}
