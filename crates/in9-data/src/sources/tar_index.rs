//! Tar archives, read in place: one pass over the headers, nothing is unpacked to disk.

use std::collections::HashMap;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::Limits;

use super::{Locator, is_photo, stem};

/// A block that holds nothing; two of them end an archive.
const ZEROS: [u8; 512] = [0; 512];

/// How many times the bytes of its files an archive may have: their headers and the padding of small ones.
const PACKING: u64 = 4;

/// Bytes that a file takes in memory beside its own, about; counted as if they were in the file.
const A_FILE: u64 = 256;

/// A photograph in an archive.
pub(crate) struct Entry {
    /// File name without folders.
    pub(crate) name: String,
    pub(crate) place: Locator,
}

/// Lists the photographs of an uncompressed archive, also those in archives inside it (the training
/// archive holds one for each class) if `wanted` says so of their names. A cut archive gives what comes before the cut,
/// and a fault.
pub(super) fn index(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    faults: &mut Vec<String>,
) -> Result<Vec<Entry>> {
    let file = in9_base::files::open(path)?;
    let length = file.metadata().map_err(|e| Error::read(path, e))?.len();
    Ok(index_of(BufReader::new(file), length, path, wanted, faults))
}

/// Lists the photographs of an archive of `length` bytes, which is `path`.
pub(crate) fn index_of(
    mut file: impl Read + Seek,
    length: u64,
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    faults: &mut Vec<String>,
) -> Vec<Entry> {
    let archive = Arc::new(path.to_path_buf());
    let mut entries = Vec::new();
    walk(&mut file, 0, length, Some(wanted), &archive, &mut entries, faults);
    entries
}

/// Reads the headers of one archive that lies at `start .. start + length` of the file; `nested` says which archives inside
/// it are read too.
fn walk(
    file: &mut (impl Read + Seek),
    start: u64,
    length: u64,
    nested: Option<&dyn Fn(&str) -> bool>,
    archive: &Arc<PathBuf>,
    entries: &mut Vec<Entry>,
    faults: &mut Vec<String>,
) {
    let mut fault = |what: String| {
        faults.push(format!("{}: {what}; copy the archive again", archive.display()));
    };
    let (end, mut at, mut inner) = (start + length, start, Vec::new());
    loop {
        let block = match read_block(file, at, end) {
            Ok(block) => block,
            Err(what) => {
                fault(what);
                break;
            }
        };
        if block == ZEROS {
            // An archive ends with two blocks of zeros: without them it was cut between two entries.
            match read_block(file, at + 512, end) {
                Ok(ZEROS) => {}
                Ok(_) => fault(format!(
                    "archive damaged (expected a second block of zeros at byte {}, found another)",
                    at + 512
                )),
                Err(what) => fault(what),
            }
            break;
        }
        let header = tar::Header::from_byte_slice(&block);
        let checksum: u32 = block
            .iter()
            .enumerate()
            .map(|(i, &b)| if (148..156).contains(&i) { u32::from(b' ') } else { u32::from(b) })
            .sum();
        let size = match (header.cksum(), header.entry_size()) {
            (Ok(stored), Ok(size)) if stored == checksum => size,
            _ => {
                fault(format!("no tar header at byte {at} (expected its checksum, found another)"));
                break;
            }
        };
        let data = at + 512;
        let Some(next) = data.checked_add(size).filter(|&next| next <= end) else {
            fault(format!("archive cut short (expected {size} bytes at byte {data}, found fewer)"));
            break;
        };
        let path = header.path_bytes();
        let name = String::from_utf8_lossy(path.rsplit(|&byte| byte == b'/').next().unwrap_or_default());
        if header.entry_type().is_file() {
            if is_photo(&name) && std::str::from_utf8(&path).is_err() {
                fault(format!("a name at byte {at} cannot be stored (expected UTF-8, found {name:?})"));
            } else if is_photo(&name) {
                let name = name.into_owned();
                let place = Locator::Span { archive: archive.clone(), offset: data, length: size };
                entries.push(Entry { name, place });
            } else if name.ends_with(".tar") && nested.is_some_and(|wanted| wanted(&name)) {
                inner.push((data, size));
            }
        }
        at = next.next_multiple_of(512);
    }
    for (data, size) in inner {
        walk(file, data, size, None, archive, entries, faults);
    }
}

/// Reads the block at byte `at` of an archive that ends at byte `end` of the file.
fn read_block(file: &mut (impl Read + Seek), at: u64, end: u64) -> std::result::Result<[u8; 512], String> {
    if at + 512 > end {
        return Err(format!(
            "archive cut short (expected a header or blocks of zeros at byte {at}, found {} bytes)",
            end.saturating_sub(at)
        ));
    }
    let mut block = ZEROS;
    match file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut block)) {
        Ok(()) => Ok(block),
        Err(e) => Err(format!("cannot read header at byte {at} ({e})")),
    }
}

/// Reads the XML files of a (possibly gzip-compressed) archive into memory, by name without
/// extension: those of whose paths `wanted` says so.
pub(super) fn small_files(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    limits: &Limits,
    faults: &mut Vec<String>,
) -> Result<HashMap<String, Locator>> {
    small_files_of(BufReader::new(in9_base::files::open(path)?), path, wanted, limits, faults)
}

/// Reads the XML files of the archive `file`, which is `path`.
pub(crate) fn small_files_of<'f>(
    mut file: impl Read + Seek + 'f,
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    limits: &Limits,
    faults: &mut Vec<String>,
) -> Result<HashMap<String, Locator>> {
    let mut magic = [0; 2];
    file.read_exact(&mut magic).map_err(|e| Error::read(path, e))?;
    file.rewind().map_err(|e| Error::read(path, e))?;
    let reader: Box<dyn Read + 'f> = match magic {
        [0x1f, 0x8b] => Box::new(flate2::read::MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    let (mut files, mut whole) = (HashMap::new(), true);
    // Limits on what comes out, so that a small file cannot unpack to fill the memory, or for ever.
    let mut left = limits.annotations_bytes;
    let mut archive = tar::Archive::new(reader.take(limits.annotations_bytes.saturating_mul(PACKING)));
    let mut fault = |what: String| faults.push(format!("{}: {what}; copy the archive again", path.display()));
    for entry in archive.entries().map_err(|e| Error::read(path, e))? {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                fault(format!("archive damaged or cut short (expected a tar entry, found: {e})"));
                whole = false;
                break;
            }
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !entry.header().entry_type().is_file() || !name.ends_with(".xml") || !wanted(&name) {
            continue;
        }
        if entry.size() > limits.annotation_bytes {
            fault(format!(
                "{name} is too large (expected at most {} bytes, found {})",
                limits.annotation_bytes,
                entry.size()
            ));
            continue;
        }
        let Some(rest) = left.checked_sub(entry.size() + name.len() as u64 + A_FILE) else {
            fault(format!(
                "too many annotations (expected at most {} bytes, found more)",
                limits.annotations_bytes
            ));
            whole = false;
            break;
        };
        left = rest;
        let mut bytes = Vec::new();
        let cut = match entry.read_to_end(&mut bytes) {
            Ok(found) if found as u64 == entry.size() => None,
            // The library takes the end of the file for the end of the entry.
            Ok(found) => Some(format!("expected {} bytes, found {found}", entry.size())),
            Err(e) => Some(e.to_string()),
        };
        if let Some(what) = cut {
            fault(format!("{name} cannot be read ({what})"));
            whole = false;
            break;
        }
        files.insert(stem(&name).to_string(), Locator::Bytes(bytes.into(), name.into()));
    }
    // What is damaged was told already.
    if whole && let Err(found) = read_end(archive.into_inner()) {
        faults.push(format!(
            "{}: archive damaged or cut short (expected its end, found {found}); copy the archive again",
            path.display()
        ));
    }
    Ok(files)
}

/// Reads what follows the first block of zeros, or the last entry if there is none: a second block, then
/// the rest of the compressed data, whose checksum stands at its end.
fn read_end(mut rest: std::io::Take<impl Read>) -> std::result::Result<(), String> {
    let mut second = ZEROS;
    match rest.read_exact(&mut second) {
        Ok(()) if second == ZEROS => {
            std::io::copy(&mut rest, &mut std::io::sink()).map(|_| ()).map_err(|e| e.to_string())
        }
        Ok(()) => Err("no second block of zeros".into()),
        Err(_) if rest.limit() == 0 => Err("more bytes than are allowed".into()),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Err("the end of the file".into()),
        Err(e) => Err(e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn nested_archives_are_read_in_place_and_cuts_are_noticed() {
        let inner = tar_of(&[("n1_1.JPEG", b"one"), ("n1_2.JPEG", b"two")]);
        let whole = tar_of(&[("n1.tar", &inner), ("n2_7.JPEG", &[7; 600])]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut faults = Vec::new();
            let entries = index(&path, &|_| true, &mut faults).unwrap();
            let contents: Vec<_> =
                entries.iter().map(|e| (e.name.clone(), e.place.read(1000).unwrap())).collect();
            (contents, faults)
        };
        let (contents, faults) = read(&whole);
        assert!(faults.is_empty());
        assert_eq!(contents[1], ("n1_1.JPEG".into(), b"one".to_vec()));
        assert_eq!(contents[0], ("n2_7.JPEG".into(), vec![7; 600]));
        assert_eq!(contents.len(), 3);
        // Those that nobody wants are not even read.
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(index(&path, &|name| name != "n1.tar", &mut Vec::new()).unwrap().len(), 1);
        // Everywhere, so also between two entries, before the end mark and inside it.
        for end in (0..whole.len()).step_by(64) {
            assert_eq!(read(&whole[..end]).1.len(), 1, "cut at {end} of {}", whole.len());
        }
        let mut damaged = whole.clone();
        damaged[3] ^= 1;
        assert!(read(&damaged).1[0].contains("no tar header at byte 0"));
        // The inner archive alone lacks its end: its photographs are kept, and the fault is told.
        let cut = tar_of(&[("n1.tar", &inner[..2048]), ("n2_7.JPEG", &[7; 600])]);
        let (contents, faults) = read(&cut);
        assert_eq!((contents.len(), faults.len()), (3, 1));
        assert!(faults[0].contains("archive cut short"), "{faults:?}");
    }

    #[test]
    fn the_end_of_an_archive_of_annotations_is_looked_for() {
        let whole = tar_of(&[("val/a.xml", b"<a/>"), ("val/b.xml", &[b'b'; 600])]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let mut faults = Vec::new();
            let files = small_files(&path, &|_| true, &Limits::default(), &mut faults).unwrap();
            (files.len(), faults)
        };
        assert_eq!(read(&whole), (2, vec![]));
        for end in (64..whole.len()).step_by(64) {
            let (files, faults) = read(&whole[..end]);
            assert_eq!(faults.len(), 1, "cut at {end} of {}", whole.len());
            assert_eq!(files, usize::from(end >= 516) + usize::from(end >= 2136), "cut at {end}");
        }
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() = 1;
        assert!(read(&damaged).1[0].contains("no second block of zeros"));
    }
}
