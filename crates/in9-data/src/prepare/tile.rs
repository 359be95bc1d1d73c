//! The tiled background of protocol §1.5.

use crate::photo::Photo;
use crate::profile::Profile;

use super::PhotoBox;

/// The photograph with its box filled by tiles of the largest strip beside the box, or `None` if
/// there is no strip.
///
/// The strip is the larger of the best vertical one (full height, left or right of the box) and
/// the best horizontal one (full width, above or below). It is repeated over the whole picture on a
/// grid that starts at (0, 0); the box shows what falls there. Ties: horizontal, right, bottom.
///
/// To the letter, the strips right and below begin with the box's own last column and row; the
/// clean profile begins after them.
pub(super) fn fill_box(photo: &Photo, photo_box: &PhotoBox, profile: Profile) -> Option<Vec<u8>> {
    let (width, height) = (photo.width as usize, photo.height as usize);
    let [x0, y0, x1, y1] = photo_box.inclusive(photo.width, photo.height).map(|v| v as usize);
    let (after_x, after_y) = match profile {
        Profile::Paper => (photo_box.xmax as usize, photo_box.ymax as usize),
        Profile::Clean => (x1 + 1, y1 + 1),
    };
    let (left, right, top, bottom) = (x0, width - after_x, y0, height - after_y);
    let (vertical, horizontal) = (left.max(right) * height, top.max(bottom) * width);
    if vertical == 0 && horizontal == 0 {
        return None;
    }
    // Start and length of the strip along its axis.
    let (start, length) = match vertical > horizontal {
        true if left > right => (0, left),
        true => (after_x, right),
        false if top > bottom => (0, top),
        false => (after_y, bottom),
    };
    let mut out = photo.rgb.clone();
    for y in y0..=y1 {
        for x in x0..=x1 {
            let (from_x, from_y) =
                if vertical > horizontal { (start + x % length, y) } else { (x, start + y % length) };
            let (to, from) = ((y * width + x) * 3, (from_y * width + from_x) * 3);
            out[to..to + 3].copy_from_slice(&photo.rgb[from..from + 3]);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels numbered row by row, three equal channels; returns the first channel.
    fn tiled(width: u32, height: u32, b: [i64; 4], profile: Profile) -> Option<Vec<u8>> {
        let rgb = (0..width * height).flat_map(|i| [i as u8; 3]).collect();
        let photo = Photo { width, height, rgb };
        let filled = fill_box(&photo, &PhotoBox::new(b[0], b[1], b[2], b[3]), profile)?;
        Some(filled.iter().copied().step_by(3).collect())
    }

    #[test]
    fn the_larger_strip_is_tiled_from_the_corner() {
        // 6×2, box on columns 3 and 4: left is 3 wide, so columns 0, 1, 2 repeat.
        let out = tiled(6, 2, [3, 0, 4, 1], Profile::Clean).unwrap();
        assert_eq!(out, [0, 1, 2, 0, 1, 5, 6, 7, 8, 6, 7, 11]);
        // Transposed: rows 0, 1, 2 repeat.
        let out = tiled(2, 6, [0, 3, 1, 4], Profile::Clean).unwrap();
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 10, 11]);
    }

    #[test]
    fn ties_go_right_and_bottom() {
        // 5×1: box on column 2, two columns on each side: the right strip, columns 3 and 4.
        assert_eq!(tiled(5, 1, [2, 0, 2, 0], Profile::Clean).unwrap(), [0, 1, 3, 3, 4]);
        assert_eq!(tiled(1, 5, [0, 2, 0, 2], Profile::Clean).unwrap(), [0, 1, 3, 3, 4]);
    }

    #[test]
    fn ties_between_directions_go_horizontal() {
        // 3×3, box in the middle: all strips have 3 pixels; the bottom row wins.
        assert_eq!(tiled(3, 3, [1, 1, 1, 1], Profile::Clean).unwrap(), [0, 1, 2, 3, 7, 5, 6, 7, 8]);
    }

    #[test]
    fn the_paper_counts_the_boxs_last_column_as_margin() {
        // Width 4, box on columns 1 to 2: right begins at xmax = 2 and is 2 wide (columns 2, 3).
        // The box ends at ymax = 1, the height, so that no row counts as a margin below.
        assert_eq!(tiled(4, 1, [1, 0, 2, 1], Profile::Paper).unwrap(), [0, 3, 2, 3]);
        assert_eq!(tiled(4, 1, [1, 0, 2, 0], Profile::Clean).unwrap(), [0, 3, 3, 3]);
    }

    #[test]
    fn without_margin_there_is_no_strip() {
        assert_eq!(tiled(4, 4, [0, 0, 3, 3], Profile::Clean), None);
        assert_eq!(tiled(4, 4, [0, 0, 4, 4], Profile::Paper), None);
        assert!(tiled(4, 4, [0, 0, 3, 3], Profile::Paper).is_some());
    }
}
