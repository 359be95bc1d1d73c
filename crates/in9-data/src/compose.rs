//! Layers to pixels: the fifteen views.

use crate::canvas::{Bytes, Canvas};
use crate::controls::{flat_colour, inpaint, noise};
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
/// | bg-inpainted | photo where mask, else the photo with the mask and a margin of size / 32 around it filled by diffusion |
/// | bg-tiled | photo where mask, else tiled |
/// | bg-flat | photo where mask, else the mean colour of the photo's background |
/// | bg-noise | photo where mask, else random-phase noise of tiled, one for each picture |
/// | only-mask | white where mask, else black |
/// | only-box | black, box white |
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
    draw(view, foreground, fg_box, background, size, &mut Bytes(out));
}

/// Draws one view, each pixel once and in order. Arguments and panics are those of [`compose`].
///
/// A canvas that stores another form than bytes needs no composed picture in between.
pub(crate) fn draw(
    view: View,
    foreground: &Layers<'_>,
    fg_box: [u16; 4],
    background: Option<&[u8]>,
    size: usize,
    canvas: &mut impl Canvas,
) {
    let (photo, mask, bytes) = (foreground.photo, foreground.mask, size * size * 3);
    let [needs_photo, needs_tiled, _] = view.layers();
    if needs_photo {
        assert_eq!(photo.len(), bytes, "bytes of a {size}x{size} photo");
    }
    if needs_tiled {
        assert_eq!(foreground.tiled.len(), bytes, "bytes of a {size}x{size} background");
    }
    // The object on a background that is made for it.
    let mut on = |make: &dyn Fn(&mut [u8])| {
        let mut made = vec![0; bytes];
        make(&mut made);
        select(mask, Some(photo), Some(&made), size * size, canvas);
    };
    match view {
        View::Original => canvas.put(0, photo),
        View::OnlyBgT => canvas.put(0, foreground.tiled),
        View::OnlyBgB => {
            let [x0, y0, x1, y1] = fg_box.map(usize::from);
            let mut kept = 0;
            for y in y0..=y1 {
                let (start, end) = (y * size + x0, y * size + x1 + 1);
                canvas.put(kept, &photo[kept * 3..start * 3]);
                canvas.black(start, end - start);
                kept = end;
            }
            canvas.put(kept, &photo[kept * 3..]);
        }
        View::NoFg => select(mask, None, Some(photo), size * size, canvas),
        View::OnlyFg => select(mask, Some(photo), None, size * size, canvas),
        View::MixedSame | View::MixedRand | View::MixedNext => {
            let background = background.expect("a mixed view needs a background");
            assert_eq!(background.len(), bytes, "bytes of a {size}x{size} background");
            select(mask, Some(photo), Some(background), size * size, canvas);
        }
        View::BgBlurred => on(&|made| crate::blur::background(photo, mask, size, made)),
        View::BgInpainted => on(&|made| inpaint(photo, mask, size, made)),
        View::BgTiled => select(mask, Some(photo), Some(foreground.tiled), size * size, canvas),
        View::BgFlat => {
            let colour = flat_colour(photo, mask);
            on(&|made| made.as_chunks_mut::<3>().0.fill(colour));
        }
        View::BgNoise => on(&|made| noise(foreground.tiled, size, made)),
        View::OnlyMask => select(mask, Some(&vec![255; bytes]), None, size * size, canvas),
        View::OnlyBox => {
            let [x0, y0, x1, y1] = fg_box.map(usize::from);
            let white = vec![255; (x1 + 1 - x0) * 3];
            let mut drawn = 0;
            for y in y0..=y1 {
                let start = y * size + x0;
                canvas.black(drawn, start - drawn);
                canvas.put(start, &white);
                drawn = start + white.len() / 3;
            }
            canvas.black(drawn, size * size - drawn);
        }
    }
}

/// The eight pixels of one byte of a mask, RGB, as words: three operations choose between two layers.
type Block = [u64; 3];

/// For each byte of a mask, all bits of the three channels of each of its foreground pixels.
static SPREAD: [Block; 256] = {
    let mut spread = [[0; 3]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut bytes, mut at) = ([[0; 8]; 3], 0);
        while at < 24 {
            bytes[at / 8][at % 8] = if bits >> (at / 3) & 1 == 1 { 255 } else { 0 };
            at += 1;
        }
        spread[bits] =
            [u64::from_ne_bytes(bytes[0]), u64::from_ne_bytes(bytes[1]), u64::from_ne_bytes(bytes[2])];
        bits += 1;
    }
    spread
};

/// Eight pixels of a layer from number `at` on; behind its end, and without a layer, black.
#[inline(always)]
fn block(layer: Option<&[u8]>, at: usize) -> Block {
    let mut bytes = [[0; 8]; 3];
    if let Some(rest) = layer.map(|layer| &layer[at * 3..]) {
        let bytes = bytes.as_flattened_mut();
        match rest.first_chunk::<24>() {
            Some(whole) => bytes.copy_from_slice(whole),
            None => bytes[..rest.len()].copy_from_slice(rest),
        }
    }
    bytes.map(u64::from_ne_bytes)
}

/// How many bytes, from the first on, are equal to the first. There must be one.
fn run(bytes: &[u8]) -> usize {
    let first = u64::from_ne_bytes([bytes[0]; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ first;
        if differing != 0 {
            return at * 8 + differing.trailing_zeros() as usize / 8;
        }
    }
    words.len() * 8 + rest.iter().take_while(|&&byte| byte == bytes[0]).count()
}

/// Draws `inside` where the mask is set, `outside` elsewhere; `None` is black.
///
/// Most bytes of a mask are all 0 or all 1, so most of a picture is long pieces of either layer, and of the
/// other layer nothing is read there.
fn select(
    mask: MaskBits<'_>,
    inside: Option<&[u8]>,
    outside: Option<&[u8]>,
    pixels: usize,
    canvas: &mut impl Canvas,
) {
    let bytes = mask.bytes();
    let mut at = 0;
    while let Some(&bits) = bytes.get(at) {
        let start = at * 8;
        if bits == 0 || bits == 0xff {
            at += run(&bytes[at..]);
            let end = pixels.min(at * 8);
            match if bits == 0 { outside } else { inside } {
                Some(layer) => canvas.put(start, &layer[start * 3..end * 3]),
                None => canvas.black(start, end - start),
            }
            continue;
        }
        at += 1;
        let (inside, outside) = (block(inside, start), block(outside, start));
        let spread = &SPREAD[usize::from(bits)];
        let words: Block = std::array::from_fn(|i| outside[i] ^ (inside[i] ^ outside[i]) & spread[i]);
        let mixed = words.map(u64::to_ne_bytes);
        // A whole block has a length that the compiler knows; only the last may be shorter.
        match pixels - start {
            8.. => canvas.put(start, mixed.as_flattened()),
            left => canvas.put(start, &mixed.as_flattened()[..left * 3]),
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
        assert_eq!(tiny(View::BgTiled), [1, 2, 3, 24, 25, 26, 27, 28, 29, 10, 11, 12]);
        // The mean of (4, 5, 6) and (7, 8, 9), rounded.
        assert_eq!(tiny(View::BgFlat), [1, 2, 3, 6, 7, 8, 6, 7, 8, 10, 11, 12]);
        assert_eq!(tiny(View::OnlyMask), [255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255]);
        assert_eq!(tiny(View::OnlyBox), [255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0]);
    }

    /// Networks are trained and compared on these bytes: a change of any view is a break.
    #[test]
    fn the_bytes_of_every_view_stay_as_they_are() {
        use rand_chacha::rand_core::Rng;
        let size = 28;
        let mut random = in9_base::rng::stream(3, "golden", 0, 0);
        let mut layer = || -> Vec<u8> {
            // Steps of a random walk, so that neighbours are alike as in photographs.
            let mut value = 128i32;
            (0..size * size * 3)
                .map(|_| {
                    value = (value + (random.next_u32() % 41) as i32 - 20).clamp(0, 255);
                    value as u8
                })
                .collect()
        };
        let (photo, tiled, background) = (layer(), layer(), layer());
        let inside = |i: usize| {
            (7..19).contains(&(i % size)) && (5..24).contains(&(i / size)) && !i.is_multiple_of(31)
        };
        let mut bits = Vec::new();
        crate::mask::pack(&(0..size * size).map(|i| u8::from(inside(i))).collect::<Vec<_>>(), &mut bits);
        let layers = Layers { photo: &photo, tiled: &tiled, mask: MaskBits::new(&bits, size) };
        let digest = |view: View| {
            let mut out = vec![0; photo.len()];
            compose(
                view,
                &layers,
                [6, 4, 20, 24],
                view.needs_background().then_some(&background[..]),
                size,
                &mut out,
            );
            blake3::hash(&out).to_hex()[..8].to_owned()
        };
        let found: Vec<String> =
            View::ALL.into_iter().map(|view| format!("{view} {}", digest(view))).collect();
        assert_eq!(found, GOLDEN);
    }

    const GOLDEN: [&str; 15] = [
        "original aaf436e2",
        "only-bg-b 9eaaa872",
        "only-bg-t 20d83d95",
        "no-fg 0725bfa9",
        "only-fg 038c8ea9",
        "mixed-same 4c6c9109",
        "mixed-rand 4c6c9109",
        "mixed-next 4c6c9109",
        "bg-blurred 1ccd0a51",
        "bg-inpainted 4069a74e",
        "bg-tiled f37731c4",
        "bg-flat 00dc8105",
        "bg-noise d1d734ed",
        "only-mask 92152748",
        "only-box 31f67047",
    ];

    #[test]
    fn runs_end_at_the_first_other_byte() {
        for length in 1..20 {
            for end in 1..=length {
                let bytes: Vec<u8> = (0..length).map(|i| if i < end { 0xff } else { 0x7f }).collect();
                assert_eq!(run(&bytes), end);
            }
        }
    }

    proptest! {
        #[test]
        fn foreground_and_background_add_up(size in 1usize..40, solid: bool, seed: u64) {
            use rand_chacha::rand_core::Rng;
            let mut rng = in9_base::rng::stream(seed, "test", 0, 0);
            let mut random = |n: usize| { let mut v = vec![0; n]; rng.fill_bytes(&mut v); v };
            let (photo, background) = (random(size * size * 3), random(size * size * 3));
            // A rectangle, with long runs of both kinds, or noise, with none.
            let set = |i: usize| if solid { i / size >= size / 3 && i % size >= size / 4 } else { photo[i] & 1 == 1 };
            let mut bits = Vec::new();
            crate::mask::pack(&(0..size * size).map(|i| u8::from(set(i))).collect::<Vec<_>>(), &mut bits);
            let layers = Layers { photo: &photo, tiled: &photo, mask: MaskBits::new(&bits, size) };
            let view = |view| { let mut out = vec![7; photo.len()]; compose(view, &layers, [0; 4], Some(&background), size, &mut out); out };
            let (no, only, mixed, blurred) = (view(View::NoFg), view(View::OnlyFg), view(View::MixedRand), view(View::BgBlurred));
            for i in 0..photo.len() {
                let inside = set(i / 3);
                prop_assert_eq!(no[i] + only[i], photo[i]);
                prop_assert_eq!(mixed[i], if inside { photo[i] } else { background[i] });
                if inside { prop_assert_eq!(blurred[i], photo[i]); }
            }
        }
    }
}
