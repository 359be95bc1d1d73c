//! What a program has done so far, record by record, so that it goes on from there when it was killed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{append, lock, open, remove_file, sibling, write_bytes};
use crate::error::{Error, Result};

/// Bytes in front of the records: what work they belong to.
const IDENTITY: usize = 32;

/// Bytes in front of a record: its length, and the first bytes of the BLAKE3 of what follows.
const HEAD: usize = 12;

/// An append-only file of records beside an output that is not finished.
///
/// It begins with 32 bytes that identify the work: everything that its results depend on. A record is its length as a
/// little-endian u32, eight bytes of its BLAKE3, and its bytes. Records are not synced: what a power cut tears is noticed,
/// and made again with all that follows it. One process at a time writes.
/// There is no file before there is a record.
#[derive(Debug)]
pub struct Journal {
    file: Option<File>,
    path: PathBuf,
    identity: blake3::Hash,
}

impl Journal {
    /// How the name of an output's journal ends.
    pub const ENDING: &str = ".journal";

    /// Where the journal of `output` stands.
    pub fn beside(output: &Path) -> PathBuf {
        sibling(output, Self::ENDING)
    }

    /// Opens the journal at `path`, or begins one, and hands its records to `replay` in the order in which they were
    /// written. It ends before the first one that is damaged, or that `replay` has no use for and returns `false`.
    ///
    /// # Errors
    /// [`Error::OtherWork`] if the file is another work's or no journal, which is then left as it is;
    /// [`Error::Locked`] if another process writes to it; [`Error::Io`] if it cannot be used.
    pub fn open(path: &Path, identity: blake3::Hash, replay: impl FnMut(&[u8]) -> bool) -> Result<Self> {
        let mut journal = Self { file: None, path: path.to_owned(), identity };
        if path.exists() {
            journal.file = Some(journal.reopened(replay)?);
        }
        Ok(journal)
    }

    /// The file, cut behind its last whole record.
    fn reopened(&self, replay: impl FnMut(&[u8]) -> bool) -> Result<File> {
        let path = &self.path;
        // Before it is opened to be written: nothing of others is ever touched.
        let mut found = [0; IDENTITY];
        let read = open(path)?.read_exact(&mut found);
        if read.is_err() || found != *self.identity.as_bytes() {
            return Err(Error::OtherWork { path: path.to_owned() });
        }
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::write(path))?;
        // Whoever began it at the same moment may have put another file in its place.
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) || !lock::stands_at(&file, path) {
            return Err(Error::Locked { path: path.to_owned() });
        }
        let whole = replayed(&file, replay).map_err(Error::read(path))?;
        file.set_len(whole).map_err(Error::write(path))?;
        file.seek(SeekFrom::Start(whole)).map_err(Error::write(path))?;
        Ok(file)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If it cannot be written; [`Error::Locked`] if another process has begun the same work meanwhile.
    pub fn append(&mut self, record: &[u8]) -> Result<()> {
        let length = u32::try_from(record.len());
        let length = length.map_err(|_| Error::write(&self.path)(std::io::ErrorKind::FileTooLarge.into()))?;
        let bytes = [&length.to_le_bytes()[..], &checksum(record), record].concat();
        let mut file = match self.file.take() {
            Some(file) => file,
            None if self.path.exists() => return Err(Error::Locked { path: self.path.clone() }),
            None => {
                write_bytes(&self.path, self.identity.as_bytes())?;
                self.reopened(|_| false)?
            }
        };
        append(&mut file, &self.path, &bytes)?;
        self.file = Some(file);
        Ok(())
    }

    /// Removes it: what it is about is done.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<()> {
        let Some(file) = self.file else { return Ok(()) };
        // No file can be removed on Windows that is open.
        drop(file);
        remove_file(&self.path)
    }
}

/// Reads records until one is torn, damaged or refused; returns where that one begins.
fn replayed(file: &File, mut replay: impl FnMut(&[u8]) -> bool) -> std::io::Result<u64> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 16, file);
    reader.seek(SeekFrom::Start(IDENTITY as u64))?;
    let (mut whole, mut record) = (IDENTITY as u64, Vec::new());
    while length - whole >= HEAD as u64 {
        let (mut size, mut sum) = ([0; 4], [0; HEAD - 4]);
        reader.read_exact(&mut size)?;
        reader.read_exact(&mut sum)?;
        let size = u32::from_le_bytes(size);
        // No more memory than the file has bytes, whatever a damaged length says.
        if u64::from(size) > length - whole - HEAD as u64 {
            break;
        }
        record.resize(size as usize, 0);
        reader.read_exact(&mut record)?;
        if checksum(&record) != sum || !replay(&record) {
            break;
        }
        whole += HEAD as u64 + u64::from(size);
    }
    Ok(whole)
}

fn checksum(record: &[u8]) -> [u8; HEAD - 4] {
    let hash = blake3::hash(record);
    std::array::from_fn(|i| hash.as_bytes()[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> blake3::Hash {
        blake3::hash(text.as_bytes())
    }

    /// Opens the journal of "work"; returns it and what it holds.
    fn opened(path: &Path) -> (Journal, Vec<String>) {
        let mut records = Vec::new();
        let journal = Journal::open(path, of("work"), |record| {
            records.push(String::from_utf8(record.to_vec()).unwrap());
            true
        });
        (journal.unwrap(), records)
    }

    #[test]
    fn what_is_torn_or_damaged_is_cut_with_all_that_follows() {
        let dir = tempfile::tempdir().unwrap();
        let path = Journal::beside(&dir.path().join("out"));
        assert!(path.ends_with("out.journal"));
        let texts = ["first", "", "the third of four", "last"];
        let mut journal = opened(&path).0;
        texts.iter().for_each(|text| journal.append(text.as_bytes()).unwrap());
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let mut ends = vec![IDENTITY];
        texts.iter().for_each(|text| ends.push(ends[ends.len() - 1] + HEAD + text.len()));
        for cut in IDENTITY..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, records) = opened(&path);
            let kept = ends.iter().filter(|end| **end <= cut).count() - 1;
            assert_eq!(records, texts[..kept], "cut at {cut}");
            // What was cut off is written again, and the file is as if nothing had happened.
            texts[kept..].iter().for_each(|text| journal.append(text.as_bytes()).unwrap());
            drop(journal);
            assert!(std::fs::read(&path).unwrap() == whole, "cut at {cut}");
        }
        for bit in 8 * ends[1]..8 * ends[3] {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, damaged).unwrap();
            let (_, records) = opened(&path);
            assert_eq!(records, texts[..if bit < 8 * ends[2] { 1 } else { 2 }], "bit {bit}");
        }
    }

    #[test]
    fn what_its_reader_has_no_use_for_is_cut_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let mut journal = opened(&path).0;
        ["a", "b", "c"].iter().for_each(|text| journal.append(text.as_bytes()).unwrap());
        drop(journal);
        drop(Journal::open(&path, of("work"), |record| record != b"b").unwrap());
        assert_eq!(opened(&path).1, ["a"]);
    }

    #[test]
    fn one_writer_at_a_time_and_only_the_works_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut late, mut journal) = (opened(&path).0, opened(&path).0);
        assert!(!path.exists(), "there is nothing to keep yet");
        journal.append(b"first").unwrap();
        assert!(matches!(late.append(b"first").unwrap_err(), Error::Locked { .. }));
        let again = Journal::open(&path, of("work"), |_| true).unwrap_err();
        assert!(matches!(again, Error::Locked { .. }), "{again}");
        drop(journal);
        let other = Journal::open(&path, of("other"), |_| true).unwrap_err();
        assert!(other.to_string().contains("other settings"), "{other}");
        opened(&path).0.remove().unwrap();
        assert!(!path.exists());
        for text in ["", "precious", "precious words that are longer than any identity of a work is"] {
            std::fs::write(&path, text).unwrap();
            assert!(Journal::open(&path, of("work"), |_| true).is_err(), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
