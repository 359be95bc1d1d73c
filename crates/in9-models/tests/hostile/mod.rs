//! Weight files byte by byte, right ones and wrong ones.
//!
//! tests/weights/*.pth were made by tests/oracles/zoo_weights.py.

// Each test program uses another part of this.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/weights").join(name)
}

pub(crate) fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// The process's largest resident size so far, in bytes, where the system tells it.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

/// A safetensors file with this header and this many bytes of data.
pub(crate) fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// A legacy file whose object is this pickle, with these storages behind it.
pub(crate) fn legacy(object: &[u8], keys: &[u8], storages: &[u8]) -> Vec<u8> {
    let whole = bytes_of("legacy.pth");
    // Magic number, protocol and system description are the same in every such file.
    let start = whole.windows(2).skip(21).position(|w| w == b".\x80").unwrap() + 22;
    [&whole[..start], object, keys, storages].concat()
}

/// `{'w': tensor}` whose storage claims `elements`, with this shape and stride.
pub(crate) fn one_tensor(elements: i64, shape: i64, stride: i64) -> Vec<u8> {
    let long = |n: i64| [b"\x8a\x08".as_slice(), &n.to_le_bytes()].concat();
    [
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(".as_slice(),
        b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0kX\x03\0\0\0cpu",
        &long(elements),
        b"NtQK\0",
        &long(shape),
        b"\x85",
        &long(stride),
        b"\x85\x89}tRs.",
    ]
    .concat()
}

/// The list of storage keys of a legacy file with one storage, `k`.
pub(crate) const KEY_LIST: &[u8] = b"\x80\x02]X\x01\0\0\0ka.";

/// A storage of a legacy file.
pub(crate) fn counted(elements: u64, bytes: usize) -> Vec<u8> {
    [elements.to_le_bytes().as_slice(), &vec![0; bytes]].concat()
}

/// A torch archive of these stored members.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let (len, name_len) = (bytes.len() as u32, name.len() as u16);
        let offset = file.len() as u32;
        // Version, flags, method, time, date; then checksum, both sizes, lengths of name and extra.
        let mut common = [[20u8, 0].as_slice(), &[0; 8]].concat();
        common.extend([crc32fast::hash(bytes), len, len].map(u32::to_le_bytes).concat());
        common.extend([name_len.to_le_bytes(), [0; 2]].concat());
        file.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), bytes].concat());
        // Comment length, disk, attributes; then the offset.
        let end = [[0u8; 10].as_slice(), &offset.to_le_bytes()].concat();
        directory.extend([b"PK\x01\x02\x14\0".as_slice(), &common, &end, name.as_bytes()].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let [start, len] = [file.len() as u32, directory.len() as u32].map(u32::to_le_bytes);
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &len, &start, &[0; 2]].concat();
    [file, directory, end].concat()
}

/// A torch archive with this pickle and one storage `k`.
pub(crate) fn torch_zip(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    zip(&[("a/data.pkl", pickle), ("a/byteorder", b"little"), ("a/data/k", storage)])
}
