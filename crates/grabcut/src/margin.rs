//! How firmly a cut holds its outline.

use crate::maxflow::grid::{FORWARD, STEP};
use crate::planar::PlanarImage;
use crate::{RgbView, Segmentation};

/// Mean energy, in nats, that it would add to give one pixel of the foreground's outline to the background and leave all
/// others as they are; `None` if the mask has no outline. `gamma` is that of the segmentation's
/// [`Params`](crate::Params).
///
/// The mask is the minimum of the energy, so that for pixels that were undecided no such change lowers it: near 0 the
/// outline could as well run elsewhere; a large value says that colours and edges hold it where it is. It is a bound on the
/// energy gap of each pixel (its min-marginal), which would take a cut a pixel to find. Costs a pass over the image.
///
/// ```
/// use grabcut::{Init, Params, Rect, RgbView, Workspace, outline_margin, segment};
///
/// let bright = |i: usize| matches!(i % 6, 2 | 3) && matches!(i / 6, 2 | 3);
/// let pixels: Vec<u8> = (0..36).flat_map(|i| if bright(i) { [250, 240, 20] } else { [9, 9, 9] }).collect();
/// let (image, params) = (RgbView::new(&pixels, 6, 6)?, Params::default());
/// let mut workspace = Workspace::new();
/// let result = segment(image, Init::Box(Rect { x0: 1, y0: 1, x1: 5, y1: 5 }), &params, &mut workspace)?;
/// assert!(outline_margin(image, &result, params.gamma).is_some_and(|nats| nats > 1000.0));
/// # Ok::<(), grabcut::Error>(())
/// ```
///
/// # Panics
///
/// If the segmentation is of an image of another size.
pub fn outline_margin(image: RgbView, segmentation: &Segmentation<'_>, gamma: f64) -> Option<f64> {
    let mask = segmentation.mask();
    assert_eq!(mask.len(), image.pixels(), "pixels of the mask and of the image");
    let mut planar = PlanarImage::default();
    planar.load(image);
    let beta = planar.beta();
    let (width, height) = (image.width(), image.height());
    let colour = |i: usize| [0, 1, 2].map(|c| f64::from(image.data()[3 * i + c]));
    // All eight neighbours: four forward, and the same back.
    let steps = || FORWARD.iter().flat_map(|&d| [STEP[d], (-STEP[d].0, -STEP[d].1)]);
    let (mut sum, mut pixels) = (0.0, 0u64);
    for i in (0..mask.len()).filter(|&i| mask[i] == 1) {
        let (x, y) = (i % width, i / width);
        let (mut links, mut at_outline) = (0.0, false);
        for (dx, dy) in steps() {
            let (nx, ny) = (x.wrapping_add_signed(dx), y.wrapping_add_signed(dy));
            if nx >= width || ny >= height {
                continue;
            }
            let j = ny * width + nx;
            let apart: f64 = colour(i).iter().zip(colour(j)).map(|(a, b)| (a - b).powi(2)).sum();
            let link = gamma * (-beta * apart).exp() / ((dx * dx + dy * dy) as f64).sqrt();
            // A link to the foreground is cut by the change, one to the background is healed.
            links += if mask[j] == 1 { link } else { -link };
            at_outline |= mask[j] == 0;
        }
        if at_outline {
            let [fore, back] = [segmentation.foreground_model(), segmentation.background_model()];
            sum += back.cost(colour(i)) - fore.cost(colour(i)) + links;
            pixels += 1;
        }
    }
    (pixels > 0).then(|| sum / pixels as f64)
}
