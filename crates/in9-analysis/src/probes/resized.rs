//! Photographs shown to networks at another size than they are stored at.

use super::scenes::Scenes;
use in9_data::{MaskBits, Paste, View};
use in9_models::preprocess::{Interpolation, Rgb, resize};

/// The pictures of other scenes, each brought to another size as prediction brings it there: composed first, then
/// resized by Pillow's bicubic filter, so that a probe and a prediction table show the network the same.
pub struct Resized<S> {
    scenes: S,
    size: usize,
}

impl<S: Scenes> Resized<S> {
    /// `scenes` at `size` pixels a side, at least 1.
    pub fn new(scenes: S, size: usize) -> Self {
        Self { scenes, size: size.max(1) }
    }

    /// Draws a picture at the size that is stored and writes it at the other one.
    fn resized(&self, out: &mut [u8], draw: impl FnOnce(&mut [u8])) {
        let stored = self.scenes.size();
        let mut pixels = vec![0; 3 * stored * stored];
        draw(&mut pixels);
        let picture = Rgb { width: stored, height: stored, pixels };
        out.copy_from_slice(&resize(&picture, self.size, self.size, Interpolation::Bicubic).pixels);
    }
}

impl<S: Scenes> Scenes for Resized<S> {
    fn len(&self) -> usize {
        self.scenes.len()
    }

    fn size(&self) -> usize {
        self.size
    }

    fn class(&self, i: usize) -> u16 {
        self.scenes.class(i)
    }

    fn id(&self, i: usize) -> &str {
        self.scenes.id(i)
    }

    fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]) {
        self.resized(out, |pixels| self.scenes.compose(view, i, background, pixels));
    }

    fn stored_mask(&self, i: usize) -> (usize, Vec<u8>) {
        self.scenes.stored_mask(i)
    }

    fn compose_with(&self, mask: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]) {
        self.resized(out, |pixels| self.scenes.compose_with(mask, view, i, background, pixels));
    }

    fn paste(&self, how: &Paste, i: usize, background: usize, out: &mut [u8]) {
        self.resized(out, |pixels| self.scenes.paste(how, i, background, pixels));
    }

    fn mask(&self, i: usize) -> Vec<bool> {
        let (stored, mask) = (self.scenes.size(), self.scenes.mask(i));
        let from = |at: usize| (2 * at + 1) * stored / (2 * self.size);
        let rows = (0..self.size).map(from);
        rows.flat_map(|y| (0..self.size).map(move |x| (x, y)))
            .map(|(x, y)| mask[y * stored + from(x)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::scenes::tests::Grey;

    #[test]
    fn a_larger_picture_shows_the_same() {
        let small = Grey::new(4, 2);
        let (fore, back) = (small.fore[0], small.back[3]);
        let large = Resized::new(small, 8);
        let mut out = vec![0; 3 * 64];
        large.compose(View::MixedRand, 0, 3, &mut out);
        // The filter overshoots beside the edge between the two.
        let nearer = |value: u8, to: u8, than: u8| value.abs_diff(to) < value.abs_diff(than);
        assert!(nearer(out[0], fore, back) && nearer(out[21], back, fore), "{} {}", out[0], out[21]);
        let mask = large.mask(0);
        assert_eq!(mask.len(), 64);
        assert!(mask[..8].iter().enumerate().all(|(x, inside)| *inside == (x < 4)), "{mask:?}");
    }
}
