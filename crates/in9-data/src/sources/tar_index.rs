//! Tar archives, read in place: one pass over the headers, nothing is unpacked to disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::Limits;

use super::{Locator, is_photo, stem};

/// A photograph in an archive.
pub(super) struct Entry {
    /// File name without folders.
    pub(super) name: String,
    pub(super) place: Locator,
}

/// Lists the photographs of an uncompressed archive, also those in archives inside it (the training
/// archive holds one for each class). A cut archive gives what comes before the cut, and a fault.
pub(super) fn index(path: &Path, faults: &mut Vec<String>) -> Result<Vec<Entry>> {
    let file = File::open(path).map_err(|e| Error::read(path, e))?;
    let length = file.metadata().map_err(|e| Error::read(path, e))?.len();
    let archive = Arc::new(path.to_path_buf());
    let mut entries = Vec::new();
    walk(&mut BufReader::new(file), 0, length, true, &archive, &mut entries, faults);
    Ok(entries)
}

/// Reads the headers of one archive that lies at `start .. start + length` of the file.
fn walk(
    file: &mut BufReader<File>,
    start: u64,
    length: u64,
    nested: bool,
    archive: &Arc<PathBuf>,
    entries: &mut Vec<Entry>,
    faults: &mut Vec<String>,
) {
    let mut fault = |what: String| {
        faults.push(format!("{}: {what}; copy the archive again", archive.display()));
    };
    let mut at = start;
    let mut inner = Vec::new();
    while at < start + length {
        if at + 512 > start + length {
            fault(format!(
                "archive cut short (expected a header at byte {at}, found {} bytes)",
                start + length - at
            ));
            break;
        }
        let mut block = [0; 512];
        if let Err(e) = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut block)) {
            fault(format!("cannot read header at byte {at} ({e})"));
            break;
        }
        if block.iter().all(|&b| b == 0) {
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
        let Some(end) = data.checked_add(size).filter(|&end| end <= start + length) else {
            fault(format!("archive cut short (expected {size} bytes at byte {data}, found fewer)"));
            break;
        };
        let name = String::from_utf8_lossy(&header.path_bytes()).into_owned();
        let name = name.rsplit('/').next().unwrap_or_default().to_string();
        if header.entry_type().is_file() {
            if is_photo(&name) {
                let place = Locator::Span { archive: archive.clone(), offset: data, length: size };
                entries.push(Entry { name, place });
            } else if nested && name.ends_with(".tar") {
                inner.push((data, size));
            }
        }
        at = end.next_multiple_of(512);
    }
    for (data, size) in inner {
        walk(file, data, size, false, archive, entries, faults);
    }
}

/// Reads the XML files of a (possibly gzip-compressed) archive into memory, by name without
/// extension.
pub(super) fn small_files(
    path: &Path,
    limits: &Limits,
    faults: &mut Vec<String>,
) -> Result<HashMap<String, Locator>> {
    let mut file = BufReader::new(File::open(path).map_err(|e| Error::read(path, e))?);
    let mut magic = [0; 2];
    file.read_exact(&mut magic).map_err(|e| Error::read(path, e))?;
    file.rewind().map_err(|e| Error::read(path, e))?;
    let reader: Box<dyn Read> = match magic {
        [0x1f, 0x8b] => Box::new(flate2::read::MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    let (mut files, mut whole) = (HashMap::new(), true);
    // A limit on what comes out, so that a small file cannot unpack to fill the memory.
    let mut left = limits.table_bytes;
    let mut archive = tar::Archive::new(reader.take(limits.table_bytes));
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
        if !entry.header().entry_type().is_file() || !name.ends_with(".xml") {
            continue;
        }
        if entry.size() > limits.annotation_bytes || entry.size() > left {
            fault(format!(
                "{name} is too large (expected at most {} bytes, found {})",
                limits.annotation_bytes,
                entry.size()
            ));
            continue;
        }
        left -= entry.size();
        let mut bytes = Vec::new();
        if let Err(e) = entry.read_to_end(&mut bytes) {
            fault(format!("{name} cannot be read ({e})"));
            whole = false;
            break;
        }
        files.insert(stem(&name).to_string(), Locator::Bytes(bytes.into(), name.into()));
    }
    // To the end of the compressed data, whose checksum stands there; what is damaged was told already.
    if whole && let Err(e) = std::io::copy(&mut archive.into_inner(), &mut std::io::sink()) {
        faults.push(format!(
            "{}: archive damaged or cut short (expected its end, found: {e}); copy the archive again",
            path.display()
        ));
    }
    Ok(files)
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
            let entries = index(&path, &mut faults).unwrap();
            let contents: Vec<_> =
                entries.iter().map(|e| (e.name.clone(), e.place.read(1000).unwrap())).collect();
            (contents, faults)
        };
        let (contents, faults) = read(&whole);
        assert!(faults.is_empty());
        assert_eq!(contents[1], ("n1_1.JPEG".into(), b"one".to_vec()));
        assert_eq!(contents[0], ("n2_7.JPEG".into(), vec![7; 600]));
        assert_eq!(contents.len(), 3);
        for end in (513..whole.len() - 1500).step_by(300) {
            assert!(!read(&whole[..end]).1.is_empty(), "cut at {end} of {}", whole.len());
        }
        let mut damaged = whole.clone();
        damaged[3] ^= 1;
        assert!(read(&damaged).1[0].contains("no tar header at byte 0"));
    }
}
