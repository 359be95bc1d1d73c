//! One photograph: bytes to layers, or to the rule that rejects it.

use crate::error::Error;
use crate::limits::Limits;
use crate::memory::{self, Budget};
use crate::network_masks::NetworkMasks;
use crate::photo::{self, Header};
use crate::prepare::{
    GRABCUT_BYTES, MaskInput, NotKept, PREPARE_BYTES, Prepared, Rejection, Scratch, cut::most_pixels,
    prepare, prepare_photo,
};
use crate::profile::MaskSource;
use crate::shard::Sample;
use crate::sources::{Annotation, Boxes, COCO, Item, MaskFile, bounding_box, npy};

use super::Settings;

/// A photograph that takes more than this leaves no buffers of its size behind.
const KEPT_BUFFERS: u64 = 256 << 20;

/// What is to be made of every photograph, and what it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Making<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) limits: &'a Limits,
    /// What draws masks, if a network does.
    pub(crate) mask_network: Option<&'a NetworkMasks>,
}

/// Reads and takes apart one photograph, within its share of the memory.
pub(super) fn process(
    item: &Item,
    making: Making<'_>,
    budget: &Budget,
    scratch: &mut Scratch,
) -> Result<(Sample, Prepared), NotKept> {
    within_budget(item, making, budget, scratch, |bytes, scratch| take_apart(item, bytes, making, scratch))
}

/// Reads one photograph's file and hands it on, within its share of the memory.
pub(crate) fn within_budget<T>(
    item: &Item,
    making: Making<'_>,
    budget: &Budget,
    scratch: &mut Scratch,
    make: impl FnOnce(Vec<u8>, &mut Scratch) -> Result<T, NotKept>,
) -> Result<T, NotKept> {
    let opened =
        item.photo.open(making.limits.photo_bytes).map_err(|e| e.reject("unreadable", |what| what))?;
    let start = opened.start();
    let header_is_further_back = start.starts_with(&[0xff, 0xd8])
        && Header::read(start).is_none()
        && opened.length() > start.len() as u64;
    // Its header may say anything, so it is worked on alone.
    let share = if header_is_further_back { u64::MAX } else { needs(start, opened.length(), item, making)? };
    let _share = budget.take(share);
    let no_memory =
        |needed| NotKept::Failed(Box::new(Error::Memory { photograph: item.source.clone(), needed }));
    if share != u64::MAX && !memory::is_there(share) {
        return Err(no_memory(share));
    }
    let length = opened.length();
    let bytes = opened.read_rest().map_err(|e| e.reject("unreadable", |what| what))?;
    let needed = needs(&bytes, length, item, making)?;
    if share == u64::MAX && !memory::is_there(needed) {
        return Err(no_memory(needed));
    }
    let outcome = make(bytes, scratch);
    if needed > KEPT_BUFFERS {
        *scratch = Scratch::default();
    }
    outcome
}

fn take_apart(
    item: &Item,
    bytes: Vec<u8>,
    making: Making<'_>,
    scratch: &mut Scratch,
) -> Result<(Sample, Prepared), NotKept> {
    let Making { settings, limits, mask_network } = making;
    let photo = photo::decode(&bytes, limits).map_err(|what| Rejection::fault("unreadable", what))?;
    let blake3 = *blake3::hash(&bytes).as_bytes();
    drop(bytes);
    let geometry = settings.geometry(&item.split);
    let (width, height) = (photo.width, photo.height);
    let prepared = if let Boxes::Release(parts) = &item.boxes {
        parts.prepare(photo, geometry.size, limits)?
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
                boxes = shapes.boxes(photo.width, photo.height).map_err(bad)?;
                annotated = Some(shapes.size());
            }
            Boxes::Release(_) => {}
            Boxes::OfMask => boxes.extend(exact.as_ref().and_then(|mask| bounding_box(mask, photo.width))),
        }
        let mask = match (settings.masks, exact, mask_network) {
            (MaskSource::Exact, Some(mask), _) => MaskInput::Exact(mask),
            (MaskSource::Network, _, Some(network)) => MaskInput::Network(network),
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

/// Memory that a photograph takes at most, by its first bytes and the length of its file. What is beyond the limits,
/// or no picture, is never decoded and takes none; what takes more than all may take together is refused.
fn needs(start: &[u8], length: u64, item: &Item, making: Making<'_>) -> Result<u64, Rejection> {
    let Making { settings, limits, mask_network } = making;
    let Some(header) = Header::read(start).filter(|header| header.pixels() <= limits.photo_pixels) else {
        return Ok(length);
    };
    let pixels = header.pixels();
    let prepared = pixels * (RGB + PREPARE_BYTES);
    let then = match (&item.boxes, settings.masks) {
        // Two more pictures of the same size, and their comparison.
        (Boxes::Release(_), _) => pixels * 4 * 8,
        _ if settings.photos_only => 0,
        // The decoded mask, in as many bytes as a photograph may have, and its values.
        (_, MaskSource::Exact) => prepared.max(pixels * (RGB + 8 + 1)),
        (_, MaskSource::Network) => prepared.max(pixels * RGB + mask_network.map_or(0, |n| n.memory(pixels))),
        (_, MaskSource::Grabcut) => {
            let cut = pixels.min(most_pixels(pixels));
            prepared.max(pixels * (RGB + 1) + cut * (RGB + GRABCUT_BYTES))
        }
    };
    // A network's memory is a property of the network, which was looked at when it was opened.
    let limit = limits.memory_bytes.saturating_add(mask_network.map_or(0, NetworkMasks::network_bytes));
    let needed = length.saturating_add(header.decoding()).max(then);
    match needed <= limit {
        true => Ok(needed),
        false => Err(Rejection::fault(
            "unreadable",
            format!("expected a photograph that takes at most {limit} bytes of memory, found {needed}"),
        )),
    }
}

/// Bytes of a decoded pixel.
const RGB: u64 = 3;

fn exact_mask(item: &Item, width: u32, height: u32, limits: &Limits) -> Result<Vec<u8>, NotKept> {
    let name = match &item.mask {
        MaskFile::File(file) => file.name(),
        MaskFile::Shapes(_) => COCO.into(),
        MaskFile::None => String::new(),
    };
    let named = |detail: String| format!("{name}: {detail}");
    match &item.mask {
        MaskFile::None => Err(Rejection::rule("no-mask", "no mask file".into()).into()),
        MaskFile::Shapes(shapes) => {
            Ok(shapes.mask(width, height).map_err(|e| Rejection::fault("bad-mask", named(e)))?)
        }
        MaskFile::File(file) => {
            let mismatch = |mask_width: u32, mask_height: u32| {
                let found =
                    format!("expected the photograph's {width}x{height}, found {mask_width}x{mask_height}");
                Err(Rejection::fault("mask-mismatch", named(found)).into())
            };
            let bytes = file.read(limits.photo_bytes).map_err(|e| e.reject("bad-mask", named))?;
            if bytes.starts_with(npy::MAGIC) {
                let mask = npy::npy_mask(&bytes, width, height);
                return Ok(mask.map_err(|e| Rejection::fault("bad-mask", named(e)))?);
            }
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
