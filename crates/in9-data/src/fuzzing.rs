//! The readers of strangers' bytes, for the targets in `fuzz/`: whatever they are given, each returns, and
//! what it accepts keeps its promises.

use std::path::Path;

use crate::limits::Limits;
use crate::shard::Shard;
use crate::sources::{Annotation, coco, folder, release, solution, tiny_imagenet};

/// PASCAL-VOC annotations.
pub fn xml(bytes: &[u8]) {
    if let Ok(annotation) = Annotation::parse(bytes) {
        assert!(annotation.boxes.len() <= 10_000, "boxes beyond the limit");
    }
}

/// Masks of the release: the first byte is the side that is asked for.
pub fn npy(bytes: &[u8]) {
    let Some((&side, file)) = bytes.split_first() else { return };
    let side = usize::from(side);
    if let Ok(mask) = release::npy_mask(file, side) {
        assert!(mask.len() == side * side && mask.iter().all(|&m| m <= 1), "a mask of another kind");
    }
}

/// Tables, by the first byte: Kaggle's, `boxes.csv`, Tiny-ImageNet's two, COCO, predictions, taxonomies.
pub fn csv(bytes: &[u8]) {
    let Some((&kind, table)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(table) else { return };
    let (path, mut faults) = (Path::new("table"), Vec::new());
    match kind % 7 {
        0 => drop(solution::parse(text, path, &mut faults)),
        1 => drop(folder::parse_boxes(text, path, &mut faults)),
        2 => drop(tiny_imagenet::parse(text, path, Some("n1"), &mut faults)),
        3 => drop(tiny_imagenet::parse(text, path, None, &mut faults)),
        4 => {
            for shapes in coco::parse(text).unwrap_or_default().into_values() {
                let (width, height) = shapes.size();
                if let Ok(boxes) = shapes.boxes(4096) {
                    assert!(boxes.is_empty() || u64::from(width) * u64::from(height) <= 4096);
                }
                for (width, height) in [(4, 3), (60, 40)] {
                    if let Ok(mask) = shapes.mask(width, height) {
                        assert_eq!(mask.len(), (width * height) as usize);
                    }
                }
            }
        }
        5 => drop(crate::predictions::Table::parse(table, path)),
        _ => drop(crate::Taxonomy::parse(text, path)),
    }
    assert!(faults.iter().all(|fault| fault.starts_with("table: ") && fault.lines().count() == 1));
}

/// Shards: as they are, and with every checksum made right, so that what lies behind is reached too.
pub fn shard(bytes: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder for temporary files");
    let path = dir.path().join("shard.in9");
    let mut bytes = bytes.to_vec();
    read_shard(&path, &bytes);
    if bytes.len() >= 192 {
        reseal(&mut bytes);
        read_shard(&path, &bytes);
    }
}

fn read_shard(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("room for temporary files");
    let Ok(shard) = Shard::open(path, &Limits::default()) else { return };
    let size = shard.size();
    let _ = shard.verify();
    for (at, sample) in shard.samples().iter().enumerate() {
        if let Ok(layers) = shard.layers(at) {
            assert_eq!(layers.photo.len(), size * size * 3);
        }
        let [x0, y0, x1, y1] = sample.crop_box.map(usize::from);
        assert!(x0 <= x1 && y0 <= y1 && x1 < size && y1 < size);
        assert!(usize::from(sample.class) < shard.classes());
    }
}

/// Makes the checksums of index, header and footer right.
fn reseal(bytes: &mut [u8]) {
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

#[cfg(test)]
mod tests {
    /// Replays the committed corpus of a target. A published package has no fuzz targets, and no corpora.
    fn replay(name: &str, target: fn(&[u8])) {
        let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        if !fuzz.is_dir() {
            return;
        }
        let folder = fuzz.join("corpus").join(name);
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 5, "{name} has a corpus");
        files.iter().for_each(|file| target(&std::fs::read(file).unwrap()));
    }

    #[test]
    fn the_corpora_hold_no_finding() {
        replay("xml", super::xml);
        replay("npy", super::npy);
        replay("csv", super::csv);
        replay("shard", super::shard);
    }
}
