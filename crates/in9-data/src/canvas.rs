//! What a view is drawn on: RGB bytes as they are, or normalised planes.

use crate::planes::normalize;

/// A picture that is being drawn, in one of its two forms. Pixels are numbered row by row.
pub trait Canvas {
    /// Draws pixels (RGB) from number `at` on.
    fn put(&mut self, at: usize, rgb: &[u8]);

    /// Draws `count` black pixels from number `at` on.
    fn black(&mut self, at: usize, count: usize);

    /// Leaves `count` pixels from number `at` on without a picture: 0, which is the mean colour after
    /// normalisation and black as bytes.
    fn blank(&mut self, at: usize, count: usize);
}

/// RGB bytes, `[size, size, 3]`.
#[derive(Debug)]
pub struct Bytes<'a>(pub(crate) &'a mut [u8]);

// Inlined, so that a piece whose length is known where it is drawn is stored without a call.
impl Canvas for Bytes<'_> {
    #[inline(always)]
    fn put(&mut self, at: usize, rgb: &[u8]) {
        self.0[at * 3..][..rgb.len()].copy_from_slice(rgb);
    }

    #[inline(always)]
    fn black(&mut self, at: usize, count: usize) {
        self.0[at * 3..][..count * 3].fill(0);
    }

    #[inline(always)]
    fn blank(&mut self, at: usize, count: usize) {
        self.black(at, count);
    }
}

/// Normalised planes, `[3, size, size]`.
#[derive(Debug)]
pub struct Planes<'a> {
    planes: [&'a mut [f32]; 3],
    channels: [(f32, f32); 3],
}

impl<'a> Planes<'a> {
    /// The three thirds of `values`; a byte of channel c becomes byte · channels[c].0 + channels[c].1.
    pub(crate) fn new(values: &'a mut [f32], channels: &[(f32, f32); 3]) -> Self {
        let pixels = values.len() / 3;
        let (r, rest) = values.split_at_mut(pixels);
        let (g, b) = rest.split_at_mut(pixels);
        Self { planes: [r, g, b], channels: *channels }
    }

    fn spans(&mut self, at: usize, count: usize) -> [&mut [f32]; 3] {
        self.planes.each_mut().map(|plane| &mut plane[at..at + count])
    }
}

impl Canvas for Planes<'_> {
    fn put(&mut self, at: usize, rgb: &[u8]) {
        let channels = self.channels;
        normalize(rgb, &channels, self.spans(at, rgb.len() / 3));
    }

    fn black(&mut self, at: usize, count: usize) {
        let offsets = self.channels.map(|(_, offset)| offset);
        for (plane, offset) in self.spans(at, count).into_iter().zip(offsets) {
            plane.fill(offset);
        }
    }

    fn blank(&mut self, at: usize, count: usize) {
        self.spans(at, count).into_iter().for_each(|plane| plane.fill(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::{Layers, compose, draw};
    use crate::mask::{MaskBits, pack};
    use crate::view::View;
    use proptest::prelude::*;

    #[test]
    fn both_forms_hold_what_is_drawn_where_it_is_drawn() {
        let mut bytes = [9; 12];
        let mut canvas = Bytes(&mut bytes);
        canvas.put(1, &[1, 2, 3]);
        canvas.black(2, 1);
        canvas.blank(3, 1);
        assert_eq!(bytes, [9, 9, 9, 1, 2, 3, 0, 0, 0, 0, 0, 0]);
        let mut values = [9.0; 12];
        let mut canvas = Planes::new(&mut values, &[(2.0, 1.0), (1.0, -1.0), (1.0, 0.5)]);
        canvas.put(1, &[1, 2, 3]);
        canvas.black(2, 1);
        canvas.blank(3, 1);
        assert_eq!(values, [9.0, 3.0, 1.0, 0.0, 9.0, 1.0, -1.0, 0.0, 9.0, 3.5, 0.5, 0.0]);
    }

    proptest! {
        #[test]
        fn planes_are_those_of_the_composed_picture(size in 1usize..20, seed: u64, solid: bool) {
            use rand_chacha::rand_core::Rng;
            let mut rng = in9_base::rng::stream(seed, "test", 0, 0);
            let [photo, tiled, background] = [(); 3].map(|()| {
                let mut bytes = vec![0; size * size * 3];
                rng.fill_bytes(&mut bytes);
                bytes
            });
            // Noise, or a rectangle with long runs of both kinds.
            let of = |i: usize| if solid { u8::from(i / size >= size / 3 && i % size >= size / 4) } else { photo[i] & 1 };
            let mut bits = Vec::new();
            pack(&(0..size * size).map(of).collect::<Vec<_>>(), &mut bits);
            let layers = Layers { photo: &photo, tiled: &tiled, mask: MaskBits::new(&bits, size) };
            let last = size as u16 - 1;
            let fg_box = [last / 3, last / 2, last, last];
            let channels = crate::Normalization::IMAGENET_9.linear();
            for view in View::ALL {
                let mut rgb = vec![7; photo.len()];
                compose(view, &layers, fg_box, Some(&background), size, &mut rgb);
                let (mut expected, mut found) = (vec![9.0f32; rgb.len()], vec![9.0f32; rgb.len()]);
                Planes::new(&mut expected, &channels).put(0, &rgb);
                draw(view, &layers, fg_box, Some(&background), size, &mut Planes::new(&mut found, &channels));
                prop_assert_eq!(&expected, &found, "{}", view);
            }
        }
    }
}
