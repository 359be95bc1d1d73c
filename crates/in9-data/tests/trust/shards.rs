//! Datasets: shards, manifests, pairings and pieces that are cut, damaged or lying.

use std::path::{Path, PathBuf};

use super::common;
use super::run::{fails, program, run};

/// A small dataset of both splits, and the path of its first shard.
fn dataset(dir: &Path) -> (PathBuf, PathBuf) {
    let world = common::world(dir, 2, 1);
    let out = dir.join("out");
    let mut build = program("");
    build.args(["build", "--source", "toy", "--masks", "exact", "--size", "21", "--root"]).arg(world);
    assert_eq!(run(build.arg("--out").arg(&out)).0, 0);
    let shard = out.join("shards/train-00000.in9");
    (out, shard)
}

fn verify(dataset: &Path) -> std::process::Command {
    let mut command = program("");
    command.arg("verify").arg(dataset);
    command
}

fn number(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

/// Sections of a shard by FORMAT.md: name, first byte, end.
fn sections(bytes: &[u8]) -> Vec<(&'static str, usize, usize)> {
    let index = 128 + number(bytes, 32);
    let [photo, tiled, mask, crcs, footer] = [40, 48, 56, 64, 72].map(|at| number(bytes, at));
    let samples = number(bytes, 16);
    let size = u32::from_le_bytes(bytes[24..28].try_into().unwrap()) as usize;
    let (rgb, bits) = (samples * size * size * 3, samples * (size * size).div_ceil(8));
    vec![
        ("magic", 0, 8),
        ("header", 8, 128),
        ("index", 128, index),
        ("gap before photos", index, photo),
        ("photos", photo, photo + rgb),
        ("gap before backgrounds", photo + rgb, tiled),
        ("tiled backgrounds", tiled, tiled + rgb),
        ("gap before masks", tiled + rgb, mask),
        ("masks", mask, mask + bits),
        ("gap before checksums", mask + bits, crcs),
        ("checksums", crcs, footer),
        ("footer", footer, bytes.len()),
    ]
}

/// Makes every checksum right again, so that only the lie itself is wrong.
fn reseal(bytes: &mut [u8]) {
    let length = number(bytes, 32).min(bytes.len() - 128);
    let index = crc32fast::hash(&bytes[128..128 + length]);
    bytes[116..120].copy_from_slice(&index.to_le_bytes());
    let header = crc32fast::hash(&bytes[..124]);
    bytes[124..128].copy_from_slice(&header.to_le_bytes());
    let footer = bytes.len() - 64;
    let hash = blake3::hash(&bytes[..footer]);
    bytes[footer + 8..footer + 40].copy_from_slice(hash.as_bytes());
    bytes[footer + 48..footer + 52].copy_from_slice(&header.to_le_bytes());
    let crc = crc32fast::hash(&bytes[footer..footer + 60]);
    bytes[footer + 60..].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn every_broken_shard_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, path) = dataset(dir.path());
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(run(&mut verify(&dataset)).0, 0);
    let broken = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let line = fails(&mut verify(&dataset), "train-00000.in9");
        assert!(!line.is_empty(), "{what}");
    };
    for part in 0..16 {
        broken(&whole[..whole.len() * part / 16], "cut");
    }
    for (name, start, end) in sections(&whole) {
        assert!(start < end, "{name} is empty");
        for at in [start, start + (end - start) / 2, end - 1] {
            for bit in [0x01, 0x80] {
                let mut damaged = whole.clone();
                damaged[at] ^= bit;
                broken(&damaged, name);
            }
        }
    }
    broken(&[&whole[..], &[0]].concat(), "a byte more");
    // Lengths that lie although every checksum of header and index is right.
    let most = u64::MAX.to_le_bytes();
    let lies: [(&str, usize, &[u8]); 14] = [
        ("version", 8, &[2, 0, 0, 0]),
        ("header's length", 12, &[0; 4]),
        ("samples", 16, &most),
        ("samples", 16, &[1, 0, 0, 0, 0, 0, 0, 0]),
        ("samples", 16, &[0; 8]),
        ("side", 24, &[0xff; 4]),
        ("side", 24, &[0; 4]),
        ("classes", 28, &[0; 4]),
        ("length of the index", 32, &most),
        ("length of the index", 32, &[0, 0, 0, 0, 0, 1, 0, 0]),
        ("offset of the photos", 40, &[0; 8]),
        ("offset of the footer", 72, &most),
        ("planes", 112, &[7, 0, 0, 0]),
        ("reserved", 120, &[1, 0, 0, 0]),
    ];
    for (what, at, lie) in lies {
        let mut lying = whole.clone();
        lying[at..at + lie.len()].copy_from_slice(lie);
        reseal(&mut lying);
        broken(&lying, what);
    }
    // Inside the index: the length of a text, a class, a box, an id that is a path.
    let id = number(&whole, 128);
    let fine = 136 + id;
    let source = fine + 8 + number(&whole, fine);
    let class = source + 8 + number(&whole, source);
    let crop_box = class + 2 + 32 + 8 + 16;
    let lies: [(&str, usize, &[u8]); 6] = [
        ("length of an id", 128, &most),
        ("length of an id", 128, &[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]),
        ("id", 136, b"../"),
        ("id", 136, &[0xff, 0xfe]),
        ("class", class, &[0xff, 0xff]),
        ("box", crop_box, &[0xff; 8]),
    ];
    for (what, at, lie) in lies {
        let mut lying = whole.clone();
        lying[at..at + lie.len()].copy_from_slice(lie);
        reseal(&mut lying);
        broken(&lying, what);
    }
    std::fs::remove_file(&path).unwrap();
    fails(&mut verify(&dataset), "train-00000.in9");
    std::fs::create_dir(&path).unwrap();
    fails(&mut verify(&dataset), "train-00000.in9");
    std::fs::remove_dir(&path).unwrap();
    // A pipe that nobody writes to.
    if std::process::Command::new("mkfifo").arg(&path).status().is_ok_and(|s| s.success()) {
        fails(&mut verify(&dataset), "train-00000.in9");
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::copy(dataset.join("shards/test-00000.in9"), &path).unwrap();
    fails(&mut verify(&dataset), "train-00000.in9");
}

#[test]
fn every_broken_table_of_a_dataset_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, _) = dataset(dir.path());
    for name in ["manifest.json", "pairings/train-mixed-rand.csv", "samples.csv", "rejected.csv"] {
        let path = dataset.join(name);
        let whole = std::fs::read(&path).unwrap();
        let file = name.rsplit('/').next().unwrap();
        for part in 0..16 {
            std::fs::write(&path, &whole[..whole.len() * part / 16]).unwrap();
            fails(&mut verify(&dataset), file);
        }
        let mut not_text = whole.clone();
        not_text[whole.len() / 2] = 0xff;
        std::fs::write(&path, not_text).unwrap();
        fails(&mut verify(&dataset), file);
        std::fs::remove_file(&path).unwrap();
        fails(&mut verify(&dataset), file);
        std::fs::write(&path, whole).unwrap();
    }
    assert_eq!(run(&mut verify(&dataset)).0, 0);
    // Manifests that lie.
    let path = dataset.join("manifest.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"format\": 2", "\"format\": 3"),
        ("\"size\": 21", "\"size\": 4000000000"),
        ("\"size\": 21", "\"size\": 0"),
        ("\"train-00000.in9\"", "\"../../etc/passwd\""),
        ("\"train-00000.in9\"", "\"test-00000.in9\""),
        ("\"samples\": ", "\"samples\": 9"),
        ("\"count\": ", "\"count\": 9"),
    ] {
        assert!(whole.contains(from), "the manifest has changed");
        std::fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let (code, _, stderr) = run(&mut verify(&dataset));
        assert!(code == 1 && stderr.lines().count() == 1, "{from} to {to}: {stderr}");
    }
    let deep = "[".repeat(1_000_000);
    std::fs::write(&path, deep).unwrap();
    fails(&mut verify(&dataset), "manifest.json");
}

#[test]
fn broken_pieces_are_made_again_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 2, 1);
    let build = |out: &Path, more: &[&str]| {
        let mut command = program("");
        command.args(["build", "--source", "toy", "--masks", "exact", "--size", "21", "--root"]);
        command.arg(&world).arg("--out").arg(out).args(more);
        command
    };
    let whole = dir.path().join("whole");
    assert_eq!(run(&mut build(&whole, &[])).0, 0);
    let expected = common::contents(&whole);
    let piece = dir.path().join("piece");
    assert_eq!(run(&mut build(&piece, &["--shard", "1/1"])).0, 0);
    let chunk = piece.join("chunks/000000.chunk");
    let sound = std::fs::read(&chunk).unwrap();
    let merge = |out: &Path| {
        let mut command = program("");
        command.arg("merge").arg(&piece).arg("--out").arg(out);
        command
    };
    for part in 0..16 {
        std::fs::write(&chunk, &sound[..sound.len() * part / 16]).unwrap();
        fails(&mut merge(&dir.path().join("no")), "000000.chunk");
    }
    let mut damaged = sound.clone();
    damaged[sound.len() / 2] ^= 1;
    std::fs::write(&chunk, damaged).unwrap();
    fails(&mut merge(&dir.path().join("no")), "000000.chunk");
    // The same command again makes what is missing or damaged, and only that.
    assert_eq!(run(&mut build(&piece, &["--shard", "1/1"])).0, 0);
    assert!(std::fs::read(&chunk).unwrap() == sound);
    let merged = dir.path().join("merged");
    assert_eq!(run(&mut merge(&merged)).0, 0);
    assert!(common::contents(&merged) == expected);
    let note = piece.join("piece.json");
    let text = std::fs::read(&note).unwrap();
    for part in 0..16 {
        std::fs::write(&note, &text[..text.len() * part / 16]).unwrap();
        fails(&mut merge(&dir.path().join("no")), "piece.json");
    }
    std::fs::write(&note, String::from_utf8(text).unwrap().replace("\"chunks\": ", "\"chunks\": 429496"))
        .unwrap();
    fails(&mut merge(&dir.path().join("no")), "chunk");
}
