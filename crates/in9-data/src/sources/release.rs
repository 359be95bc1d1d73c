//! The official test release: JPEG folders of the eight variants and `fg_mask/*.npy`.

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::photo::{self, Header, Photo};
use crate::prepare::{NotKept, PhotoBox, Prepared, Rejection};
use crate::taxonomy::Taxonomy;
use crate::view::View;

use super::npy::npy_mask;
use super::{Boxes, Item, Listing, Locator, MaskFile, bounding_box, entries, is_photo, stem};

/// The files that give a sample its other layers.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    tiled: Locator,
    boxed: Locator,
    mask: Locator,
}

/// A variant's file of a class, whichever extension it has.
fn picture(root: &Path, view: View, class: &str, name: &str) -> Locator {
    Locator::File(root.join(view.release_folder()).join("val").join(class).join(name))
}

pub(super) fn list(root: &Path, taxonomy: &Taxonomy) -> Result<Listing> {
    let mut listing = Listing::default();
    let originals = root.join(View::Original.release_folder()).join("val");
    let split: Arc<str> = "test".into();
    for folder in entries(&originals, &mut listing.faults)? {
        let known = |class: &crate::taxonomy::Class| class.folder == folder || class.name == folder;
        let Some(class) = taxonomy.classes.iter().position(known) else {
            // Elsewhere a class may be of no interest; the release has those of its taxonomy and no other.
            listing.faults.push(format!(
                "{}: not a class (expected one of taxonomy {}, found none of this name); choose another taxonomy",
                originals.join(&folder).display(),
                taxonomy.name
            ));
            continue;
        };
        for name in
            entries(&originals.join(&folder), &mut listing.faults)?.into_iter().filter(|name| is_photo(name))
        {
            let id = stem(&name);
            let parts = Parts {
                tiled: picture(root, View::OnlyBgT, &folder, &name),
                boxed: picture(root, View::OnlyBgB, &folder, &name),
                mask: Locator::File(root.join("fg_mask/val").join(&folder).join(format!("{id}.npy"))),
            };
            listing.items.push(Item {
                split: split.clone(),
                id: id.into(),
                fine: id.split('_').next().unwrap_or(id).into(),
                class: class as u16,
                source: format!("original/val/{folder}/{name}"),
                photo: picture(root, View::Original, &folder, &name),
                boxes: Boxes::Release(Box::new(parts)),
                mask: MaskFile::None,
            });
        }
    }
    Ok(listing)
}

impl Parts {
    /// The layers as the release has them. The box is where `only_bg_b` is black and the original
    /// is not.
    pub(crate) fn prepare(
        &self,
        photo: Photo,
        size: u32,
        limits: &Limits,
    ) -> std::result::Result<Prepared, NotKept> {
        let read = |file: &Locator, view: &str| {
            let named = |e: String| format!("{view}: {e}");
            let bytes = file.read(limits.photo_bytes).map_err(|e| e.reject("unreadable", named))?;
            let too_large = |header: &Header| (header.width, header.height) != (size, size);
            // Before it is decoded: a picture of another size could take any memory.
            match Header::read(&bytes).filter(too_large) {
                Some(Header { width, height, .. }) => Err(other_size(view, size, width, height)),
                None => {
                    photo::decode(&bytes, limits).map_err(|e| Rejection::fault("unreadable", named(e)).into())
                }
            }
        };
        if (photo.width, photo.height) != (size, size) {
            return Err(other_size("original", size, photo.width, photo.height));
        }
        let tiled = read(&self.tiled, "only_bg_t")?;
        let boxed = read(&self.boxed, "only_bg_b")?;
        for (view, one) in [("only_bg_t", &tiled), ("only_bg_b", &boxed)] {
            if (one.width, one.height) != (size, size) {
                return Err(other_size(view, size, one.width, one.height));
            }
        }
        let named = |e: String| format!("{}: {e}", self.mask.name());
        let bytes = self.mask.read(limits.photo_bytes).map_err(|e| e.reject("bad-mask", named))?;
        let mask = npy_mask(&bytes, size, size).map_err(|e| Rejection::fault("bad-mask", named(e)))?;
        let black: Vec<u8> = boxed
            .rgb
            .chunks_exact(3)
            .zip(photo.rgb.chunks_exact(3))
            .map(|(b, p)| {
                u8::from(b.iter().all(|&v| v < 24) && p.iter().zip(b).any(|(p, b)| p.abs_diff(*b) > 32))
            })
            .collect();
        let PhotoBox { xmin, ymin, xmax, ymax } = bounding_box(&black, size)
            .ok_or_else(|| Rejection::fault("no-box", "only_bg_b shows no black box".into()))?;
        let mut bits = Vec::new();
        crate::mask::pack(&mask, &mut bits);
        let corners = [xmin, ymin, xmax, ymax];
        Ok(Prepared {
            photo: photo.rgb,
            tiled: tiled.rgb,
            mask: bits,
            photo_box: corners.map(|v| v as u32),
            crop_box: corners.map(|v| v as u16),
            mask_area: mask.iter().map(|&m| u32::from(m)).sum(),
            box_area: ((xmax - xmin + 1) * (ymax - ymin + 1)) as u32,
        })
    }
}

fn other_size(view: &str, size: u32, width: u32, height: u32) -> NotKept {
    let detail = format!("{view}: expected {size}x{size}, found {width}x{height}");
    Rejection::fault("size-mismatch", detail).into()
}
