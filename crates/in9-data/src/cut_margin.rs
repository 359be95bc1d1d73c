//! How sure GrabCut is of an object's outline.

use grabcut::{Init, Params, Rect, RgbView, Workspace, outline_margin, segment};

use crate::compose::Layers;
use crate::mask::pack;

/// GrabCut of a stored photograph from its box: the mask, and how firmly the cut holds its outline.
#[derive(Debug, Clone, PartialEq)]
pub struct CutMargin {
    /// Mean energy, in nats, that it would add to give one pixel of the outline to the background
    /// ([`grabcut::outline_margin`]); near 0 the outline could as well run elsewhere.
    pub nats: f64,
    /// The mask at the stored size, packed as [`MaskBits`](crate::MaskBits) are.
    pub mask: Vec<u8>,
}

/// Cuts the object out of the stored photograph once more and measures how firm the cut is; `None` if nothing is cut out.
///
/// The box is in pixels of the crop, all inclusive. This is about the stored picture, `size` pixels a side, and so says the
/// same of a photograph whatever drew the dataset's own mask; a dataset's GrabCut masks were drawn at full resolution.
pub fn cut_margin(
    layers: &Layers<'_>,
    crop_box: [u16; 4],
    size: usize,
    workspace: &mut Workspace,
) -> Option<CutMargin> {
    let image = RgbView::new(layers.photo, size, size).ok()?;
    let [x0, y0, x1, y1] = crop_box.map(u32::from);
    let (init, params) = (Init::Box(Rect { x0, y0, x1: x1 + 1, y1: y1 + 1 }), Params::default());
    let cut = segment(image, init, &params, workspace).ok()?;
    let nats = outline_margin(image, &cut, params.gamma)?;
    let mut mask = Vec::with_capacity(cut.mask().len().div_ceil(8));
    pack(cut.mask(), &mut mask);
    Some(CutMargin { nats, mask })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::MaskBits;

    /// A disc on a ground that is `apart` levels darker, with noise on both.
    fn disc(apart: u8) -> Vec<u8> {
        let noise = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 27) as u8;
        let inside = |i: usize| (i % 48).abs_diff(24).pow(2) + (i / 48).abs_diff(24).pow(2) < 120;
        (0..48 * 48).flat_map(|i| [if inside(i) { 100 + apart } else { 100 } + noise(i); 3]).collect()
    }

    fn of(photo: &[u8]) -> Option<CutMargin> {
        let none = vec![0; 48 * 48 / 8];
        let layers = Layers { photo, tiled: &[], mask: MaskBits::new(&none, 48) };
        cut_margin(&layers, [10, 10, 38, 38], 48, &mut Workspace::new())
    }

    #[test]
    fn an_object_that_stands_out_is_held_more_firmly() {
        let (faint, clear) = (of(&disc(25)).unwrap(), of(&disc(120)).unwrap());
        let area = MaskBits::new(&clear.mask, 48).area();
        assert!((340..=390).contains(&area), "{area}");
        assert!(clear.nats > 2.0 * faint.nats && faint.nats > 0.0, "{} {}", clear.nats, faint.nats);
    }

    #[test]
    fn a_picture_without_an_object_has_no_margin() {
        assert_eq!(of(&vec![77; 48 * 48 * 3]), None);
    }
}
