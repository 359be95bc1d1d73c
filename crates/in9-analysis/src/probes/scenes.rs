//! The pictures that probes compose: any foreground on any background of a test split.

use in9_data::{MaskBits, Paste, View};
use std::collections::BTreeSet;

/// Test photographs taken apart, so that any foreground can be put on any background.
pub trait Scenes: Sync {
    /// Number of photographs.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of a side of every picture.
    fn size(&self) -> usize;

    /// True class of photograph `i`.
    fn class(&self, i: usize) -> u16;

    /// Identifier of photograph `i`.
    fn id(&self, i: usize) -> &str;

    /// Writes a view of photograph `i` as RGB bytes; mixed views take the background of `background`.
    fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]);

    /// The true foreground of photograph `i`, row by row.
    fn mask(&self, i: usize) -> Vec<bool>;

    /// The true foreground of photograph `i` as it is stored: its side in pixels, and its bits as [`MaskBits`] has them.
    fn stored_mask(&self, i: usize) -> (usize, Vec<u8>);

    /// [`Scenes::compose`] as if `mask`, of the side of [`Scenes::stored_mask`], were the foreground of photograph `i`.
    fn compose_with(&self, mask: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]);

    /// Writes the object of photograph `i`, pasted as `how` says on the tiled background of `background`.
    fn paste(&self, how: &Paste, i: usize, background: usize, out: &mut [u8]);
}

/// The first photograph of each class, then further ones, up to `count`.
pub(crate) fn first_of_each_class(scenes: &dyn Scenes, images: &[u32], count: usize) -> BTreeSet<u32> {
    let mut seen = BTreeSet::new();
    let (first, rest): (Vec<u32>, Vec<u32>) =
        images.iter().partition(|&&i| seen.insert(scenes.class(i as usize)));
    first.into_iter().chain(rest).take(count).collect()
}

/// A foreground on the tiled background of another photograph, as RGB bytes.
pub fn composite(scenes: &dyn Scenes, foreground: usize, background: usize, out: &mut [u8]) {
    // All mixed views compose alike; only their pairings differ.
    scenes.compose(View::MixedRand, foreground, background, out);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::Result;
    use crate::probes::classifier::{Classifier, Pictures};
    use in9_data::rng::{stream, unit};

    /// Photographs of two pixels by two: the left column is foreground, the right background; each
    /// has a grey level of its own, near its class's.
    pub(crate) struct Grey {
        pub(crate) classes: usize,
        pub(crate) fore: Vec<u8>,
        pub(crate) back: Vec<u8>,
        ids: Vec<String>,
    }

    impl Grey {
        pub(crate) fn new(n: usize, classes: usize) -> Self {
            let level = |i: usize, purpose: &str| {
                let class = (i % classes) as f32;
                let noise = unit(&mut stream(3, purpose, i as u64, 0)) - 0.5;
                (255.0 * ((class + 0.5 + 0.98 * noise) / classes as f32)) as u8
            };
            Self {
                classes,
                fore: (0..n).map(|i| level(i, "fore")).collect(),
                back: (0..n).map(|i| level(i, "back")).collect(),
                ids: (0..n).map(|i| format!("g{i:03}")).collect(),
            }
        }
    }

    impl Scenes for Grey {
        fn len(&self) -> usize {
            self.fore.len()
        }
        fn size(&self) -> usize {
            2
        }
        fn class(&self, i: usize) -> u16 {
            (i % self.classes) as u16
        }
        fn id(&self, i: usize) -> &str {
            &self.ids[i]
        }
        fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]) {
            let left = if view == View::OnlyBgT { self.back[i] } else { self.fore[i] };
            let right = if view.needs_background() { self.back[background] } else { self.back[i] };
            for row in out.chunks_exact_mut(6) {
                row[..3].fill(left);
                row[3..].fill(right);
            }
        }
        fn mask(&self, _: usize) -> Vec<bool> {
            vec![true, false, true, false]
        }
        fn stored_mask(&self, _: usize) -> (usize, Vec<u8>) {
            (2, vec![0b0101])
        }
        fn compose_with(&self, mask: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]) {
            let behind = if view.needs_background() { self.back[background] } else { self.back[i] };
            for (at, pixel) in out.chunks_exact_mut(3).enumerate() {
                pixel.fill(if mask.get(at % 2, at / 2) { self.fore[i] } else { behind });
            }
        }
        /// Two pixels have no room to move: a soft edge lets the background through, likeness makes it the object's own.
        fn paste(&self, how: &Paste, i: usize, background: usize, out: &mut [u8]) {
            let between = |a: u8, b: u8, share: f64| {
                (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8
            };
            let behind = between(self.back[background], self.back[i], how.similarity);
            let before = between(self.fore[i], behind, how.feather.min(1.0));
            for row in out.chunks_exact_mut(6) {
                row[..3].fill(before);
                row[3..].fill(behind);
            }
        }
    }

    /// Answers the class whose grey level is nearest to a mean of both columns; `lean` is the weight
    /// of the background.
    pub(crate) struct ByPixel {
        pub(crate) classes: usize,
        pub(crate) lean: f32,
    }

    impl Classifier for ByPixel {
        fn classes(&self) -> usize {
            self.classes
        }
        fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
            let mut scores = Vec::new();
            for picture in pictures.pixels.chunks(pictures.values()) {
                let level = (1.0 - self.lean) * picture[0] + self.lean * picture[1];
                let away = |c: usize| (level - (c as f32 + 0.5) / self.classes as f32).abs();
                let weights: Vec<f32> = (0..self.classes).map(|c| (-20.0 * away(c)).exp()).collect();
                let sum: f32 = weights.iter().sum();
                scores.extend(weights.iter().map(|w| w / sum));
            }
            Ok(scores)
        }
    }
}
