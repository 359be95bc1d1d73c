//! The official test release: JPEG folders of the eight variants and `fg_mask/*.npy`.

use std::path::Path;
use std::sync::Arc;

use crate::error::Result;
use crate::limits::Limits;
use crate::photo::{self, Header, Photo};
use crate::prepare::{NotKept, PhotoBox, Prepared, Rejection};
use crate::taxonomy::Taxonomy;
use crate::view::View;

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
        let mask = npy_mask(&bytes, size as usize).map_err(|e| Rejection::fault("bad-mask", named(e)))?;
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

/// Reads a boolean (or byte) array of `size`×`size`, in C order; one byte a pixel, 0 or 1.
pub(crate) fn npy_mask(bytes: &[u8], size: usize) -> std::result::Result<Vec<u8>, String> {
    check_header(bytes)?;
    let undecodable = |e: std::io::Error| format!("expected a whole .npy file, found: {e}");
    let file = npyz::NpyFile::new(bytes).map_err(undecodable)?;
    if file.shape() != [size as u64, size as u64] {
        return Err(format!("expected an array of {size}x{size}, found {:?}", file.shape()));
    }
    if file.order() != npyz::Order::C {
        return Err("expected C order, found Fortran order".into());
    }
    let kind = file.dtype().descr();
    let values: Vec<u8> = match kind.trim_matches('\'') {
        "|b1" => file.into_vec::<bool>().map_err(undecodable)?.into_iter().map(u8::from).collect(),
        "|u1" => file.into_vec::<u8>().map_err(undecodable)?.into_iter().map(|v| u8::from(v != 0)).collect(),
        other => return Err(format!("expected booleans or bytes, found {other}")),
    };
    Ok(values)
}

/// Refuses a header that no mask needs, before it is parsed: the parser follows brackets as deep as they go.
fn check_header(bytes: &[u8]) -> std::result::Result<(), String> {
    const LONGEST: usize = 4096;
    const DEEPEST: usize = 8;
    let Some((b"\x93NUMPY", &[version, _, a, b, c, d, ..])) = bytes.split_at_checked(6) else {
        return Err("expected the start of a .npy file, found something else".into());
    };
    let (start, length) = match version {
        1 => (10, usize::from(u16::from_le_bytes([a, b]))),
        2 | 3 => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        other => return Err(format!("expected .npy version 1 to 3, found {other}")),
    };
    if length > LONGEST {
        return Err(format!("expected a header of at most {LONGEST} bytes, found {length}"));
    }
    let header =
        bytes.get(start..start + length).ok_or("expected a whole header, found the end of the file")?;
    let mut depth = 0usize;
    for byte in header {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("expected brackets at most {DEEPEST} deep, found more"));
        }
    }
    // The parser multiplies the lengths of the axes and does not look for an overflow. Whatever else in
    // the header is a number is small.
    let words = header.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    let mut elements = 1u64;
    for word in words.filter(|word| word.first().is_some_and(u8::is_ascii_digit)) {
        let number =
            std::str::from_utf8(word).ok().and_then(|word| word.replace('_', "").parse::<u64>().ok());
        elements = number
            .and_then(|number| elements.checked_mul(number.max(1)))
            .ok_or("expected lengths of axes whose product is below 2^64, found others")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn masks_of_the_wrong_kind_are_refused() {
        let good = npy("|b1", "False", "(2, 2)", &[1, 0, 0, 1]);
        assert_eq!(npy_mask(&good, 2).unwrap(), [1, 0, 0, 1]);
        assert_eq!(npy_mask(&npy("|u1", "False", "(2, 2)", &[255, 0, 0, 1]), 2).unwrap(), [1, 0, 0, 1]);
        for (bytes, what) in [
            (npy("<f4", "False", "(2, 2)", &[0; 16]), "found <f4"),
            (npy("|b1", "True", "(2, 2)", &[1, 0, 0, 1]), "Fortran"),
            (npy("|b1", "False", "(4000000000, 4000000000)", &[1]), "2x2"),
            (npy("|b1", "False", "(8000000000, 4000000000)", &[1]), "product"),
            (npy("|b1", "False", "(8_000_000_000, 0, 4_000_000_000)", &[]), "product"),
            (npy("|b1", "False", "(99999999999999999999,)", &[1]), "product"),
            (npy("|b1", "False", "(0x2, 2)", &[1]), "product"),
        ] {
            let error = npy_mask(&bytes, 2).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        for end in 0..good.len() {
            assert!(npy_mask(&good[..end], 2).is_err(), "{end}");
        }
    }
}
