//! PASCAL-VOC annotations: cut, bombs, boxes that make no sense.

use super::run::{build_with_faults, outcomes, program, run};

const WNID: &str = "n02085620";

fn xml(size: &str, boxes: &str) -> String {
    format!("<annotation><size>{size}</size>{boxes}</annotation>")
}

fn object(corners: [&str; 4]) -> String {
    let [x0, y0, x1, y1] = corners;
    format!(
        "<object><name>{WNID}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>\
         <xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
    )
}

#[test]
fn every_broken_annotation_is_a_counted_skip() {
    let size = "<width>60</width><height>40</height>";
    let one = object(["18", "8", "41", "31"]);
    let good = xml(size, &one);
    let mut table: Vec<(String, Vec<u8>, &str)> = Vec::new();
    let mut add = |name: &str, text: String, outcome| table.push((name.into(), text.into_bytes(), outcome));
    for part in 0..16 {
        add(&format!("cut-{part}"), good[..good.len() * part / 16].into(), "bad-annotation");
    }
    add("good", good.clone(), "kept");
    add("commented", format!("<?xml version='1.0'?><!-- a --><!DOCTYPE annotation>{good}"), "kept");
    add("without-size", xml("", &one), "kept");
    add("fractions", xml(size, &object(["18.2", "8.0", "41.4", "30.6"])), "kept");
    add("without-box", xml(size, ""), "no-box");
    add("two-boxes", xml(size, &one.repeat(2)), "several-boxes");
    add("other-size", xml("<width>600</width><height>400</height>", &one), "size-mismatch");
    add("negative-size", xml("<width>-60</width><height>40</height>", &one), "bad-annotation");
    add("empty-box", xml(size, &object(["20", "20", "20", "20"])), "box-degenerate");
    add("inverted", xml(size, &object(["41", "8", "18", "31"])), "box-inverted");
    add("upside-down", xml(size, &object(["18", "31", "41", "8"])), "box-inverted");
    add("outside", xml(size, &object(["18", "8", "61", "31"])), "box-outside");
    add("beyond", xml(size, &object(["60", "40", "60", "40"])), "box-outside");
    add("negative", xml(size, &object(["-1", "8", "41", "31"])), "box-outside");
    let (least, most) = ("-9223372036854775808", "9223372036854775807");
    add("extreme", xml(size, &object([least, least, most, most])), "box-outside");
    add("too-large-number", xml(size, &object(["1", "1", "99999999999999999999", "9"])), "bad-annotation");
    add("words", xml(size, &object(["left", "8", "41", "31"])), "bad-annotation");
    add("not-a-number", xml(size, &object(["NaN", "8", "inf", "31"])), "bad-annotation");
    add("three-corners", good.replace("<ymax>31</ymax>", ""), "bad-annotation");
    add("box-without-content", xml(size, &format!("{one}<object><bndbox/></object>")), "bad-annotation");
    add("wrong-nesting", good.replace("</bndbox></object>", "</object></bndbox>"), "bad-annotation");
    add("whole-photograph", xml(size, &object(["0", "0", "60", "40"])), "box-too-large");
    add("deep", "<a>".repeat(100_000), "bad-annotation");
    let entity =
        |n: usize| format!("<!ENTITY l{n} '&l{0};&l{0};&l{0};&l{0};&l{0};&l{0};&l{0};&l{0};'>", n - 1);
    let laughs: String = (1..30).map(entity).collect();
    let bomb = format!("<!DOCTYPE a [<!ENTITY l0 'ha'>{laughs}]>");
    // Entities are never expanded: what they stand for is simply not there.
    add("laughs", format!("{bomb}{}", xml(size, &object(["&l29;", "8", "41", "31"]))), "bad-annotation");
    add("laughs-unused", format!("{bomb}{good}"), "kept");
    let stranger = "<!DOCTYPE a [<!ENTITY f SYSTEM 'file:///etc/hostname'>]>";
    add("stranger", format!("{stranger}{}", xml(size, &object(["&f;", "8", "41", "31"]))), "bad-annotation");
    add("many-boxes", xml(size, &one.repeat(6_000)), "several-boxes");
    add("too-many-bytes", xml(size, &one.repeat(11_000)), "bad-annotation");
    table.push(("utf-16".into(), good.encode_utf16().flat_map(u16::to_le_bytes).collect(), "bad-annotation"));
    table.push(("not-utf-8".into(), b"<annotation>\xff\xfe</annotation>".to_vec(), "bad-annotation"));

    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let photos = root.join("ILSVRC/Data/CLS-LOC/train").join(WNID);
    let notes = root.join("ILSVRC/Annotations/CLS-LOC/train").join(WNID);
    std::fs::create_dir_all(&photos).unwrap();
    std::fs::create_dir_all(&notes).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/photographs/progressive.jpg");
    let photo = std::fs::read(folder).unwrap();
    for (name, bytes, _) in &table {
        std::fs::write(photos.join(format!("{name}.JPEG")), &photo).unwrap();
        std::fs::write(notes.join(format!("{name}.xml")), bytes).unwrap();
    }
    // And a photograph without a note.
    std::fs::write(photos.join("unannotated.JPEG"), &photo).unwrap();
    let faults = ["bad-annotation", "box-inverted", "box-outside"];
    let faulty: Vec<&str> =
        table.iter().filter(|(.., rule)| faults.contains(rule)).map(|(name, ..)| name.as_str()).collect();
    let out = dir.path().join("out");
    let mut command = program("");
    command.args(["build", "--source", "ilsvrc", "--size", "32", "--root"]).arg(&root).arg("--out").arg(&out);
    let (code, _, stderr) = run(&mut command);
    let found = outcomes(&out);
    for (name, _, outcome) in &table {
        assert_eq!(&found[&format!("{name}.JPEG")], outcome, "{name}");
    }
    assert_eq!(found["unannotated.JPEG"], "no-box");
    // Eight of the nine classes have no photograph, which is told too.
    assert_eq!(code, 3);
    let errors: Vec<&str> = stderr.lines().filter(|line| line.contains(&format!("/{WNID}/"))).collect();
    assert_eq!(errors.len(), faulty.len(), "{stderr}");
    for name in faulty {
        let line = errors.iter().find(|line| line.contains(&format!("/{name}.JPEG: "))).unwrap();
        super::run::assert_informative(line, name);
        if line.contains("bad-annotation") {
            assert!(line.contains(&format!("{name}.xml: ")), "{line}");
        }
    }
}

#[test]
fn boxes_in_a_plain_folder_are_judged_alike() {
    let dir = tempfile::tempdir().unwrap();
    let (root, photo) = (dir.path().join("root"), include_bytes!("../fixtures/photographs/progressive.jpg"));
    std::fs::create_dir_all(root.join("train/disc")).unwrap();
    let table = [
        ("good.jpg", "18,8,41,31", "kept"),
        ("inverted.jpg", "41,8,18,31", "box-inverted"),
        ("outside.jpg", "18,8,941,31", "box-outside"),
        ("empty.jpg", "18,8,18,8", "box-degenerate"),
    ];
    let mut boxes = String::from("image,x0,y0,x1,y1\n");
    for (name, corners, _) in table {
        std::fs::write(root.join("train/disc").join(name), photo).unwrap();
        boxes.push_str(&format!("train/disc/{name},{corners}\n"));
    }
    std::fs::write(root.join("boxes.csv"), boxes).unwrap();
    let out = dir.path().join("out");
    build_with_faults("folder", &root, &out, &[], &["inverted.jpg", "outside.jpg"]);
    let found = outcomes(&out);
    assert!(table.iter().all(|(name, _, outcome)| found[*name] == *outcome), "{found:?}");
}
