//! The log of tried pairs: what is needed to continue an interrupted search.

use crate::error::Result;
use in9_base::files::Journal;
use std::path::Path;

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

/// Bytes of a pair: foreground, background and answer as little-endian u32.
const PAIR: usize = 12;
const OUTSIDE: u32 = u32::MAX;

/// The pairs that were tried, in a [`Journal`], or nowhere for a search that is not to be continued.
#[derive(Debug)]
pub struct PairLog {
    journal: Option<Journal>,
    done: Vec<Pair>,
}

impl PairLog {
    /// A log that is kept nowhere.
    pub fn none() -> Self {
        Self { journal: None, done: Vec::new() }
    }

    /// Opens or creates a log that belongs to `identity`: model, normalisation, mapping, data and settings.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(path: &Path, identity: [u8; 32]) -> Result<Self> {
        let mut done = Vec::new();
        let journal = Journal::open(path, identity.into(), |record| {
            let (pairs, rest) = record.as_chunks::<PAIR>();
            if rest.is_empty() {
                done.extend(pairs.iter().map(decode));
            }
            rest.is_empty()
        })?;
        Ok(Self { journal: Some(journal), done })
    }

    /// Pairs tried before, in order.
    pub fn take_done(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.done)
    }

    /// Appends pairs, which are kept together or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn append(&mut self, pairs: &[Pair]) -> Result<()> {
        match &mut self.journal {
            // A wave that was known already has nothing new.
            Some(journal) if !pairs.is_empty() => {
                Ok(journal.append(&pairs.iter().flat_map(encode).collect::<Vec<u8>>())?)
            }
            _ => Ok(()),
        }
    }

    /// Removes the file: the search is done.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<()> {
        Ok(self.journal.map_or(Ok(()), Journal::remove)?)
    }
}

fn encode(pair: &Pair) -> [u8; PAIR] {
    let mut bytes = [0; PAIR];
    let answer = pair.predicted.map_or(OUTSIDE, u32::from);
    for (slot, value) in bytes.chunks_exact_mut(4).zip([pair.foreground, pair.background, answer]) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn decode(bytes: &[u8; PAIR]) -> Pair {
    let (numbers, _) = bytes.as_chunks::<4>();
    let number = |at: usize| u32::from_le_bytes(numbers[at]);
    Pair { foreground: number(0), background: number(1), predicted: u16::try_from(number(2)).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_back_and_those_that_were_torn_are_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let pairs = [
            Pair { foreground: 1, background: 70_000, predicted: Some(8) },
            Pair { foreground: 2, background: 0, predicted: None },
            Pair { foreground: 3, background: 1, predicted: Some(0) },
        ];
        let mut log = PairLog::open(&path, [7; 32]).unwrap();
        assert!(log.take_done().is_empty());
        log.append(&pairs[..2]).unwrap();
        log.append(&[]).unwrap();
        log.append(&pairs[2..]).unwrap();
        drop(log);
        assert_eq!(PairLog::open(&path, [7; 32]).unwrap().take_done(), pairs);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let mut log = PairLog::open(&path, [7; 32]).unwrap();
        assert_eq!(log.take_done(), pairs[..2]);
        log.append(&pairs[2..]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        log.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_record_that_holds_no_whole_pairs_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        Journal::open(&path, [7; 32].into(), |_| true).unwrap().append(&[0; PAIR + 1]).unwrap();
        assert!(PairLog::open(&path, [7; 32]).unwrap().take_done().is_empty());
    }
}
