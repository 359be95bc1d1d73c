//! TensorBoard event files with scalars.
//!
//! A file is a sequence of records: the length as u64, its masked CRC32C, the bytes, their masked
//! CRC32C, all little-endian. The bytes are an `Event` protocol buffer; of it only the fields
//! `wall_time` (1), `step` (2), `file_version` (3) and `summary` (5) are written, and of a summary
//! only `tag` (1) and `simple_value` (2) of each `value` (1).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

/// An event file that is being written.
pub struct EventFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl EventFile {
    /// Starts a new file in the folder `dir`, named after the present second as TensorBoard wants.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn create(dir: &Path) -> Result<Self> {
        let seconds = wall_time();
        // The process id keeps a run that is resumed within a second from its predecessor's file.
        let name = format!("events.out.tfevents.{seconds:010.0}.{}", std::process::id());
        let path = dir.join(name);
        let file = File::create(&path).map_err(Error::io(&path))?;
        let mut events = Self { path, out: BufWriter::new(file) };
        let mut event = Vec::new();
        put_double(&mut event, 1, seconds);
        put_bytes(&mut event, 3, b"brain.Event:2");
        events.put(&event)?;
        events.flush()?;
        Ok(events)
    }

    /// Adds scalars of one step.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        let mut summary = Vec::new();
        for (tag, value) in values {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, tag.as_bytes());
            put_float(&mut entry, 2, *value as f32);
            put_bytes(&mut summary, 1, &entry);
        }
        let mut event = Vec::new();
        put_double(&mut event, 1, wall_time());
        put_varint(&mut event, 2 << 3);
        put_varint(&mut event, step);
        put_bytes(&mut event, 5, &summary);
        self.put(&event)
    }

    /// Hands everything to the system, so that a running TensorBoard sees it.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(Error::io(&self.path))
    }

    fn put(&mut self, event: &[u8]) -> Result<()> {
        let length = (event.len() as u64).to_le_bytes();
        let parts: [&[u8]; 4] =
            [&length, &masked_crc(&length).to_le_bytes(), event, &masked_crc(event).to_le_bytes()];
        for part in parts {
            self.out.write_all(part).map_err(Error::io(&self.path))?;
        }
        Ok(())
    }
}

fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_double(out: &mut Vec<u8>, field: u64, value: f64) {
    put_varint(out, field << 3 | 1);
    out.extend(value.to_le_bytes());
}

fn put_float(out: &mut Vec<u8>, field: u64, value: f32) {
    put_varint(out, field << 3 | 5);
    out.extend(value.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The CRC rotated by 15 bits plus a constant, so that a CRC of data with CRCs in it stays good.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32 with Castagnoli's polynomial, bit by bit: event files are small.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0x82f6_3b78;
            }
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_standard_check_string() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    #[test]
    fn varints_use_seven_bits_a_byte() {
        let mut out = Vec::new();
        put_varint(&mut out, 300);
        assert_eq!(out, [0xac, 0x02]);
    }

    #[test]
    fn records_are_framed_and_hold_the_scalar() {
        let dir = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(dir.path()).unwrap();
        events.scalars(7, &[("loss", 0.5)]).unwrap();
        events.flush().unwrap();
        let bytes = std::fs::read(&events.path).unwrap();
        let mut rest = bytes.as_slice();
        let mut records = Vec::new();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let data = &rest[12..12 + length];
            let crc = u32::from_le_bytes(rest[12 + length..16 + length].try_into().unwrap());
            assert_eq!(crc, masked_crc(data));
            records.push(data);
            rest = &rest[16 + length..];
        }
        assert_eq!(records.len(), 2);
        assert!(records[0].ends_with(b"brain.Event:2"));
        let tail = [&[0x10, 7, 0x2a, 13, 0x0a, 11, 0x0a, 4][..], b"loss", &[0x15], &0.5f32.to_le_bytes()];
        assert!(records[1].ends_with(&tail.concat()), "{:?}", records[1]);
    }
}
