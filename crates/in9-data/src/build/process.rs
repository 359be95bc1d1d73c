//! One photograph: bytes to layers, or to the rule that turned it away.

use crate::limits::Limits;
use crate::photo;
use crate::prepare::{Geometry, MaskInput, Prepared, Rejection, Scratch, prepare, prepare_photo};
use crate::profile::MaskSource;
use crate::shard::Sample;
use crate::sources::{Annotation, Boxes, COCO, Item, MaskFile, bounding_box};

use super::Settings;

/// Reads and takes apart one photograph.
pub(super) fn process(
    item: &Item,
    settings: &Settings,
    limits: &Limits,
    scratch: &mut Scratch,
) -> Result<(Sample, Prepared), Rejection> {
    let unreadable = |detail: String| Rejection::fault("unreadable", detail);
    let bytes = item.photo.read(limits.photo_bytes).map_err(unreadable)?;
    let photo = photo::decode(&bytes, limits).map_err(unreadable)?;
    let geometry =
        Geometry { profile: settings.profile, size: settings.size, short_side: settings.short_side };
    let (width, height) = (photo.width, photo.height);
    let prepared = if let Boxes::Release(parts) = &item.boxes {
        parts.prepare(photo, settings.size, limits)?
    } else if settings.photos_only {
        prepare_photo(&photo, geometry, scratch)?
    } else {
        let (mut annotated, mut boxes) = (None, Vec::new());
        let mut exact = None;
        if settings.masks == MaskSource::Exact || matches!(item.boxes, Boxes::OfMask) {
            exact = Some(exact_mask(item, photo.width, photo.height, limits)?);
        }
        match &item.boxes {
            Boxes::Known(known) => boxes.clone_from(known),
            Boxes::Voc(xml) => match xml.exists() {
                true => {
                    let bad = |e: String| Rejection::fault("bad-annotation", format!("{}: {e}", xml.name()));
                    let bytes = xml.read(limits.annotation_bytes).map_err(bad)?;
                    let annotation = Annotation::parse(&bytes).map_err(bad)?;
                    (annotated, boxes) = (annotation.size, annotation.boxes);
                }
                false => return Err(Rejection::rule("no-box", "no annotation file".into())),
            },
            Boxes::Shapes(shapes) => {
                let bad = |e: String| Rejection::fault("bad-annotation", format!("{COCO}: {e}"));
                boxes = shapes.boxes(limits.photo_pixels).map_err(bad)?;
                annotated = Some(shapes.size());
            }
            Boxes::Release(_) => {}
            Boxes::OfMask => boxes.extend(exact.as_ref().and_then(|mask| bounding_box(mask, photo.width))),
        }
        let mask = match (settings.masks, exact) {
            (MaskSource::Exact, Some(mask)) => MaskInput::Exact(mask),
            _ => MaskInput::Grabcut,
        };
        prepare(&photo, &boxes, annotated, mask, geometry, scratch)?
    };
    let sample = Sample {
        id: item.id.clone(),
        fine: item.fine.to_string(),
        source: item.source.clone(),
        class: item.class,
        blake3: *blake3::hash(&bytes).as_bytes(),
        width,
        height,
        photo_box: prepared.photo_box,
        crop_box: prepared.crop_box,
        mask_area: prepared.mask_area,
        box_area: prepared.box_area,
    };
    Ok((sample, prepared))
}

fn exact_mask(item: &Item, width: u32, height: u32, limits: &Limits) -> Result<Vec<u8>, Rejection> {
    let name = match &item.mask {
        MaskFile::Png(file) => file.name(),
        MaskFile::Shapes(_) => COCO.into(),
        MaskFile::None => String::new(),
    };
    let bad = |detail: String| Rejection::fault("bad-mask", format!("{name}: {detail}"));
    match &item.mask {
        MaskFile::None => Err(Rejection::rule("no-mask", "no mask file".into())),
        MaskFile::Shapes(shapes) => shapes.mask(width, height).map_err(bad),
        MaskFile::Png(file) => {
            let bytes = file.read(limits.photo_bytes).map_err(bad)?;
            let (mask_width, mask_height, mask) = photo::decode_mask(&bytes, limits).map_err(bad)?;
            if (mask_width, mask_height) != (width, height) {
                let found = format!(
                    "{}: expected the photograph's {width}x{height}, found {mask_width}x{mask_height}",
                    file.name()
                );
                return Err(Rejection::fault("mask-mismatch", found));
            }
            Ok(mask)
        }
    }
}
