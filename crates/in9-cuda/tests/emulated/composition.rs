//! Views composed, placed and normalised, beside in9-data's definition written out.

use in9_cuda::launch::Element;
use in9_cuda::plan::compose::{Picture, View, compose};

use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::random_values;

const VIEWS: [View; 8] = [
    View::Original,
    View::OnlyBgB,
    View::OnlyBgT,
    View::NoFg,
    View::OnlyFg,
    View::Mixed,
    View::OnlyMask,
    View::OnlyBox,
];

const CHANNELS: [(f32, f32); 3] = [(0.015, -1.8), (0.016, -1.7), (0.014, -1.5)];

struct Layers {
    size: usize,
    photos: Vec<u8>,
    tiled: Vec<u8>,
    masks: Vec<u8>,
    boxes: Vec<i32>,
}

impl Layers {
    fn random(samples: usize, size: usize) -> Self {
        let bytes =
            |seed, len| random_values(len, seed).into_iter().map(|v| (v * 127.0 + 128.0) as u8).collect();
        let of_mask = (size * size).div_ceil(8);
        let boxes = (0..samples).flat_map(|i| {
            let (low, high) = (i % size, size - 1 - i % size.div_ceil(2));
            [low.min(high), 0, high.max(low), high].map(|v| v as i32)
        });
        Self {
            size,
            photos: bytes(1, samples * size * size * 3),
            tiled: bytes(2, samples * size * size * 3),
            masks: bytes(3, samples * of_mask),
            boxes: boxes.collect(),
        }
    }

    /// One channel of one pixel of a view, as the table of in9-data's `compose` says.
    fn value(&self, picture: &Picture, [x, y]: [i32; 2], c: usize) -> f32 {
        let (size, sample) = (self.size as i32, picture.sample as usize);
        let (mut sx, sy) = (x - picture.dx, y - picture.dy);
        if !(0..size).contains(&sx) || !(0..size).contains(&sy) {
            return 0.0;
        }
        if picture.mirrored {
            sx = size - 1 - sx;
        }
        let pixel = (sy * size + sx) as usize;
        let of = |layers: &[u8], sample: usize| layers[(sample * self.size * self.size + pixel) * 3 + c];
        let photo = of(&self.photos, sample);
        let background = of(&self.tiled, picture.background as usize);
        let mask =
            self.masks[sample * (self.size * self.size).div_ceil(8) + pixel / 8] >> (pixel % 8) & 1 == 1;
        let b = &self.boxes[sample * 4..][..4];
        let boxed = (b[0]..=b[2]).contains(&sx) && (b[1]..=b[3]).contains(&sy);
        let byte = match picture.view {
            View::Original => photo,
            View::OnlyBgB => {
                if boxed {
                    0
                } else {
                    photo
                }
            }
            View::OnlyBgT => background,
            View::NoFg => {
                if mask {
                    0
                } else {
                    photo
                }
            }
            View::OnlyFg => {
                if mask {
                    photo
                } else {
                    0
                }
            }
            View::Mixed => {
                if mask {
                    photo
                } else {
                    background
                }
            }
            View::OnlyMask => u8::from(mask) * 255,
            View::OnlyBox => u8::from(boxed) * 255,
        };
        f32::from(byte) * CHANNELS[c].0 + CHANNELS[c].1
    }
}

#[test]
pub(crate) fn every_view_in_every_placement_has_the_bits_of_the_definition() {
    for emulator in Emulator::both_orders() {
        for size in [1, 3, 8, 13, 36] {
            let layers = Layers::random(4, size);
            let mut pictures = Vec::new();
            for (i, view) in VIEWS.into_iter().enumerate() {
                for (mirrored, dx, dy) in
                    [(false, 0, 0), (true, 0, 0), (false, 2, -1), (true, -2, 1), (true, 20, 0)]
                {
                    let background = if view == View::Mixed { (i + 1) % 4 } else { i % 4 };
                    let (sample, background) = ((i % 4) as i32, background as i32);
                    pictures.push(Picture { sample, background, view, mirrored, dx, dy });
                }
            }
            for element in [Element::F32, Element::Bf16] {
                let plan = compose(pictures.len(), size, CHANNELS, element);
                let buffers = vec![
                    Buffer::Input(Values::U8(layers.photos.clone())),
                    Buffer::Input(Values::U8(layers.tiled.clone())),
                    Buffer::Input(Values::U8(layers.masks.clone())),
                    Buffer::Input(Values::I32(layers.boxes.clone())),
                    Buffer::Input(Values::I32(pictures.iter().flat_map(|p| p.numbers()).collect())),
                    Buffer::Output(element, pictures.len() * size * size * 3),
                ];
                let found = emulator.run(&plan, buffers).unwrap()[5].floats();
                let mut found = found.into_iter();
                for picture in &pictures {
                    for (y, x, c) in
                        (0..size).flat_map(|y| (0..size).flat_map(move |x| (0..3).map(move |c| (y, x, c))))
                    {
                        let value = layers.value(picture, [x as i32, y as i32], c);
                        let expected = match element {
                            Element::Bf16 => half::bf16::from_f32(value).to_f32(),
                            _ => value,
                        };
                        assert_eq!(found.next(), Some(expected), "{picture:?} {x} {y} {c} {element:?}");
                    }
                }
            }
        }
    }
}
