//! Checksums made right, so that what lies behind them is reached by bytes that a fuzzer has made up.

/// Makes the checksums of a shard's index, header and footer right. At least 192 bytes.
pub(super) fn shard(bytes: &mut [u8]) {
    let footer = bytes.len() - 64;
    let length = u64::from_le_bytes(bytes[32..40].try_into().expect("eight bytes"));
    let index = usize::try_from(length).ok().and_then(|length| bytes.get(128..128usize.checked_add(length)?));
    let crc = crc32fast::hash(index.unwrap_or_default()).to_le_bytes();
    bytes[116..120].copy_from_slice(&crc);
    let header = crc32fast::hash(&bytes[..124]).to_le_bytes();
    bytes[124..128].copy_from_slice(&header);
    let hash = blake3::hash(&bytes[..footer]);
    let length = (bytes.len() as u64).to_le_bytes();
    let tail = &mut bytes[footer..];
    tail[..8].copy_from_slice(b"IN9 end\n");
    tail[8..40].copy_from_slice(hash.as_bytes());
    tail[40..48].copy_from_slice(&length);
    tail[48..52].copy_from_slice(&header);
    tail[52..60].fill(0);
    let crc = crc32fast::hash(&tail[..60]).to_le_bytes();
    tail[60..].copy_from_slice(&crc);
}

/// Makes the checksum of every block of a tar archive right that could be a header.
pub(super) fn tar(bytes: &mut [u8]) {
    for block in bytes.chunks_exact_mut(512).filter(|block| block.iter().any(|&byte| byte != 0)) {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
}

/// Makes the checksums of a PNG's chunks right.
pub(super) fn png(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(&[a, b, c, d]) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(end) = length.checked_add(at + 8).filter(|end| end + 4 <= bytes.len()) else { return };
        let crc = crc32fast::hash(&bytes[at + 4..end]).to_be_bytes();
        bytes[end..end + 4].copy_from_slice(&crc);
        at = end + 4;
    }
}
