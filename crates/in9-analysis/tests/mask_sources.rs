//! The BG-gap with masks of several sources, and these masks beside each other.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use support::{finish, probe, program, trained};

/// A data set of the photographs of [`world`] with GrabCut's masks.
fn grabcut(dir: &Path) -> std::path::PathBuf {
    let out = dir.join("grabcut");
    let source = in9_data::BuildConfig::new(in9_data::SourceKind::Toy, &dir.join("photographs"), &out);
    in9_data::build(&in9_data::BuildConfig { size: 32, ..source }, &|_| {}).unwrap();
    out
}

/// With the first source's own masks a photograph is answered as by `mask-error`; a source that is the first again changes
/// nothing, and another does.
#[test]
fn sources_of_masks_differ_in_nothing_but_the_masks() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let dir = dir.path();
    let other = grabcut(dir);
    let data = dataset.path().display().to_string();
    let more = ["--masks", other.to_str().unwrap(), "--masks", &data];
    let (printed, _) = finish(&mut probe(dir, "mask-sources", "sources", &more), 0);
    assert!(printed.contains("grabcut (grabcut)") && printed.contains("toy (2) (exact)"), "{printed}");
    finish(
        &mut probe(
            dir,
            "mask-sources",
            "again",
            &[&more[..], &["--batch-size", "1", "--jobs", "1"]].concat(),
        ),
        0,
    );
    let read = |path: &str| fs::read_to_string(dir.join(path)).unwrap();
    assert_eq!(read("sources/summary.json"), read("again/summary.json"));
    finish(&mut probe(dir, "mask-error", "error", &["--boundary-error", "1", "--draws", "2"]), 0);
    let rows = |path: &str| -> BTreeMap<String, Vec<f64>> {
        let mut table = csv::Reader::from_path(dir.join(path)).unwrap();
        let row = |row: csv::StringRecord| {
            (row[0].to_owned(), row.iter().skip(1).map(|value| value.parse().unwrap()).collect())
        };
        table.records().map(|record| row(record.unwrap())).collect()
    };
    let (by_source, own) = (rows("sources/differences.csv"), rows("error/differences.csv"));
    assert!(!by_source.is_empty());
    for (image, row) in &by_source {
        assert_eq!((row.len(), row[0], row[2]), (3, own[image][0], own[image][0]), "{image}");
    }
    let summary: serde_json::Value = serde_json::from_str(&read("sources/summary.json")).unwrap();
    assert_eq!(summary["result"]["images"], by_source.len());
    assert_eq!(summary["result"]["apart"][1]["value"], 0.0);
    assert_eq!(summary["sources"][1]["masks"], "grabcut");

    // The masks of one data set drawn otherwise, with pictures of each.
    let changes = ["--changed", "grown:2,shrunk:2,displaced:1.5,displaced:1.5", "--pictures", "2"];
    let (printed, _) = finish(&mut probe(dir, "mask-sources", "changed", &changes), 0);
    assert!(printed.contains("toy, grown by 2 pixels") && printed.contains("all 5 sources"), "{printed}");
    let changed = rows("changed/differences.csv");
    assert!(changed.iter().all(|(image, row)| row.len() == 5 && row[0] == own[image][0]));
    assert!(changed.values().all(|row| row[3] == row[4]), "the same change draws the same masks");
    let summary: serde_json::Value = serde_json::from_str(&read("changed/summary.json")).unwrap();
    assert_eq!(summary["sources"][2]["change"], "shrunk by 2 pixels");
    let shown: Vec<_> = fs::read_dir(dir.join("changed/pictures")).unwrap().collect();
    assert_eq!(shown.len(), 2 * (1 + 5));
    let (_, said) = finish(&mut probe(dir, "mask-sources", "none", &["--changed", "larger:2"]), 2);
    assert!(said.contains("such as grown:2"), "{said}");
    let (_, said) = finish(&mut probe(dir, "mask-sources", "none", &[]), 2);
    assert!(said.contains("--masks"), "{said}");

    // The same masks beside each other, then those of two sources.
    let quality = |more: &[&str], code: i32| finish(program().arg("mask-quality").args(more), code);
    let (same, _) = quality(&[&data, "--reference", &data], 0);
    assert!(same.contains("100.0 [100.0, 100.0]") && same.contains("toy (2) (reference)"), "{same}");
    let out = dir.join("quality");
    let (text, _) =
        quality(&[other.to_str().unwrap(), "--reference", &data, "--out", out.to_str().unwrap()], 0);
    assert!(text.contains("| all") && text.contains("grabcut"), "{text}");
    let quality_of: serde_json::Value = serde_json::from_str(&read("quality/quality.json")).unwrap();
    let iou = quality_of["compared"][0]["all"]["iou"]["value"].as_f64().unwrap();
    assert!(0.5 < iou && iou < 1.0, "GrabCut finds most of a toy object, and not all: {iou}");
    let rows = read("quality/masks.csv").lines().count() - 1;
    assert_eq!(quality_of["images"], rows);
    // One data set alone, photographs of another world, and another size are refused.
    let (_, said) = quality(&[&data], 1);
    assert!(said.contains("nothing to compare"), "{said}");
    let large = dir.join("large");
    let source = in9_data::BuildConfig::new(in9_data::SourceKind::Toy, &dir.join("photographs"), &large);
    in9_data::build(&in9_data::BuildConfig { size: 40, ..source }, &|_| {}).unwrap();
    let (_, said) = quality(&[&data, large.to_str().unwrap()], 1);
    assert!(said.contains("expected 32 pixels a side, as in") && said.contains("found 40"), "{said}");
    let (_, said) =
        finish(&mut probe(dir, "mask-sources", "wrong", &["--masks", large.to_str().unwrap()]), 1);
    assert!(said.contains("expected 32 pixels a side, as in") && !dir.join("wrong").exists(), "{said}");
}
