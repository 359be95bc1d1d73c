//! Masks of real photographs beside outlines drawn by hand, where these photographs are there.
#![cfg(feature = "cli")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_data::{BuildConfig, MaskSource, SourceKind, build};

/// The folder of photographs with salient objects drawn by hand, or `None` with one printed line.
fn photographs() -> Option<PathBuf> {
    let folder = std::env::var_os("IN9_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join("segmentation/sod");
    if !path.is_dir() {
        println!("skipped: photographs with outlines by hand are absent ({})", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn grabcut_is_measured_beside_outlines_by_hand_and_told_how_firm_its_cuts_are() {
    let Some(from) = photographs() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("photographs");
    let (photos, masks) = (root.join("test/object"), root.join("masks/test/object"));
    fs::create_dir_all(&photos).unwrap();
    fs::create_dir_all(&masks).unwrap();
    for entry in fs::read_dir(from.join("images")).unwrap() {
        let photo = entry.unwrap().path();
        let stem = photo.file_stem().unwrap().to_string_lossy().into_owned();
        fs::copy(&photo, photos.join(format!("{stem}.jpg"))).unwrap();
        fs::copy(from.join(format!("masks/{stem}.png")), masks.join(format!("{stem}.png"))).unwrap();
    }
    for (name, masks) in [("grabcut", MaskSource::Grabcut), ("exact", MaskSource::Exact)] {
        let source = BuildConfig::new(SourceKind::Folder, &root, &dir.path().join(name));
        build(&BuildConfig { size: 128, masks, ..source }, &|_| ()).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_in9-analysis"));
    command.current_dir(dir.path());
    command.args(["mask-quality", "grabcut", "--reference", "exact", "--confidence", "--out", "quality"]);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    println!("{text}");
    let quality: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.path().join("quality/quality.json")).unwrap()).unwrap();
    let number = |pointer: &str| quality.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
    assert!(number("/images") > 100.0, "{quality}");
    // OpenCV's yardstick on all of these photographs is 0.60 (median 0.76); whole boxes of the mask alone give less.
    assert!((0.55..0.9).contains(&number("/compared/0/all/iou/value")), "{quality}");
    assert!(number("/compared/0/all/median_iou") > 0.7, "{quality}");
    assert!(number("/confidence/margin/low") > 0.0, "a cut is a minimum: {quality}");
    assert!(number("/confidence/tells/low") <= number("/confidence/tells/high"), "{quality}");
    let rows = fs::read_to_string(dir.path().join("quality/confidence.csv")).unwrap().lines().count();
    assert_eq!(rows as f64, number("/images") + 1.0);
}
