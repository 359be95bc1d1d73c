//! The log of tried pairs: what is needed to continue an interrupted search.

use crate::error::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
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

const RECORD: usize = 12;
const OUTSIDE: u32 = u32::MAX;

/// An append-only file of pairs, or none at all for a search that is not to be continued.
///
/// Twelve bytes a pair: foreground, background and answer as little-endian u32; a torn last record
/// is cut off on opening. The file begins with 32 bytes that identify model, data and settings.
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

    /// Opens or creates a log that belongs to `identity`.
    ///
    /// # Errors
    /// If the file belongs to another search or cannot be used.
    pub fn open(path: &Path, identity: [u8; 32]) -> Result<Self> {
        let io = || Error::io(path);
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(io())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io())?;
        if bytes.len() < 32 {
            file.set_len(0).map_err(io())?;
            file.seek(SeekFrom::Start(0)).map_err(io())?;
            file.write_all(&identity).map_err(io())?;
            bytes = identity.to_vec();
        }
        if bytes[..32] != identity {
            return Err(Error::input(
                path,
                "belongs to a search with other settings, weights or data; choose another --out or remove it",
            ));
        }
        let records = bytes[32..].chunks_exact(RECORD);
        let whole = 32 + records.len() * RECORD;
        let done = records.map(decode).collect();
        file.set_len(whole as u64).map_err(io())?;
        file.seek(SeekFrom::End(0)).map_err(io())?;
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
        file.write_all(&bytes).map_err(Error::io(path))
    }
}

fn encode(pair: &Pair) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let answer = pair.predicted.map_or(OUTSIDE, u32::from);
    for (slot, value) in record.chunks_exact_mut(4).zip([pair.foreground, pair.background, answer]) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    record
}

fn decode(record: &[u8]) -> Pair {
    let number = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&record[at..at + 4]);
        u32::from_le_bytes(bytes)
    };
    let predicted = u16::try_from(number(8)).ok();
    Pair { foreground: number(0), background: number(4), predicted }
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
        assert!(PairLog::open(&path, [8; 32]).unwrap_err().to_string().contains("other settings"));
    }
}
