//! The index of a shard: the only place where bincode is used.
//!
//! Fixed-width little-endian integers, so that an index entry is: three texts (each a u64 length
//! and its UTF-8 bytes) and integers in the order of the fields below. FORMAT.md says it in full.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};

/// Bytes that decoding one index may take; above [`Limits::index_bytes`](crate::Limits), which is
/// checked first.
const DECODE_LIMIT: usize = 2 << 30;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<DECODE_LIMIT>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<DECODE_LIMIT>();

/// What is known of a stored sample besides its pixels.
#[derive(
    Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode, serde::Serialize, serde::Deserialize,
)]
pub struct Sample {
    /// Name, unique in its split; `<synset>_<number>` for ImageNet, as in the official release.
    pub id: String,
    /// Fine label, such as a WordNet id.
    pub fine: String,
    /// File the photograph came from, relative to the root of its source, with `/`.
    pub source: String,
    /// Class index in the dataset's taxonomy.
    pub class: u16,
    /// BLAKE3 of the photograph's file.
    pub blake3: [u8; 32],
    /// Width of the photograph, in pixels.
    pub width: u32,
    /// Height of the photograph, in pixels.
    pub height: u32,
    /// The object's box in the photograph, `[x0, y0, x1, y1]`, pixel indices, all inclusive.
    pub photo_box: [u32; 4],
    /// The object's box in the stored crop, `[x0, y0, x1, y1]`, pixel indices, all inclusive.
    pub crop_box: [u16; 4],
    /// Foreground pixels in the crop.
    pub mask_area: u32,
    /// Pixels of `crop_box`.
    pub box_area: u32,
}

/// Bytes of an entry behind its texts: class, hash, sides, two boxes, two areas.
const FIXED: usize = 2 + 32 + 8 + 16 + 8 + 8;

/// Encodes an index.
pub(crate) fn encode_index(samples: &[Sample]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for sample in samples {
        let entry = bincode::encode_to_vec(sample, CONFIG).map_err(|e| e.to_string())?;
        bytes.extend_from_slice(&entry);
    }
    Ok(bytes)
}

/// Decodes exactly `count` entries that fill `bytes`.
pub(crate) fn decode_index(bytes: &[u8], count: u64) -> Result<Vec<Sample>, String> {
    // An entry takes at least 98 bytes, so a lying count cannot make this allocate much.
    let mut samples = Vec::with_capacity(count.min((bytes.len() / (24 + FIXED)) as u64) as usize);
    let mut rest = bytes;
    for entry in 0..count {
        let length = entry_length(rest).ok_or_else(|| format!("entry {entry}: a text beyond the index"))?;
        let (this, others) = rest.split_at(length);
        let (sample, used): (Sample, usize) =
            bincode::decode_from_slice(this, CONFIG).map_err(|e| format!("entry {entry}: {e}"))?;
        debug_assert_eq!(used, length);
        rest = others;
        samples.push(sample);
    }
    match rest.len() {
        0 => Ok(samples),
        left => Err(format!("{left} bytes after the last entry")),
    }
}

/// Bytes of the first entry of `bytes`, or `None` if it is longer than they are.
///
/// Looked at before decoding, because the decoder allocates what a text's length says before it finds
/// that there is less.
fn entry_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    for _text in 0..3 {
        let length = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
        at = usize::try_from(length).ok()?.checked_add(at + 8).filter(|&at| at <= bytes.len())?;
    }
    let length = at + FIXED;
    (length <= bytes.len()).then_some(length)
}

#[cfg(test)]
pub(crate) fn example(id: &str, class: u16) -> Sample {
    Sample {
        id: id.into(),
        fine: "n01440764".into(),
        source: format!("val/{id}.JPEG"),
        class,
        blake3: *blake3::hash(id.as_bytes()).as_bytes(),
        width: 500,
        height: 375,
        photo_box: [10, 20, 300, 200],
        crop_box: [0, 1, 2, 3],
        mask_area: 5,
        box_area: 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_laid_out_as_format_md_says() {
        let sample = example("ab", 3);
        let bytes = encode_index(std::slice::from_ref(&sample)).unwrap();
        assert_eq!(bytes[..10], [2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(bytes.len(), 24 + FIXED + "ab".len() + sample.fine.len() + sample.source.len());
        assert_eq!(bytes[bytes.len() - 4..], [9, 0, 0, 0]);
        assert_eq!(decode_index(&bytes, 1).unwrap(), [sample]);
    }

    #[test]
    fn lying_lengths_are_errors() {
        let mut bytes = encode_index(&[example("ab", 3), example("c", 1)]).unwrap();
        assert!(decode_index(&bytes, 1).unwrap_err().contains("after the last entry"));
        assert!(decode_index(&bytes, u64::MAX).is_err());
        for end in 0..bytes.len() {
            assert!(decode_index(&bytes[..end], 2).is_err());
        }
        bytes[3] = 0x7f;
        assert!(decode_index(&bytes, 2).unwrap_err().contains("beyond the index"));
        bytes[7] = 0xff;
        assert!(decode_index(&bytes, 2).unwrap_err().contains("beyond the index"));
    }
}
