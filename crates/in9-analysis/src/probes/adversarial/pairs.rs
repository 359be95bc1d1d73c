//! The log of tried pairs: what is needed to continue an interrupted search.

use crate::error::{Error, Result};
use in9_base::files;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// One tried composite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index of the foreground's photograph.
    pub foreground: u32,
    /// Index of the background's photograph.
    pub background: u32,
    /// The answer; `None` is outside the taxonomy.
    pub predicted: Option<u16>,
}

/// Bytes of a record: three numbers and the first bytes of their BLAKE3.
const RECORD: usize = 16;
/// Bytes of a record's numbers.
const NUMBERS: usize = 12;
/// Bytes in front of the records.
const IDENTITY: usize = 32;
const OUTSIDE: u32 = u32::MAX;

/// An append-only file of pairs, or none at all for a search that is not to be continued.
///
/// Sixteen bytes a pair: foreground, background and answer as little-endian u32, and a checksum. On opening, the
/// log is cut before the first record that is torn or damaged. The file begins with 32 bytes that identify model,
/// normalisation, mapping, data and settings.
#[derive(Debug)]
pub struct PairLog {
    file: Option<(File, PathBuf)>,
    done: Vec<Pair>,
}

impl PairLog {
    /// A log that is kept nowhere.
    pub fn none() -> Self {
        Self { file: None, done: Vec::new() }
    }

    /// Opens or creates a log that belongs to `identity`. One search at a time writes to it.
    ///
    /// # Errors
    /// If the file belongs to another search, is in use by one, or cannot be used.
    pub fn open(path: &Path, identity: [u8; IDENTITY]) -> Result<Self> {
        if !path.exists() {
            files::write_bytes(path, identity)?;
        }
        let mut bytes = Vec::new();
        let mut file = files::open(path)?;
        file.read_to_end(&mut bytes).map_err(in9_base::Error::read(path))?;
        if bytes.get(..IDENTITY) != Some(&identity[..]) {
            return Err(Error::OtherSearch { path: path.to_owned() });
        }
        let done: Vec<Pair> = bytes[IDENTITY..].chunks(RECORD).map_while(decode).collect();
        let whole = IDENTITY + done.len() * RECORD;
        let mut file =
            OpenOptions::new().read(true).write(true).open(path).map_err(in9_base::Error::write(path))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(in9_base::Error::Locked { path: path.to_owned() }.into());
        }
        file.set_len(whole as u64).map_err(in9_base::Error::write(path))?;
        file.seek(SeekFrom::End(0)).map_err(in9_base::Error::write(path))?;
        Ok(Self { file: Some((file, path.to_owned())), done })
    }

    /// Pairs tried before, in order.
    pub fn take_done(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.done)
    }

    /// Appends pairs.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append(&mut self, pairs: &[Pair]) -> Result<()> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        let bytes: Vec<u8> = pairs.iter().flat_map(encode).collect();
        Ok(files::append(file, path, &bytes)?)
    }
}

fn encode(pair: &Pair) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let answer = pair.predicted.map_or(OUTSIDE, u32::from);
    for (slot, value) in record.chunks_exact_mut(4).zip([pair.foreground, pair.background, answer]) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    let sum = checksum(&record[..NUMBERS]);
    record[NUMBERS..].copy_from_slice(&sum);
    record
}

/// The pair of a record; `None` if the record is torn or damaged.
fn decode(record: &[u8]) -> Option<Pair> {
    let (numbers, sum) = record.split_at_checked(NUMBERS)?;
    if checksum(numbers) != sum {
        return None;
    }
    let (numbers, _) = numbers.as_chunks::<4>();
    let number = |at: usize| u32::from_le_bytes(numbers[at]);
    Some(Pair { foreground: number(0), background: number(1), predicted: u16::try_from(number(2)).ok() })
}

fn checksum(numbers: &[u8]) -> [u8; RECORD - NUMBERS] {
    let hash = blake3::hash(numbers);
    std::array::from_fn(|i| hash.as_bytes()[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_records_are_cut_and_strangers_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairs.bin");
        let pairs = [
            Pair { foreground: 1, background: 70_000, predicted: Some(8) },
            Pair { foreground: 2, background: 0, predicted: None },
        ];
        let mut log = PairLog::open(&path, [7; 32]).unwrap();
        assert!(log.take_done().is_empty());
        log.append(&pairs).unwrap();
        drop(log);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let mut log = PairLog::open(&path, [7; 32]).unwrap();
        assert_eq!(log.take_done(), pairs[..1]);
        log.append(&pairs[1..]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert!(PairLog::open(&path, [7; 32]).unwrap_err().to_string().contains("another process"));
        drop(log);
        assert!(PairLog::open(&path, [8; 32]).unwrap_err().to_string().contains("other settings"));
    }

    #[test]
    fn a_damaged_record_and_what_follows_are_searched_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pairs.bin");
        let pair = |foreground| Pair { foreground, background: 3, predicted: Some(1) };
        PairLog::open(&path, [7; 32]).unwrap().append(&[pair(0), pair(1), pair(2)]).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for bit in 8 * (IDENTITY + RECORD)..8 * (IDENTITY + 2 * RECORD) {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(PairLog::open(&path, [7; 32]).unwrap().take_done(), [pair(0)], "bit {bit}");
        }
    }

    #[test]
    fn a_file_that_is_no_log_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.pairs");
        for text in ["", "precious", "precious words that are longer than any identity of a search is"] {
            std::fs::write(&path, text).unwrap();
            assert!(PairLog::open(&path, [7; 32]).is_err(), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
