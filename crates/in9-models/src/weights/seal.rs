//! The seal of our safetensors files: the BLAKE3 of the file, in the file.
//!
//! The JSON object in the header ends with `"digest":"…"`. The digest is that of the whole file with
//! sixty-four zeros in its place, so that no bit of the file can change unnoticed: not the tensors, nor their
//! names, nor what the header says about them.

use super::fault::{Checked, fault};

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
    /// Whether the file's bytes were compared with the digest that it carries. Files of earlier versions
    /// carry none.
    pub sealed: bool,
}

/// The text of a JSON object with room for the digest.
pub(super) fn open(text: &str) -> Checked<String> {
    let body = text.strip_suffix('}').filter(|body| body.len() > 1);
    let body = body.ok_or_else(|| fault("metadata to write", "a JSON object with an entry", text))?;
    Ok(format!("{body}{KEY}{}\"}}", "0".repeat(DIGITS)))
}

/// Writes the digest of `bytes`, a file whose header holds a text of [`open`], into its place.
pub(super) fn close(bytes: &mut [u8]) -> Checked<()> {
    let at = place(bytes, &ZEROS).ok_or_else(|| fault("header to write", "room for its digest", "none"))?;
    let digest = blake3::hash(bytes).to_hex();
    bytes[at..at + DIGITS].copy_from_slice(digest.as_bytes());
    Ok(())
}

/// The text without its digest, after comparing that with `bytes`, the whole file.
pub(super) fn check(bytes: &[u8], mut text: String) -> Checked<Metadata> {
    let Some(digest) = digest_of(&text) else { return Ok(Metadata { text, sealed: false }) };
    let at = place(bytes, digest.as_bytes()).ok_or_else(|| fault("header", "its digest", "none"))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..at]).update(&ZEROS).update(&bytes[at + DIGITS..]);
    let found = hasher.finalize().to_hex();
    if found.as_str() != digest {
        return Err(fault(
            "the file is damaged: its bytes are not those that were written",
            format!("BLAKE3 {digest}"),
            found.to_string(),
        ));
    }
    text.truncate(text.len() - (KEY.len() + DIGITS + 2));
    text.push('}');
    Ok(Metadata { text, sealed: true })
}

fn digest_of(text: &str) -> Option<&str> {
    let body = text.strip_suffix("\"}")?;
    let (start, digest) = body.split_at_checked(body.len().checked_sub(DIGITS)?)?;
    (start.ends_with(KEY) && digest.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digest)
}

/// Where `digits` stand behind their key.
fn place(bytes: &[u8], digits: &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let header = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let needle = [ESCAPED, digits].concat();
    let at = header.windows(needle.len()).position(|window| window == needle)?;
    Some(8 + at + ESCAPED.len())
}
