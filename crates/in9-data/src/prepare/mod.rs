//! A decoded photograph with its box and mask to the layers of a sample, or to the rule that rejects
//! it (protocol §1.2, §1.4, §1.5).

pub(crate) mod cut;
mod filters;
mod frame;
mod resize;
mod tile;

use grabcut::Workspace;

use crate::mask::pack;
use crate::network_masks::NetworkMasks;
use crate::photo::Photo;
use crate::profile::Profile;

pub(crate) use filters::{NotKept, Rejection};
pub(crate) use frame::Frame;
pub(crate) use resize::Resampler;

/// A box as annotated: `xmin, ymin, xmax, ymax`. ILSVRC's may reach the photograph's width and
/// height; everything else treats it as inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct PhotoBox {
    pub(crate) xmin: i64,
    pub(crate) ymin: i64,
    pub(crate) xmax: i64,
    pub(crate) ymax: i64,
}

impl PhotoBox {
    pub(crate) fn new(xmin: i64, ymin: i64, xmax: i64, ymax: i64) -> Self {
        Self { xmin, ymin, xmax, ymax }
    }

    /// Inclusive pixel indices inside a photograph; the box must have passed the filters.
    pub(crate) fn inclusive(&self, width: u32, height: u32) -> [u32; 4] {
        let clamp = |value: i64, length: u32| value.clamp(0, i64::from(length) - 1) as u32;
        [clamp(self.xmin, width), clamp(self.ymin, height), clamp(self.xmax, width), clamp(self.ymax, height)]
    }
}

impl std::fmt::Display for PhotoBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.xmin, self.ymin, self.xmax, self.ymax)
    }
}

/// The geometry of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) profile: Profile,
    pub(crate) size: u32,
    pub(crate) short_side: u32,
}

/// A sample's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prepared {
    pub(crate) photo: Vec<u8>,
    pub(crate) tiled: Vec<u8>,
    pub(crate) mask: Vec<u8>,
    pub(crate) photo_box: [u32; 4],
    pub(crate) crop_box: [u16; 4],
    pub(crate) mask_area: u32,
    pub(crate) box_area: u32,
}

/// Where the mask of one photograph comes from.
pub(crate) enum MaskInput<'a> {
    Grabcut,
    /// A network, which is shown the photograph.
    Network(&'a NetworkMasks),
    /// One byte a pixel of the photograph, 0 is background.
    Exact(Vec<u8>),
}

/// Buffers of one thread.
#[derive(Default)]
pub(crate) struct Scratch {
    workspace: Workspace,
    resampler: Resampler,
}

/// Memory that preparing takes beside the decoded photograph, in bytes a pixel: the tiled background and two
/// masks.
pub(crate) const PREPARE_BYTES: u64 = 5;

/// Memory that GrabCut takes, in bytes of each pixel that it is given.
pub(crate) const GRABCUT_BYTES: u64 = 64;

/// Takes a photograph apart.
///
/// `annotated` is the size that the annotation gives, if it gives one.
pub(crate) fn prepare(
    photo: &Photo,
    boxes: &[PhotoBox],
    annotated: Option<(u32, u32)>,
    mask: MaskInput<'_>,
    geometry: Geometry,
    scratch: &mut Scratch,
) -> Result<Prepared, NotKept> {
    let photo_box = filters::single_box(photo, boxes, annotated, geometry.profile)?;
    filters::framing(photo, &photo_box, geometry)?;
    let mut mask = match mask {
        MaskInput::Exact(mask) => mask,
        MaskInput::Network(network) => network
            .segment(photo, photo_box.inclusive(photo.width, photo.height))
            .map_err(|error| NotKept::Failed(Box::new(error)))?,
        MaskInput::Grabcut => cut::segment(photo, &photo_box, geometry.profile, &mut scratch.workspace)?,
    };
    filters::mask_area(&mask, photo, &photo_box, geometry.profile)?;
    let tiled = tile::fill_box(photo, &photo_box, geometry.profile).ok_or_else(|| {
        Rejection::rule("no-margin", format!("box {photo_box} in {}x{}", photo.width, photo.height))
    })?;
    let frame = Frame::new(photo.width, photo.height, geometry);
    let crop_box = frame
        .crop_box(&photo_box.inclusive(photo.width, photo.height))
        .ok_or_else(|| Rejection::rule("box-lost-in-crop", format!("box {photo_box}")))?;
    if geometry.profile == Profile::Paper {
        // The paper takes background wherever the foreground is exactly black. Taking such pixels
        // out of the mask gives that rule, and no other view can tell the difference.
        for (mask, pixel) in mask.iter_mut().zip(photo.rgb.chunks_exact(3)) {
            *mask &= u8::from(pixel != [0; 3]);
        }
    }
    let (width, height) = (photo.width, photo.height);
    let rgb = scratch.resampler.rgb(&photo.rgb, width, height, &frame)?;
    let tiled = scratch.resampler.rgb(&tiled, width, height, &frame)?;
    let mask = scratch.resampler.mask(&mask, width, height, &frame)?;
    let mask_area = mask.iter().map(|&m| u32::from(m)).sum();
    if mask_area == 0 && geometry.profile == Profile::Clean {
        return Err(Rejection::rule("mask-lost-in-crop", "no foreground pixel in the crop".into()).into());
    }
    let mut bits = Vec::with_capacity(mask.len().div_ceil(8));
    pack(&mask, &mut bits);
    let [x0, y0, x1, y1] = crop_box.map(u32::from);
    Ok(Prepared {
        photo: rgb,
        tiled,
        mask: bits,
        photo_box: photo_box.inclusive(width, height),
        crop_box,
        mask_area,
        box_area: (x1 - x0 + 1) * (y1 - y0 + 1),
    })
}

/// The photograph and the tiled background of a sample, each size·size·3 bytes.
pub(crate) type Pixels = (Vec<u8>, Vec<u8>);

/// The photograph and the tiled background of a sample whose filters were passed and whose mask was made before;
/// `None` if the box leaves no strip.
pub(crate) fn prepare_again(
    photo: &Photo,
    photo_box: &PhotoBox,
    geometry: Geometry,
    scratch: &mut Scratch,
) -> Result<Option<Pixels>, Rejection> {
    let Some(tiled) = tile::fill_box(photo, photo_box, geometry.profile) else { return Ok(None) };
    let frame = Frame::new(photo.width, photo.height, geometry);
    let rgb = scratch.resampler.rgb(&photo.rgb, photo.width, photo.height, &frame)?;
    let tiled = scratch.resampler.rgb(&tiled, photo.width, photo.height, &frame)?;
    Ok(Some((rgb, tiled)))
}

/// The photograph alone, for datasets without layers.
pub(crate) fn prepare_photo(
    photo: &Photo,
    geometry: Geometry,
    scratch: &mut Scratch,
) -> Result<Prepared, Rejection> {
    let frame = Frame::new(photo.width, photo.height, geometry);
    let rgb = scratch.resampler.rgb(&photo.rgb, photo.width, photo.height, &frame)?;
    let last = (geometry.size - 1) as u16;
    Ok(Prepared {
        photo: rgb,
        tiled: Vec::new(),
        mask: Vec::new(),
        photo_box: [0, 0, photo.width - 1, photo.height - 1],
        crop_box: [0, 0, last, last],
        mask_area: 0,
        box_area: geometry.size * geometry.size,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A bright disc on a dark striped ground.
    pub(crate) fn disc(width: u32, height: u32, centre: (u32, u32), radius: u32) -> Photo {
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let inside = x.abs_diff(centre.0).pow(2) + y.abs_diff(centre.1).pow(2) <= radius * radius;
                let stripe = 40 + (x % 7) as u8 * 4;
                rgb.extend(if inside { [230, 200, 60 + (y % 5) as u8] } else { [20, stripe, 60] });
            }
        }
        Photo { width, height, rgb }
    }

    #[test]
    fn grabcut_finds_the_disc_and_the_layers_agree() {
        let photo = disc(90, 64, (40, 30), 15);
        let geometry = Geometry { profile: Profile::Clean, size: 64, short_side: 64 };
        let boxes = [PhotoBox::new(24, 14, 56, 46)];
        let made =
            prepare(&photo, &boxes, None, MaskInput::Grabcut, geometry, &mut Scratch::default()).unwrap();
        // The crop is columns 13 to 76 of the photograph.
        assert_eq!(made.crop_box, [11, 14, 43, 46]);
        assert!(made.mask_area.abs_diff(709) < 25, "{} pixels of a disc of 709", made.mask_area);
        let outside =
            |x: usize, y: usize| made.photo[(y * 64 + x) * 3..][..3] == made.tiled[(y * 64 + x) * 3..][..3];
        assert!(outside(5, 30) && outside(50, 30) && !outside(27, 30));
    }

    #[test]
    fn paper_takes_black_out_of_the_mask() {
        let mut photo = disc(64, 64, (30, 30), 15);
        photo.rgb[(30 * 64 + 30) * 3..][..3].fill(0);
        let mask =
            (0..64 * 64).map(|i: u32| u8::from((i % 64).abs_diff(30) < 10 && (i / 64).abs_diff(30) < 10));
        let mask: Vec<u8> = mask.collect();
        let boxes = [PhotoBox::new(14, 14, 46, 46)];
        for (profile, kept) in [(Profile::Paper, 360), (Profile::Clean, 361)] {
            let geometry = Geometry { profile, size: 64, short_side: 64 };
            let input = MaskInput::Exact(mask.clone());
            let made = prepare(&photo, &boxes, None, input, geometry, &mut Scratch::default()).unwrap();
            assert_eq!(made.mask_area, kept);
        }
    }
}
