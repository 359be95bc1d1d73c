//! Tar archives of photographs and of annotations: cut, damaged, bombs.

use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};

use super::run::{assert_informative, outcomes, program, run};

const PHOTO: &[u8] = include_bytes!("../fixtures/photographs/progressive.jpg");

fn tar_of<'a>(files: impl IntoIterator<Item = (String, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn photos() -> Vec<u8> {
    tar_of((1..9).map(|n| (format!("ILSVRC2012_val_{n:08}.JPEG"), PHOTO)))
}

fn notes() -> Vec<u8> {
    let xml = "<annotation><size><width>60</width><height>40</height></size><object><name>n02085620</name><bndbox>\
        <xmin>18</xmin><ymin>8</ymin><xmax>41</xmax><ymax>31</ymax></bndbox></object></annotation>";
    tar_of((1..9).map(|n| (format!("val/ILSVRC2012_val_{n:08}.xml"), xml.as_bytes())))
}

/// Builds from two archives; returns how many photographs are kept, and the error lines.
fn build(dir: &Path, photos: &[u8], notes: &[u8]) -> (usize, Vec<String>) {
    let (root, out) = (dir.join("root"), dir.join("out"));
    let _ = std::fs::remove_dir_all(&out);
    let _ = std::fs::remove_dir_all(dir.join("out.building"));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("ILSVRC2012_img_val.tar"), photos).unwrap();
    std::fs::write(root.join("ILSVRC2012_bbox_val_v3.tgz"), notes).unwrap();
    let mut command = program("");
    command.args(["build", "--source", "ilsvrc", "--size", "32", "--root"]).arg(&root).arg("--out").arg(&out);
    let (code, _, stderr) = run(&mut command);
    let errors: Vec<String> =
        stderr.lines().filter(|line| line.starts_with("error: ")).map(str::to_string).collect();
    errors.iter().for_each(|line| assert_informative(line, ""));
    if code == 1 {
        assert_eq!(errors.len(), 1, "{stderr}");
        return (0, errors);
    }
    (outcomes(&out).values().filter(|outcome| *outcome == "kept").count(), errors)
}

#[test]
fn archives_are_read_in_place_and_every_cut_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (photos, notes) = (photos(), gzip(&notes()));
    let (kept, errors) = build(dir.path(), &photos, &notes);
    // Eight classes are empty; nothing else is wrong.
    assert_eq!((kept, errors.iter().filter(|line| !line.contains("is empty")).count()), (8, 0), "{errors:?}");
    // The same without compression.
    assert_eq!(build(dir.path(), &photos, &self::notes()).0, 8);
    let told = |errors: &[String], archive: &str| {
        errors.iter().any(|line| line.contains(archive) || line.contains("root: "))
    };
    // The last 1,024 bytes are the end mark. Every second cut falls between two entries.
    let content = photos.len() - 1024;
    for part in 0..16 {
        let (kept, errors) = build(dir.path(), &photos[..content * part / 16], &notes);
        let told_of = told(&errors, "ILSVRC2012_img_val.tar");
        assert!(kept == part / 2 && told_of, "cut at {part}/16: {kept}, {errors:?}");
        let (kept, errors) = build(dir.path(), &photos, &notes[..notes.len() * part / 16]);
        assert!(kept <= 8 && told(&errors, "bbox_val_v3.tgz"), "notes cut at {part}/16: {kept}, {errors:?}");
        let twice = errors.iter().filter(|line| line.contains("bbox_val_v3.tgz")).count();
        assert!(twice <= 1, "notes cut at {part}/16: {errors:?}");
    }
    for left in [0, 500, 512, 1000] {
        let (kept, errors) = build(dir.path(), &photos[..content + left], &notes);
        let of_it = errors.iter().filter(|line| line.contains("ILSVRC2012_img_val.tar")).count();
        assert_eq!((kept, of_it), (8, 1), "{left} bytes of the end mark: {errors:?}");
    }
    // Annotations without compression, cut between entries and in the end mark: nothing but the lack of an
    // end tells it.
    let notes = self::notes();
    for blocks in 1..notes.len() / 512 {
        let (kept, errors) = build(dir.path(), &photos, &notes[..blocks * 512]);
        assert!(
            kept == (blocks / 2).min(8) && told(&errors, "bbox_val_v3.tgz"),
            "{blocks}: {kept}, {errors:?}"
        );
    }
    for at in [0, 100, 124, 148, 156, 257, 4 * 2048 + 130] {
        let mut damaged = photos.clone();
        damaged[at] ^= 0x13;
        let (kept, errors) = build(dir.path(), &damaged, &notes);
        assert!(kept == 8 || errors.iter().any(|line| !line.contains("is empty")), "byte {at}: {errors:?}");
    }
}

#[test]
fn a_bomb_in_an_archive_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let bomb = vec![b' '; 64 << 20];
    let notes = gzip(&tar_of([("val/ILSVRC2012_val_00000001.xml".to_string(), &bomb[..])]));
    let (kept, errors) = build(dir.path(), &photos(), &notes);
    assert_eq!(kept, 0);
    assert!(
        errors.iter().any(|line| line.contains("bbox_val_v3.tgz") || line.contains("root: ")),
        "{errors:?}"
    );
    // A header that promises 8 exabytes.
    let mut lying = photos();
    let mut header = tar::Header::new_gnu();
    header.set_path("ILSVRC2012_val_00000009.JPEG").unwrap();
    header.set_size(1 << 62);
    header.set_cksum();
    lying.splice(..0, header.as_bytes().iter().copied());
    let (kept, errors) = build(dir.path(), &lying, &gzip(&self::notes()));
    assert_eq!(kept, 0);
    assert!(errors.iter().any(|line| line.contains("root")), "{errors:?}");
}
