//! Layers to pixels: the nine views.

use crate::mask::MaskBits;
use crate::view::View;

/// What is stored of a sample, at one square size.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The photograph: size·size·3 bytes, RGB, row-major.
    pub photo: &'a [u8],
    /// The photograph with its box filled by the tiled background: same layout. Empty in a dataset
    /// of photographs only.
    pub tiled: &'a [u8],
    /// The foreground.
    pub mask: MaskBits<'a>,
}

/// Computes one view of a sample.
///
/// `fg_box` is the sample's box in pixels of the crop, `[x0, y0, x1, y1]`, all inclusive.
/// `background` is the tiled layer of the background sample (size·size·3 bytes, RGB); only the
/// mixed views read it. `out` receives size·size·3 bytes, RGB, row-major.
///
/// | view | pixels |
/// | --- | --- |
/// | original | photo |
/// | only-bg-b | photo, box black |
/// | only-bg-t | tiled |
/// | no-fg | photo, mask black |
/// | only-fg | photo where mask, else black |
/// | mixed-… | photo where mask, else background |
/// | bg-blurred | photo where mask, else the blurred background of the photo |
///
/// # Panics
/// If a slice does not have the length that `size` asks for, or a mixed view gets no background.
pub fn compose(
    view: View,
    foreground: &Layers<'_>,
    fg_box: [u16; 4],
    background: Option<&[u8]>,
    size: usize,
    out: &mut [u8],
) {
    let bytes = size * size * 3;
    assert_eq!(out.len(), bytes, "bytes of a {size}x{size} picture");
    assert_eq!(foreground.photo.len(), bytes, "bytes of a {size}x{size} photo");
    match view {
        View::Original => out.copy_from_slice(foreground.photo),
        View::OnlyBgT => out.copy_from_slice(foreground.tiled),
        View::OnlyBgB => {
            out.copy_from_slice(foreground.photo);
            let [x0, y0, x1, y1] = fg_box.map(usize::from);
            for row in out.chunks_exact_mut(size * 3).take(y1 + 1).skip(y0) {
                row[x0 * 3..(x1 + 1) * 3].fill(0);
            }
        }
        View::NoFg => select(foreground.mask, Pixels::Black, Pixels::Of(foreground.photo), out),
        View::OnlyFg => select(foreground.mask, Pixels::Of(foreground.photo), Pixels::Black, out),
        View::MixedSame | View::MixedRand | View::MixedNext => {
            let background = background.expect("a mixed view needs a background");
            assert_eq!(background.len(), bytes, "bytes of a {size}x{size} background");
            select(foreground.mask, Pixels::Of(foreground.photo), Pixels::Of(background), out);
        }
        View::BgBlurred => {
            crate::blur::background(foreground.photo, foreground.mask, size, out);
            for (index, (out, photo)) in
                out.chunks_exact_mut(3).zip(foreground.photo.chunks_exact(3)).enumerate()
            {
                if foreground.mask.bit(index) {
                    out.copy_from_slice(photo);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Pixels<'a> {
    Black,
    Of(&'a [u8]),
}

/// Pixels of `inside` where the mask is 1, of `outside` where it is 0.
///
/// Eight pixels at a time: most bytes of a mask are all 0 or all 1, so most of the work is copying.
fn select(mask: MaskBits<'_>, inside: Pixels<'_>, outside: Pixels<'_>, out: &mut [u8]) {
    let fill = |from: Pixels<'_>, at: usize, out: &mut [u8]| match from {
        Pixels::Black => out.fill(0),
        Pixels::Of(pixels) => out.copy_from_slice(&pixels[at..at + out.len()]),
    };
    for (block, (out, &bits)) in out.chunks_mut(24).zip(mask.bytes()).enumerate() {
        let at = block * 24;
        match bits {
            0 => fill(outside, at, out),
            0xff => fill(inside, at, out),
            _ => {
                for (bit, out) in out.chunks_exact_mut(3).enumerate() {
                    let from = if bits >> bit & 1 == 1 { inside } else { outside };
                    fill(from, at + bit * 3, out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2×2: photo 1..=12, tiled 21..=32, background 41..=52, mask on the diagonal, box the top row.
    fn tiny(view: View) -> Vec<u8> {
        let photo: Vec<u8> = (1..=12).collect();
        let tiled: Vec<u8> = (21..=32).collect();
        let background: Vec<u8> = (41..=52).collect();
        let layers = Layers { photo: &photo, tiled: &tiled, mask: MaskBits::new(&[0b1001], 2) };
        let mut out = vec![255; 12];
        compose(view, &layers, [0, 0, 1, 0], view.needs_background().then_some(&background[..]), 2, &mut out);
        out
    }

    #[test]
    fn tiny_exact_cases() {
        assert_eq!(tiny(View::Original), (1..=12).collect::<Vec<_>>());
        assert_eq!(tiny(View::OnlyBgT), (21..=32).collect::<Vec<_>>());
        assert_eq!(tiny(View::OnlyBgB), [0, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11, 12]);
        assert_eq!(tiny(View::NoFg), [0, 0, 0, 4, 5, 6, 7, 8, 9, 0, 0, 0]);
        assert_eq!(tiny(View::OnlyFg), [1, 2, 3, 0, 0, 0, 0, 0, 0, 10, 11, 12]);
        for view in View::MIXED {
            assert_eq!(tiny(view), [1, 2, 3, 44, 45, 46, 47, 48, 49, 10, 11, 12]);
        }
    }

    proptest! {
        #[test]
        fn foreground_and_background_add_up(size in 1usize..13, seed: u64) {
            use rand_chacha::rand_core::Rng;
            let mut rng = crate::rng::stream(seed, "test", 0, 0);
            let mut random = |n: usize| { let mut v = vec![0; n]; rng.fill_bytes(&mut v); v };
            let (photo, background) = (random(size * size * 3), random(size * size * 3));
            let mut bits = random(crate::mask::mask_bytes(size));
            if size * size % 8 != 0 { *bits.last_mut().unwrap() &= (1 << (size * size % 8)) - 1; }
            let layers = Layers { photo: &photo, tiled: &photo, mask: MaskBits::new(&bits, size) };
            let view = |view| { let mut out = vec![7; photo.len()]; compose(view, &layers, [0; 4], Some(&background), size, &mut out); out };
            let (no, only, mixed, blurred) = (view(View::NoFg), view(View::OnlyFg), view(View::MixedRand), view(View::BgBlurred));
            for i in 0..photo.len() {
                let inside = layers.mask.bit(i / 3);
                prop_assert_eq!(no[i] + only[i], photo[i]);
                prop_assert_eq!(mixed[i], if inside { photo[i] } else { background[i] });
                if inside { prop_assert_eq!(blurred[i], photo[i]); }
            }
        }
    }
}
