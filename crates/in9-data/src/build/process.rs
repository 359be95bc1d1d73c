//! One photograph: bytes to layers, or to the rule that rejects it.

use crate::error::Error;
use crate::limits::Limits;
use crate::memory::{self, Budget};
use crate::photo::{self, Header};
use crate::prepare::{
    GRABCUT_BYTES, Geometry, MaskInput, NotKept, PREPARE_BYTES, Prepared, Rejection, Scratch, prepare,
    prepare_photo,
};
use crate::profile::MaskSource;
use crate::shard::Sample;
use crate::sources::{Annotation, Boxes, COCO, Item, MaskFile, Opened, bounding_box};

use super::Settings;

/// A photograph that takes more than this leaves no buffers of its size behind.
const KEPT_BUFFERS: u64 = 256 << 20;

/// Reads and takes apart one photograph, within its share of the memory.
pub(super) fn process(
    item: &Item,
    settings: &Settings,
    limits: &Limits,
    budget: &Budget,
    scratch: &mut Scratch,
) -> Result<(Sample, Prepared), NotKept> {
    let opened = item.photo.open(limits.photo_bytes).map_err(|e| e.reject("unreadable", |what| what))?;
    let needed = opened.length().saturating_add(pixels_memory(&opened, item, settings, limits));
    let _share = budget.take(needed);
    if needed != u64::MAX && !memory::is_there(needed) {
        return Err(NotKept::Failed(Box::new(Error::Memory { photograph: item.source.clone(), needed })));
    }
    let bytes = opened.read_rest().map_err(|e| e.reject("unreadable", |what| what))?;
    let outcome = take_apart(item, bytes, settings, limits, scratch);
    if needed > KEPT_BUFFERS {
        *scratch = Scratch::default();
    }
    outcome
}

fn take_apart(
    item: &Item,
    bytes: Vec<u8>,
    settings: &Settings,
    limits: &Limits,
    scratch: &mut Scratch,
) -> Result<(Sample, Prepared), NotKept> {
    let photo = photo::decode(&bytes, limits).map_err(|what| Rejection::fault("unreadable", what))?;
    let blake3 = *blake3::hash(&bytes).as_bytes();
    drop(bytes);
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
            Boxes::Voc(xml) => {
                let named = |e: String| format!("{}: {e}", xml.name());
                if !xml.exists().map_err(|e| e.reject("bad-annotation", named))? {
                    return Err(Rejection::rule("no-box", "no annotation file".into()).into());
                }
                let bytes =
                    xml.read(limits.annotation_bytes).map_err(|e| e.reject("bad-annotation", named))?;
                let annotation =
                    Annotation::parse(&bytes).map_err(|e| Rejection::fault("bad-annotation", named(e)))?;
                (annotated, boxes) = (annotation.size, annotation.boxes);
            }
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
        blake3,
        width,
        height,
        photo_box: prepared.photo_box,
        crop_box: prepared.crop_box,
        mask_area: prepared.mask_area,
        box_area: prepared.box_area,
    };
    Ok((sample, prepared))
}

/// Memory that the pixels of a photograph take at most. A JPEG whose header is not in its first bytes may take
/// anything, and is worked on alone; what is beyond the limits, or no picture, is never decoded.
fn pixels_memory(opened: &Opened<'_>, item: &Item, settings: &Settings, limits: &Limits) -> u64 {
    let start = opened.start();
    let header = match Header::read(start) {
        Some(header) if header.pixels() <= limits.photo_pixels => header,
        None if start.starts_with(&[0xff, 0xd8]) && opened.length() > start.len() as u64 => return u64::MAX,
        _ => return 0,
    };
    let more = match (&item.boxes, settings.masks) {
        // Two more pictures of the same size, and their comparison.
        (Boxes::Release(_), _) => 3 * 8,
        _ if settings.photos_only => 0,
        (_, MaskSource::Exact) => PREPARE_BYTES,
        (_, MaskSource::Grabcut) => PREPARE_BYTES + GRABCUT_BYTES,
    };
    header.memory(more)
}

fn exact_mask(item: &Item, width: u32, height: u32, limits: &Limits) -> Result<Vec<u8>, NotKept> {
    let name = match &item.mask {
        MaskFile::Png(file) => file.name(),
        MaskFile::Shapes(_) => COCO.into(),
        MaskFile::None => String::new(),
    };
    let named = |detail: String| format!("{name}: {detail}");
    match &item.mask {
        MaskFile::None => Err(Rejection::rule("no-mask", "no mask file".into()).into()),
        MaskFile::Shapes(shapes) => {
            Ok(shapes.mask(width, height).map_err(|e| Rejection::fault("bad-mask", named(e)))?)
        }
        MaskFile::Png(file) => {
            let mismatch = |mask_width: u32, mask_height: u32| {
                let found =
                    format!("expected the photograph's {width}x{height}, found {mask_width}x{mask_height}");
                Err(Rejection::fault("mask-mismatch", named(found)).into())
            };
            let bytes = file.read(limits.photo_bytes).map_err(|e| e.reject("bad-mask", named))?;
            // Before it is decoded: a mask of another size could take any memory.
            if let Some(header) = Header::read(&bytes)
                && (header.width, header.height) != (width, height)
                && header.pixels() <= limits.photo_pixels
            {
                return mismatch(header.width, header.height);
            }
            let (mask_width, mask_height, mask) =
                photo::decode_mask(&bytes, limits).map_err(|e| Rejection::fault("bad-mask", named(e)))?;
            if (mask_width, mask_height) != (width, height) {
                return mismatch(mask_width, mask_height);
            }
            Ok(mask)
        }
    }
}
