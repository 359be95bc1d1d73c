//! What every target about weights does with its input.

use in9_models::weights::{self, Limits};

/// Reads the file and all its tensors.
pub fn weigh(bytes: Vec<u8>) {
    if let Ok(file) = weights::read_bytes(bytes, &Limits::default()) {
        for (_, tensor) in file.tensors.iter() {
            let _ = tensor.to_f32();
        }
    }
}

/// Makes the checksums of the members of a zip archive right, so that what lies behind them is reached too.
#[allow(dead_code, reason = "for one of the targets")]
pub fn seal_zip(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize| {
        bytes.get(at..at + 4).map(|b| u32::from_le_bytes(b.try_into().expect("four bytes")) as usize)
    };
    let half = |bytes: &[u8], at: usize| number(bytes, at).map(|n| n & 0xffff);
    for at in 0..bytes.len().saturating_sub(46) {
        if !bytes[at..].starts_with(b"PK\x01\x02") {
            continue;
        }
        let range = || {
            let (length, local) = (number(bytes, at + 20)?, number(bytes, at + 42)?);
            let start = local + 30 + half(bytes, local + 26)? + half(bytes, local + 28)?;
            bytes.get(start..start.checked_add(length)?)
        };
        if let Some(member) = range() {
            let crc = crc32fast::hash(member).to_le_bytes();
            bytes[at + 16..at + 20].copy_from_slice(&crc);
        }
    }
}
