//! The seal of our safetensors files: the BLAKE3 of the file, in the file.
//!
//! The safetensors format has no checksum, so a flipped bit would give another network without a
//! word. Our files keep one JSON object in their header, which ends with `"digest":"…"`. The digest
//! is that of the whole file with sixty-four zeros in its place, so that no bit of the file can
//! change unnoticed: not the tensors, nor their names, nor what the header says about them. Files
//! from elsewhere carry none and are accepted as they are.
//!
//! The seal finds damage. It does not keep out somebody who changes a file and seals it again.

use std::collections::HashMap;

use serde::de::IgnoredAny;

use super::fault::{Checked, Fault, fault, shown};

/// The one metadata key of our files.
///
/// One key, because the format's library writes several in no particular order, and equal tensors
/// must have equal bytes.
pub(super) const METADATA_KEY: &str = "in9";

/// What stands before the digest, in the JSON text and as the header escapes it.
const KEY: &str = r#","digest":""#;
const ESCAPED: &[u8] = br#",\"digest\":\""#;
/// Hexadecimal digits of a BLAKE3.
const DIGITS: usize = 64;
const ZEROS: [u8; DIGITS] = [b'0'; DIGITS];

/// The JSON text in the header of a file of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The text as it was handed to [`write`](super::write).
    pub text: String,
    /// Whether the file's bytes were compared with the digest that it carries. Files of earlier
    /// versions carry none.
    pub sealed: bool,
}

/// The text of a JSON object with room for the digest.
pub(super) fn open(text: &str) -> Checked<String> {
    let body = text.strip_suffix('}').filter(|body| body.len() > 1);
    let body = body.ok_or_else(|| fault("metadata to write", "a JSON object with an entry", shown(text)))?;
    Ok(format!("{body}{KEY}{}\"}}", "0".repeat(DIGITS)))
}

/// Writes `digest`, the BLAKE3 of a file, into its place in the file's JSON header, which holds a
/// text of [`open`].
pub(super) fn close(header: &mut [u8], digest: &blake3::Hash) -> Checked<()> {
    let at = place(header, &ZEROS).ok_or_else(|| fault("header to write", "room for its digest", "none"))?;
    header[at..at + DIGITS].copy_from_slice(digest.to_hex().as_bytes());
    Ok(())
}

/// The seal of a file, before the file was compared with it.
#[derive(Debug)]
pub(super) struct Seal {
    metadata: Metadata,
    digest: String,
}

impl Seal {
    /// Compares the BLAKE3 of the file, with [`unsealed`] in place of its header.
    pub(super) fn verify(self, found: &blake3::Hash) -> Checked<Metadata> {
        let found = found.to_hex();
        if found.as_str() == self.digest {
            return Ok(self.metadata);
        }
        let expected = format!("BLAKE3 {}", self.digest);
        Err(Fault::Damaged { what: "the file".into(), expected, found: found.to_string() })
    }
}

/// What the header of a file says about the file, and whether there is a digest to compare.
#[derive(Debug)]
pub(super) enum Header {
    /// Nothing of ours.
    Foreign,
    /// Ours, of a version that did not seal.
    Unsealed(Metadata),
    /// Ours.
    Sealed(Seal),
}

/// Finds the seal among a header's metadata.
///
/// # Errors
/// [`Fault::Damaged`] when our text is not JSON or a seal stands under a key that is not ours: a bit
/// was flipped there.
pub(super) fn find(metadata: Option<&HashMap<String, String>>) -> Checked<Header> {
    let Some(metadata) = metadata else { return Ok(Header::Foreign) };
    let damaged = |expected: &str, found: &str| Fault::Damaged {
        what: "the header".into(),
        expected: expected.into(),
        found: shown(found),
    };
    for (key, text) in metadata {
        if key != METADATA_KEY && digest_of(text).is_some() {
            return Err(damaged(&format!("under `{METADATA_KEY}`"), key));
        }
    }
    let Some(text) = metadata.get(METADATA_KEY) else { return Ok(Header::Foreign) };
    let Some(digest) = digest_of(text) else {
        let json = serde_json::from_str::<HashMap<String, IgnoredAny>>(text);
        json.map_err(|_| damaged("in a JSON object", text))?;
        // Nothing else of ours ends so: the seal's own name was hit.
        if last_text(text).is_some_and(|(_, last)| last.bytes().all(|b| b.is_ascii_hexdigit())) {
            return Err(damaged("under the name of a seal", text));
        }
        return Ok(Header::Unsealed(Metadata { text: text.clone(), sealed: false }));
    };
    let digest = digest.to_owned();
    let text = format!("{}}}", &text[..text.len() - (KEY.len() + DIGITS + 2)]);
    Ok(Header::Sealed(Seal { metadata: Metadata { text, sealed: true }, digest }))
}

/// The JSON header with zeros in place of the digest.
pub(super) fn unsealed(header: &[u8], seal: &Seal) -> Checked<Vec<u8>> {
    let at = place(header, seal.digest.as_bytes());
    let at = at.ok_or_else(|| fault("header", "its digest once more", "none"))?;
    let mut header = header.to_vec();
    header[at..at + DIGITS].copy_from_slice(&ZEROS);
    Ok(header)
}

fn digest_of(text: &str) -> Option<&str> {
    last_text(text).filter(|(before, _)| before.ends_with(KEY)).map(|(_, digest)| digest)
}

/// What stands before the last text of a JSON object, and that text if it has the length of a digest.
fn last_text(json: &str) -> Option<(&str, &str)> {
    let body = json.strip_suffix("\"}")?;
    body.split_at_checked(body.len().checked_sub(DIGITS)?)
}

/// Where `digits` stand behind their key in a JSON header.
fn place(header: &[u8], digits: &[u8]) -> Option<usize> {
    let needle = [ESCAPED, digits].concat();
    let at = header.windows(needle.len()).position(|window| window == needle)?;
    Some(at + ESCAPED.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, text: &str) -> HashMap<String, String> {
        HashMap::from([(key.to_owned(), text.to_owned())])
    }

    #[test]
    fn files_from_elsewhere_have_no_seal_and_a_misplaced_one_is_damage() {
        assert!(matches!(find(None), Ok(Header::Foreign)));
        assert!(matches!(find(Some(&one("format", "pt"))), Ok(Header::Foreign)));
        let unsealed = find(Some(&one("in9", r#"{"x":1}"#))).unwrap();
        assert!(
            matches!(unsealed, Header::Unsealed(Metadata { text, sealed: false }) if text == r#"{"x":1}"#)
        );

        let sealed = open(r#"{"x":1}"#).unwrap();
        let Header::Sealed(seal) = find(Some(&one("in9", &sealed))).unwrap() else { panic!("no seal") };
        assert_eq!(seal.metadata.text, r#"{"x":1}"#);
        assert!(matches!(find(Some(&one("io9", &sealed))), Err(Fault::Damaged { .. })));
        assert!(matches!(find(Some(&one("in9", &sealed[1..sealed.len() - 3]))), Err(Fault::Damaged { .. })));
        assert!(open("{}").is_err() && open("").is_err());
    }
}
