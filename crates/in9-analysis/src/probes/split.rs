//! Splits of a data set as the probes see them.

use super::scenes::Scenes;
use in9_data::{Layers, MaskBits, Paste, SoundSplit, Split, View};

impl Scenes for SoundSplit {
    fn len(&self) -> usize {
        Split::len(self)
    }

    fn size(&self) -> usize {
        Split::size(self)
    }

    fn class(&self, i: usize) -> u16 {
        self.sample(i).class
    }

    fn id(&self, i: usize) -> &str {
        &self.sample(i).id
    }

    fn compose(&self, view: View, i: usize, background: usize, out: &mut [u8]) {
        let behind = self.layers(background);
        let behind = view.needs_background().then_some(behind.tiled);
        in9_data::compose(view, &self.layers(i), self.sample(i).crop_box, behind, Split::size(self), out);
    }

    fn stored_mask(&self, i: usize) -> (usize, Vec<u8>) {
        (Split::size(self), self.layers(i).mask.bytes().to_vec())
    }

    fn compose_with(&self, mask: MaskBits<'_>, view: View, i: usize, background: usize, out: &mut [u8]) {
        let behind = self.layers(background);
        let behind = view.needs_background().then_some(behind.tiled);
        let layers = Layers { mask, ..self.layers(i) };
        in9_data::compose(view, &layers, self.sample(i).crop_box, behind, Split::size(self), out);
    }

    fn paste(&self, how: &Paste, i: usize, background: usize, out: &mut [u8]) {
        in9_data::paste(how, &self.layers(i), self.layers(background).tiled, Split::size(self), out);
    }

    fn mask(&self, i: usize) -> Vec<bool> {
        let (layers, size) = (self.layers(i), Split::size(self));
        (0..size * size).map(|p| layers.mask.get(p % size, p / size)).collect()
    }
}
