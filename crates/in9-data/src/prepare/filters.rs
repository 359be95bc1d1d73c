//! The filters of protocol §1.2, each with the name it has in `rejected.csv`.

use crate::error::Error;
use crate::photo::Photo;
use crate::profile::Profile;

use super::frame::Frame;
use super::{Geometry, PhotoBox};

/// Why a photograph is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) rule: &'static str,
    pub(crate) detail: String,
    /// Whether the input is at fault (damaged, lying), not merely unsuited: reported as an error.
    pub(crate) fault: bool,
}

/// Why a photograph gives no sample.
#[derive(Debug)]
pub(crate) enum NotKept {
    /// It is recorded with its rule.
    Rejected(Rejection),
    /// The machine failed. That is no property of the photograph, so nothing is recorded of it.
    Failed(Box<Error>),
}

impl From<Rejection> for NotKept {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Rejection {
    /// The protocol rejects the photograph.
    pub(crate) fn rule(rule: &'static str, detail: String) -> Self {
        Self { rule, detail, fault: false }
    }

    /// The input is damaged or contradicts itself.
    pub(crate) fn fault(rule: &'static str, detail: String) -> Self {
        Self { rule, detail, fault: true }
    }
}

/// The one box of a photograph, if it has exactly one and that one makes sense.
pub(super) fn single_box(
    photo: &Photo,
    boxes: &[PhotoBox],
    annotated: Option<(u32, u32)>,
    profile: Profile,
) -> Result<PhotoBox, Rejection> {
    let (width, height) = (photo.width, photo.height);
    if boxes.is_empty() {
        return Err(Rejection::rule("no-box", "no bounding box is annotated".into()));
    }
    if let Some(annotated) = annotated.filter(|&size| size != (width, height)) {
        let detail = format!("annotated {}x{}, decoded {width}x{height}", annotated.0, annotated.1);
        return Err(Rejection::rule("size-mismatch", detail));
    }
    let [one] = boxes else {
        return Err(Rejection::rule("several-boxes", format!("{} boxes", boxes.len())));
    };
    let detail = || format!("expected a box inside {width}x{height}, found {one}");
    if one.xmin > one.xmax || one.ymin > one.ymax {
        let detail = format!("expected xmin <= xmax and ymin <= ymax, found {one}");
        return Err(Rejection::fault("box-inverted", detail));
    }
    let inside = one.xmin >= 0
        && one.ymin >= 0
        && one.xmin < i64::from(width)
        && one.ymin < i64::from(height)
        && one.xmax <= i64::from(width)
        && one.ymax <= i64::from(height);
    if !inside {
        return Err(Rejection::fault("box-outside", detail()));
    }
    // GrabCut learns nothing from a rectangle without area; the clean profile also refuses slivers.
    let least = if profile == Profile::Paper { 1 } else { 2 };
    if one.xmax - one.xmin < least || one.ymax - one.ymin < least {
        return Err(Rejection::rule("box-degenerate", format!("box {one} in {width}x{height}")));
    }
    Ok(*one)
}

/// The box must not fill the crop, and half of it must survive the crop.
pub(super) fn framing(photo: &Photo, photo_box: &PhotoBox, geometry: Geometry) -> Result<(), Rejection> {
    // To the letter, the paper judges every photograph on one geometry, whatever is stored.
    let geometry = match geometry.profile {
        Profile::Paper => Geometry { size: 224, short_side: 256, ..geometry },
        Profile::Clean => geometry,
    };
    let shares = Frame::shares(photo.width, photo.height, geometry, photo_box);
    if shares.of_crop > 0.9 {
        return Err(Rejection::rule(
            "box-too-large",
            format!("{:.4} of the crop, at most 0.9", shares.of_crop),
        ));
    }
    if shares.survives < 0.5 {
        return Err(Rejection::rule(
            "box-lost-in-crop",
            format!("{:.4} of the box is in the crop, at least 0.5", shares.survives),
        ));
    }
    Ok(())
}

/// The mask must cover a tenth of the box.
///
/// To the letter, the box's area leaves out its last column and row, as the rectangle does that GrabCut is given.
pub(super) fn mask_area(
    mask: &[u8],
    photo: &Photo,
    photo_box: &PhotoBox,
    profile: Profile,
) -> Result<(), Rejection> {
    let pixels = photo.width as usize * photo.height as usize;
    if mask.len() != pixels {
        let detail = format!("expected {pixels} pixels, found {}", mask.len());
        return Err(Rejection::fault("mask-mismatch", detail));
    }
    let area = mask.iter().filter(|&&m| m != 0).count() as f64;
    let box_area = match profile {
        Profile::Paper => ((photo_box.xmax - photo_box.xmin) * (photo_box.ymax - photo_box.ymin)) as f64,
        Profile::Clean => {
            let [x0, y0, x1, y1] = photo_box.inclusive(photo.width, photo.height);
            f64::from(x1 - x0 + 1) * f64::from(y1 - y0 + 1)
        }
    };
    if area < 0.1 * box_area {
        let detail = format!("{:.4} of the box is foreground, at least 0.1", area / box_area);
        return Err(Rejection::rule("mask-too-small", detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo() -> Photo {
        Photo { width: 100, height: 80, rgb: vec![0; 24_000] }
    }

    fn rule(boxes: &[PhotoBox], annotated: Option<(u32, u32)>) -> Option<&'static str> {
        single_box(&photo(), boxes, annotated, Profile::Clean).err().map(|rejection| rejection.rule)
    }

    #[test]
    fn boxes_are_judged_one_rule_at_a_time() {
        let b = PhotoBox::new;
        let good = b(10, 10, 50, 40);
        assert_eq!(rule(&[good], Some((100, 80))), None);
        assert_eq!(rule(&[b(0, 0, 100, 80)], None), None, "ILSVRC's boxes may reach width and height");
        assert_eq!(rule(&[], None), Some("no-box"));
        assert_eq!(rule(&[good, good], None), Some("several-boxes"));
        assert_eq!(rule(&[good], Some((80, 100))), Some("size-mismatch"));
        assert_eq!(rule(&[b(50, 10, 10, 40)], None), Some("box-inverted"));
        assert_eq!(rule(&[b(10, 10, 101, 40)], None), Some("box-outside"));
        assert_eq!(rule(&[b(-1, 10, 50, 40)], None), Some("box-outside"));
        assert_eq!(rule(&[b(10, 10, 11, 40)], None), Some("box-degenerate"));
    }

    #[test]
    fn framing_follows_the_papers_numbers() {
        let geometry = Geometry { profile: Profile::Paper, size: 64, short_side: 73 };
        let square = Photo { width: 256, height: 256, rgb: Vec::new() };
        let rule = |x0, y0, x1, y1| {
            framing(&square, &PhotoBox::new(x0, y0, x1, y1), geometry).err().map(|rejection| rejection.rule)
        };
        // The crop is pixels 16 to 239. 213·212 = 45,156 of 50,176 pixels are just below 0.9.
        assert_eq!(rule(20, 20, 232, 231), None);
        assert_eq!(rule(20, 20, 232, 232), Some("box-too-large"));
        // Ten of twenty columns survive, then nine.
        assert_eq!(rule(6, 50, 25, 100), None);
        assert_eq!(rule(6, 50, 24, 100), Some("box-lost-in-crop"));
    }

    #[test]
    fn a_tenth_of_the_box_is_enough() {
        let one = PhotoBox::new(0, 0, 9, 9);
        let mask = |n: usize| (0..8000).map(|i| u8::from(i < n)).collect::<Vec<_>>();
        let judged = |n: usize, profile| mask_area(&mask(n), &photo(), &one, profile);
        assert!(judged(10, Profile::Clean).is_ok());
        assert_eq!(judged(9, Profile::Clean).unwrap_err().rule, "mask-too-small");
        // Nine by nine: a tenth of 81 pixels, not of 100.
        assert!(judged(9, Profile::Paper).is_ok());
        assert_eq!(judged(8, Profile::Paper).unwrap_err().rule, "mask-too-small");
        let short = mask_area(&[1; 3], &photo(), &one, Profile::Clean);
        assert_eq!(short.unwrap_err().rule, "mask-mismatch");
    }
}
