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
    assert_eq!(out.len(), size * size * 3, "bytes of a {size}x{size} picture");
    pieces(view, foreground, fg_box, background, size, |at, piece| match piece {
        Piece::Of(rgb) => out[at * 3..][..rgb.len()].copy_from_slice(rgb),
        Piece::Black(pixels) => out[at * 3..][..pixels * 3].fill(0),
    });
}

/// A stretch of a composed picture.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// Pixels, RGB.
    Of(&'a [u8]),
    /// So many black pixels.
    Black(usize),
}

/// Computes one view piece by piece: `put` is told the first pixel of each, and together they cover the
/// picture once, in order. Arguments and panics are those of [`compose`].
///
/// Whoever stores the pieces in another form than bytes needs no composed picture in between.
pub(crate) fn pieces(
    view: View,
    foreground: &Layers<'_>,
    fg_box: [u16; 4],
    background: Option<&[u8]>,
    size: usize,
    mut put: impl FnMut(usize, Piece<'_>),
) {
    let (photo, mask, bytes) = (foreground.photo, foreground.mask, size * size * 3);
    assert_eq!(photo.len(), bytes, "bytes of a {size}x{size} photo");
    match view {
        View::Original => put(0, Piece::Of(photo)),
        View::OnlyBgT => {
            assert_eq!(foreground.tiled.len(), bytes, "bytes of a {size}x{size} background");
            put(0, Piece::Of(foreground.tiled));
        }
        View::OnlyBgB => {
            let [x0, y0, x1, y1] = fg_box.map(usize::from);
            let mut kept = 0;
            for y in y0..=y1 {
                let (start, end) = (y * size + x0, y * size + x1 + 1);
                put(kept, Piece::Of(&photo[kept * 3..start * 3]));
                put(start, Piece::Black(end - start));
                kept = end;
            }
            put(kept, Piece::Of(&photo[kept * 3..]));
        }
        View::NoFg => select(mask, None, Some(photo), size * size, put),
        View::OnlyFg => select(mask, Some(photo), None, size * size, put),
        View::MixedSame | View::MixedRand | View::MixedNext => {
            let background = background.expect("a mixed view needs a background");
            assert_eq!(background.len(), bytes, "bytes of a {size}x{size} background");
            select(mask, Some(photo), Some(background), size * size, put);
        }
        View::BgBlurred => {
            let mut blurred = vec![0; bytes];
            crate::blur::background(photo, mask, size, &mut blurred);
            select(mask, Some(photo), Some(&blurred), size * size, put);
        }
    }
}

/// For each byte of a mask, 255 for the three channels of each of its foreground pixels.
const SPREAD: [[u8; 24]; 256] = {
    let mut spread = [[0; 24]; 256];
    let mut entry = 0;
    while entry < 256 * 24 {
        let (bits, at) = (entry / 24, entry % 24);
        spread[bits][at] = if bits >> (at / 3) & 1 == 1 { 255 } else { 0 };
        entry += 1;
    }
    spread
};

/// Puts `inside` where the mask is set, `outside` elsewhere; `None` is black.
///
/// Most bytes of a mask are all 0 or all 1, so most of a picture is long pieces of either layer.
fn select(
    mask: MaskBits<'_>,
    inside: Option<&[u8]>,
    outside: Option<&[u8]>,
    pixels: usize,
    mut put: impl FnMut(usize, Piece<'_>),
) {
    let bytes = mask.bytes();
    let mut block = 0;
    while let Some(&bits) = bytes.get(block) {
        let start = block * 8;
        if bits == 0 || bits == 0xff {
            block += bytes[block..].iter().position(|&b| b != bits).unwrap_or(bytes.len() - block);
            let end = (block * 8).min(pixels);
            put(
                start,
                match if bits == 0 { outside } else { inside } {
                    Some(layer) => Piece::Of(&layer[start * 3..end * 3]),
                    None => Piece::Black(end - start),
                },
            );
        } else {
            block += 1;
            let span = start * 3..(block * 8).min(pixels) * 3;
            let mut mixed = [0; 24];
            let mixed = &mut mixed[..span.len()];
            for (layer, chosen) in [(inside, 255), (outside, 0)] {
                let Some(layer) = layer else { continue };
                let wide = &SPREAD[usize::from(bits)];
                for ((mixed, wide), &value) in mixed.iter_mut().zip(wide).zip(&layer[span.clone()]) {
                    // The spread mask for the inside, its complement for the outside.
                    *mixed |= value & !(wide ^ chosen);
                }
            }
            put(start, Piece::Of(mixed));
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
