//! The object of a photograph by GrabCut.

use grabcut::{Init, Params, Rect, RgbView, Workspace};

use crate::photo::Photo;
use crate::profile::Profile;

use super::{GRABCUT_BYTES, PhotoBox, Rejection};

/// Memory of one photograph with its mask and all that GrabCut needs, in bytes. A constant and no setting, because
/// masks of large photographs depend on it.
const MEMORY: u64 = 1 << 30;

/// Most pixels that GrabCut is given of a photograph of `pixels`: all of them up to 15 megapixels, more than any
/// photograph of ILSVRC has. A larger one is cut out at a half, a third … of its size; what is stored of it is smaller
/// still.
pub(crate) fn most_pixels(pixels: u64) -> u64 {
    // The photograph as RGB and its mask; what GrabCut is given as RGB, and what it computes.
    MEMORY.saturating_sub(pixels.saturating_mul(3 + 1)) / (3 + GRABCUT_BYTES)
}

/// GrabCut from the box; one byte a pixel, 0 or 1.
pub(super) fn segment(
    photo: &Photo,
    photo_box: &PhotoBox,
    profile: Profile,
    workspace: &mut Workspace,
) -> Result<Vec<u8>, Rejection> {
    let [x0, y0, x1, y1] = photo_box.inclusive(photo.width, photo.height);
    let rect = match profile {
        // The authors' rectangle has width xmax − xmin: it leaves out the last column and row.
        Profile::Paper => Rect { x0, y0, x1: photo_box.xmax as u32, y1: photo_box.ymax as u32 },
        Profile::Clean => Rect { x0, y0, x1: x1 + 1, y1: y1 + 1 },
    };
    let pixels = u64::from(photo.width) * u64::from(photo.height);
    segment_within(most_pixels(pixels), photo, rect, workspace)
        .map_err(|e| Rejection::rule("mask-failed", e.to_string()))
}

fn segment_within(
    pixels: u64,
    photo: &Photo,
    rect: Rect,
    workspace: &mut Workspace,
) -> Result<Vec<u8>, grabcut::Error> {
    let (width, height) = (photo.width as usize, photo.height as usize);
    let smaller = |k: u32| u64::from(photo.width.div_ceil(k)) * u64::from(photo.height.div_ceil(k));
    let part = (1..).find(|&k| smaller(k) <= pixels).unwrap_or(1);
    let shrunk;
    let (rgb, rect) = match part {
        1 => (&photo.rgb, rect),
        _ => {
            shrunk = shrink(photo, part as usize);
            let Rect { x0, y0, x1, y1 } = rect;
            let (x1, y1) = (x1.div_ceil(part), y1.div_ceil(part));
            (&shrunk, Rect { x0: x0 / part, y0: y0 / part, x1, y1 })
        }
    };
    let part = part as usize;
    let across = width.div_ceil(part);
    let view = RgbView::new(rgb, across, height.div_ceil(part))?;
    // One seed for all: a photograph's mask does not depend on its name or place.
    let segmented = grabcut::segment(view, Init::Box(rect), &Params::default(), workspace)?;
    let small = segmented.mask();
    if part == 1 {
        return Ok(small.to_vec());
    }
    let mut mask = Vec::with_capacity(width * height);
    for y in 0..height {
        let row = &small[y / part * across..][..across];
        mask.extend((0..width).map(|x| row[x / part]));
    }
    Ok(mask)
}

/// The mean of each square of `part`×`part` pixels; those at the right and lower edge may be smaller.
fn shrink(photo: &Photo, part: usize) -> Vec<u8> {
    let (width, height) = (photo.width as usize, photo.height as usize);
    let mut out = Vec::with_capacity(width.div_ceil(part) * height.div_ceil(part) * 3);
    for top in (0..height).step_by(part) {
        for left in (0..width).step_by(part) {
            let (bottom, right) = ((top + part).min(height), (left + part).min(width));
            let mut sums = [0u64; 3];
            for y in top..bottom {
                for pixel in photo.rgb[(y * width + left) * 3..(y * width + right) * 3].as_chunks::<3>().0 {
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(*value));
                }
            }
            let count = ((bottom - top) * (right - left)) as u64;
            out.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::disc;
    use super::*;

    #[test]
    fn squares_become_their_means_also_at_the_edges() {
        let photo = Photo { width: 3, height: 2, rgb: [[0; 3], [10; 3], [7; 3]].concat().repeat(2) };
        assert_eq!(shrink(&photo, 2), [5, 5, 5, 7, 7, 7]);
        assert_eq!(shrink(&photo, 5), [6, 6, 6], "17 / 3, rounded");
    }

    #[test]
    fn photographs_of_usual_cameras_and_of_ilsvrc_are_cut_out_whole() {
        for megapixels in [1, 12, 15] {
            assert!(most_pixels(megapixels * 1_000_000) >= megapixels * 1_000_000, "{megapixels}");
        }
        assert!(most_pixels(16_000_000) < 16_000_000 && most_pixels(134_000_000) > 7_000_000);
    }

    #[test]
    fn a_photograph_beyond_the_limit_is_cut_out_at_a_part_of_its_size() {
        let photo = disc(181, 129, (80, 60), 30);
        let rect = Rect { x0: 48, y0: 28, x1: 113, y1: 93 };
        let cut = |pixels| segment_within(pixels, &photo, rect, &mut Workspace::new()).unwrap();
        let (whole, half, third) = (cut(181 * 129), cut(91 * 65), cut(61 * 43));
        let area = |mask: &[u8]| mask.iter().map(|&m| i64::from(m)).sum::<i64>();
        for (mask, most) in [(&half, 200), (&third, 320)] {
            assert_eq!(mask.len(), whole.len());
            // A disc of radius 30 has 188 pixels at its edge.
            let different = whole.iter().zip(mask).filter(|(a, b)| a != b).count();
            assert!(area(&whole) > 2700 && different < most, "{} {different}", area(&whole));
        }
    }
}
