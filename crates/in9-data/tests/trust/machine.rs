//! Faults of the machine: no descriptors, no memory. They are never recorded as properties of photographs.

use std::path::Path;
use std::process::Command;

use super::common;
use super::run::{fails, outcomes, program, run};

fn build(limits: &str, source: &str, root: &Path, out: &Path) -> Command {
    let mut command = program(limits);
    command.args(["build", "--source", source, "--size", "32", "--root"]).arg(root).arg("--out").arg(out);
    command
}

#[test]
fn without_descriptors_a_build_fails_and_records_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let world = common::world(dir.path(), 3, 1);
    let whole = dir.path().join("whole");
    assert_eq!(run(&mut build("", "toy", &world, &whole)).0, 0);
    let expected = common::contents(&whole);
    let mut failed = 0;
    for descriptors in 4..14 {
        let out = dir.path().join(format!("out-{descriptors}"));
        let (code, _, stderr) = run(&mut build(&format!("ulimit -n {descriptors};"), "toy", &world, &out));
        match code {
            0 => assert!(common::contents(&out) == expected, "{descriptors}"),
            1 => {
                assert!(stderr.contains("Too many open files") && stderr.lines().count() == 1, "{stderr}");
                assert!(!out.exists(), "{descriptors}");
                failed += 1;
                // The same command goes on where it stopped.
                assert_eq!(run(&mut build("", "toy", &world, &out)).0, 0);
                assert!(common::contents(&out) == expected, "{descriptors}");
            }
            other => panic!("{descriptors} descriptors: exit code {other}: {stderr}"),
        }
    }
    assert!(failed > 3, "{failed}");
}

#[test]
fn one_photograph_without_memory_keeps_no_other_from_being_made() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("root"), dir.path().join("out"));
    let folder = root.join("train/disc");
    std::fs::create_dir_all(&folder).unwrap();
    let mut boxes = String::from("image,x0,y0,x1,y1\n");
    for at in 0..40 {
        let photo = include_bytes!("../fixtures/photographs/progressive.jpg");
        std::fs::write(folder.join(format!("{at:02}.jpg")), photo).unwrap();
        boxes.push_str(&format!("train/disc/{at:02}.jpg,18,8,41,31\n"));
    }
    // A hundred megapixels in a small file. Its box is too large, so that nothing is done when it is decoded.
    let huge = image::GrayImage::new(10_000, 10_000);
    huge.save(folder.join("huge.png")).unwrap();
    boxes.push_str("train/disc/huge.png,0,0,9999,9999\n");
    std::fs::write(root.join("boxes.csv"), boxes).unwrap();
    let line = fails(&mut build("ulimit -v 900000;", "folder", &root, &out), "huge.png");
    assert!(line.contains("memory"), "{line}");
    assert!(!out.exists());
    let chunks: Vec<_> = common::contents(&dir.path().join("out.building/chunks"))
        .into_keys()
        .filter(|c| c.ends_with("000000.chunk") || c.ends_with("000001.chunk"))
        .collect();
    assert_eq!(chunks.len(), 2, "what has memory is kept");
    // With memory for it, the same command ends.
    let mut command = Command::new(env!("CARGO_BIN_EXE_in9-data"));
    command.args(["--quiet", "--jobs", "2", "build", "--source", "folder", "--size", "32", "--root"]);
    assert_eq!(run(command.arg(&root).arg("--out").arg(&out)).0, 0);
    let found = outcomes(&out);
    assert_eq!((found.len(), found["huge.png"].as_str()), (41, "box-too-large"));
}
