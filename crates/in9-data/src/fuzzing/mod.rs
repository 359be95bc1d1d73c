//! The readers of strangers' bytes, for the targets in `fuzz/`: whatever they are given, each returns, and
//! what it accepts keeps its promises.

mod seals;
mod world;

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use crate::dataset::Manifest;
use crate::limits::Limits;
use crate::network_masks::NetworkDescription;
use crate::pairing::Pairing;
use crate::photo::{self, Header};
use crate::predictions::{Card, Table};
use crate::shard::{Shard, ShardOutline};
use crate::sources::{Annotation, coco, folder, npy, solution, tar_index, tiny_imagenet, waterbirds};
use crate::taxonomy::Taxonomy;
use crate::view::View;

/// A reader that is given whatever bytes there are.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus.
pub const TARGETS: [(&str, Target); 14] = [
    ("card", card),
    ("coco", coco),
    ("manifest", manifest),
    ("network", network),
    ("npy", npy),
    ("outline", outline),
    ("pairing", pairing),
    ("picture", picture),
    ("predictions", predictions),
    ("shard", shard),
    ("tables", tables),
    ("tar", tar),
    ("taxonomy", taxonomy),
    ("xml", xml),
];

/// PASCAL-VOC annotations.
pub fn xml(bytes: &[u8]) {
    if let Ok(annotation) = Annotation::parse(bytes) {
        assert!(annotation.boxes.len() <= 10_000, "boxes beyond the limit");
    }
}

/// Descriptions of networks that draw masks.
pub fn network(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(read) = NetworkDescription::parse(text, Path::new("network.toml")) {
        let written = serde_json::to_string(&read).unwrap_or_default();
        let again = serde_json::from_str::<NetworkDescription>(&written).ok();
        assert_eq!(again, Some(read), "what a manifest holds of it is something else");
    }
}

/// Masks of the release: the first byte is the side that is asked for.
pub fn npy(bytes: &[u8]) {
    let Some((&side, file)) = bytes.split_first() else { return };
    let side = u32::from(side);
    if let Ok(mask) = npy::npy_mask(file, side, side) {
        assert!(
            mask.len() == (side * side) as usize && mask.iter().all(|&m| m <= 1),
            "a mask of another kind"
        );
    }
}

/// Outlines of datasets; and what they hold of a shard, which no compression hides: as it is, and with its checksums
/// made right.
pub fn outline(bytes: &[u8]) {
    let (path, limits) = (Path::new("outline"), Limits::default());
    if let Err(error) = crate::outline::walk(bytes, path, &limits) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    let mut bytes = bytes.to_vec();
    for sealed in [false, true] {
        if sealed && bytes.len() >= 192 {
            seals::shard(&mut bytes);
        }
        let Ok(shard) = ShardOutline::parse(&bytes, path, "shard.in9", &limits) else { continue };
        for at in 0..shard.samples().len() {
            assert!(shard.crc(at, 0).is_some() && shard.mask(at).len() <= bytes.len());
        }
    }
}

/// Tables of labels and boxes, by the first byte: Kaggle's, `boxes.csv`, Tiny-ImageNet's two; or the metadata of Waterbirds.
pub fn tables(bytes: &[u8]) {
    let Some((&kind, table)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(table) else { return };
    let (path, mut faults) = (Path::new("table"), Vec::new());
    match kind % 4 {
        _ if kind == b'w' => drop(waterbirds::parse(text, path, &mut faults)),
        0 => drop(solution::parse(text, path, &mut faults)),
        1 => drop(folder::parse_boxes(text, path, &mut faults)),
        2 => drop(tiny_imagenet::parse(text, path, Some("n1"), &mut faults)),
        _ => drop(tiny_imagenet::parse(text, path, None, &mut faults)),
    }
    assert!(faults.iter().all(|fault| fault.starts_with("table: ") && fault.lines().count() == 1));
}

/// COCO's annotations, and what is drawn of them.
pub fn coco(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for shapes in coco::parse(&Arc::new(text.into())).unwrap_or_default().into_values() {
        for (width, height) in [(4, 3), (60, 40)] {
            let _ = shapes.boxes(width, height);
            if let Ok(mask) = shapes.mask(width, height) {
                assert_eq!(mask.len(), (width * height) as usize);
            }
        }
    }
}

/// Cards of prediction tables: what is read can be written, and read again the same.
pub fn card(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Card::parse(text, Path::new("card")) {
        Ok(card) => {
            let written = toml::to_string(&card).unwrap_or_default();
            assert_eq!(Card::parse(&written, Path::new("card")).ok(), Some(card), "{written}");
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}

/// Prediction tables: what is read is written, and read again the same.
pub fn predictions(bytes: &[u8]) {
    let path = Path::new("table");
    let Ok(table) = Table::parse(bytes, path) else { return };
    let mut written = Vec::new();
    table.write_csv(&mut written).expect("memory does not run full");
    let again = Table::parse(written.as_slice(), path).expect("what a writer accepts, a reader accepts");
    assert_eq!(table, again);
}

/// Taxonomies: what is read is written, and read again the same.
pub fn taxonomy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("taxonomy");
    let Ok(taxonomy) = Taxonomy::parse(text, path) else { return };
    let again = Taxonomy::parse(&taxonomy.to_toml(), path).expect("what a writer accepts, a reader accepts");
    assert_eq!(taxonomy, again);
}

/// Manifests: as they are, and sealed.
pub fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("manifest.json");
    for text in [text.to_owned(), Manifest::sealed(text.to_owned())] {
        let Ok(manifest) = Manifest::parse(&text, path) else { continue };
        let names = manifest.splits.iter().flat_map(|split| {
            std::iter::once(&split.name).chain(split.shards.iter().map(|shard| &shard.file))
        });
        let classes = manifest.taxonomy.classes.iter().map(|class| &class.folder);
        for name in names.chain(manifest.pairings.keys()).chain(classes) {
            assert!(!name.is_empty() && !name.contains(['/', '\\']) && name != ".." && name != ".");
        }
        assert_eq!(manifest.digest().len(), 64);
    }
}

/// Pairings of a split of six photographs: what is read is written, and read again the same.
pub fn pairing(bytes: &[u8]) {
    let (split, path) = (world::split(), Path::new("pairing"));
    let ids: Vec<&str> = split.samples().map(|sample| sample.id.as_str()).collect();
    for view in View::MIXED {
        let Ok(pairing) = Pairing::parse(bytes, path, split, view) else { continue };
        assert_eq!(pairing.0.len(), split.len());
        let mut written = Vec::new();
        pairing.write_csv(&mut written, &ids).expect("memory does not run full");
        let again = Pairing::parse(&written, path, split, view);
        assert_eq!(again.expect("what a writer accepts, a reader accepts"), pairing);
    }
}

/// Shards: as they are, and with every checksum made right, so that what lies behind is reached too.
pub fn shard(bytes: &[u8]) {
    let dir = tempfile::tempdir().expect("a folder for temporary files");
    let path = dir.path().join("shard.in9");
    let mut bytes = bytes.to_vec();
    read_shard(&path, &bytes);
    if bytes.len() >= 192 {
        seals::shard(&mut bytes);
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

/// Archives of photographs and of annotations: as they are, and with their headers' checksums made right.
pub fn tar(bytes: &[u8]) {
    let mut sealed = bytes.to_vec();
    seals::tar(&mut sealed);
    for bytes in [bytes, &sealed] {
        let (path, mut faults) = (Path::new("archive"), Vec::new());
        for entry in tar_index::index_of(Cursor::new(bytes), bytes.len() as u64, path, &|_| true, &mut faults)
        {
            let span = entry.place.span().expect("a photograph of an archive is a part of it");
            assert!(span.end <= bytes.len() as u64, "a photograph beyond the end of its archive");
        }
        let limits = Limits { annotation_bytes: 1 << 12, annotations_bytes: 1 << 16, ..Limits::default() };
        let files = tar_index::small_files_of(Cursor::new(bytes), path, &|_| true, &limits, &mut faults);
        // A file of less than two bytes is an error, any other an archive, whole or not.
        assert!(files.map_or(bytes.len() < 2, |files| files.len() <= 1 << 8), "more files than the limit");
        assert!(faults.iter().all(|fault| fault.starts_with("archive: ")));
    }
}

/// Photographs and masks, within limits: as they are, and with the checksums of a PNG made right.
pub fn picture(bytes: &[u8]) {
    let limits = Limits { photo_pixels: 1 << 14, photo_side: 1 << 10, ..Limits::default() };
    let mut sealed = bytes.to_vec();
    seals::png(&mut sealed);
    for bytes in [bytes, &sealed] {
        let header = Header::read(bytes);
        if let Ok(photo) = photo::decode(bytes, &limits) {
            assert_eq!(photo.rgb.len() as u64, u64::from(photo.width) * u64::from(photo.height) * 3);
            // The share of the memory that a photograph waits for is reckoned from this header.
            let header = header.expect("what can be decoded has a header");
            assert_eq!((photo.width, photo.height), (header.width, header.height));
        }
        if let Ok((width, height, mask)) = photo::decode_mask(bytes, &limits) {
            assert_eq!(mask.len() as u64, u64::from(width) * u64::from(height));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::TARGETS;

    /// Replays what is committed of each target's corpus, what was once a finding included. A published package
    /// has no fuzz targets, and no corpora.
    #[test]
    fn the_corpora_hold_no_finding() {
        let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        if !fuzz.is_dir() {
            return;
        }
        let names = |folder: &str| -> BTreeSet<String> {
            let entries = std::fs::read_dir(fuzz.join(folder)).unwrap();
            entries.map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
        };
        let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names("fuzz_targets"), listed, "a program for each target");
        assert_eq!(names("corpus"), listed, "a corpus for each target");
        for (name, target) in TARGETS {
            let files = std::fs::read_dir(fuzz.join("corpus").join(name)).unwrap();
            let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
            assert!(files.len() >= 5, "{name} has a corpus");
            files.iter().for_each(|file| target(&std::fs::read(file).unwrap()));
        }
    }
}
