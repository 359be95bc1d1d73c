//! Tables beside photographs: cut, damaged, lying.

use std::path::Path;

use super::run::{assert_informative, build_with_faults, fails, outcomes, program, run};

const PHOTO: &[u8] = include_bytes!("../fixtures/photographs/progressive.jpg");

/// Builds below `root`; whatever comes of it, every error line must be informative, and an error that
/// stops the build must be one line that names `table`.
fn build(source: &str, root: &Path, out: &Path, table: &str) -> (i32, String) {
    let mut command = program("");
    command.args(["build", "--source", source, "--size", "32", "--root"]).arg(root).arg("--out").arg(out);
    let (code, _, stderr) = run(&mut command);
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    for line in &errors {
        assert_informative(line, "");
    }
    // Where nothing can be kept, what may be why is told before.
    let names_it = match errors.last() {
        Some(last) if last.contains("photographs can be kept") => true,
        last => errors.len() == 1 && last.is_some_and(|last| last.contains(table)),
    };
    assert!(code != 1 || names_it, "{stderr}");
    let _ = std::fs::remove_dir_all(out);
    let _ = std::fs::remove_dir_all(out.with_extension("building"));
    (code, stderr)
}

fn broken(whole: &str) -> Vec<Vec<u8>> {
    let mut cases: Vec<Vec<u8>> =
        (0..16).map(|part| whole.as_bytes()[..whole.len() * part / 16].to_vec()).collect();
    let mut not_text = whole.as_bytes().to_vec();
    not_text[whole.len() / 2] = 0xff;
    cases.push(not_text);
    cases.push(vec![0; 5000]);
    cases.push(b"\"".repeat(100_001));
    cases.push(b",".repeat(100_000));
    cases.push([whole.as_bytes(), b"\n,,,,\n\"unclosed"].concat());
    cases
}

#[test]
fn boxes_csv_and_coco_json() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("root"), dir.path().join("out"));
    std::fs::create_dir_all(root.join("train/disc")).unwrap();
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        std::fs::write(root.join("train/disc").join(name), PHOTO).unwrap();
    }
    let rows = ["a", "b", "c"].map(|name| format!("train/disc/{name}.jpg,18,8,41,31\n")).concat();
    let table = root.join("boxes.csv");
    for bytes in broken(&format!("image,x0,y0,x1,y1\n{rows}")) {
        std::fs::write(&table, bytes).unwrap();
        build("folder", &root, &out, "boxes.csv");
    }
    std::fs::remove_file(&table).unwrap();
    let coco = |segmentation: &str, size: &str| {
        format!(
            r#"{{"images":[{{"id":1,"file_name":"train/disc/a.jpg",{size}}}],"annotations":[{{"image_id":1,"segmentation":{segmentation}}}]}}"#
        )
    };
    let size = r#""width":60,"height":40"#;
    let good = coco("[[18,8,42,8,42,32,18,32]]", size);
    let table = root.join("annotations.json");
    let mut cases = broken(&good);
    for (segmentation, size) in [
        ("[[18,8,42,8,42,32,18,32]]", r#""width":4000000000,"height":4000000000"#),
        ("[[18,8,42,8,42,32,18,32]]", r#""width":0,"height":0"#),
        ("[[18,8,42,8,42,32,18,32]]", r#""width":-1,"height":40"#),
        ("[[1e308,-1e308,-1e308,1e308,0,0]]", size),
        ("[[1e999,0,1,1,2,2]]", size),
        (r#"{"size":[40,60],"counts":[4294967295,4294967295]}"#, size),
        (r#"{"size":[40,60],"counts":[-1]}"#, size),
        (r#"{"size":[40,60],"counts":"PPPPPPPPPPPPPPPP"}"#, size),
        (r#"{"size":[40,60],"counts":"oooooooooooo0"}"#, size),
        ("[[]]", size),
    ] {
        cases.push(coco(segmentation, size).into_bytes());
    }
    cases.push(b"[".repeat(1_000_000));
    for bytes in cases {
        std::fs::write(&table, bytes).unwrap();
        build("folder", &root, &out, "annotations.json");
    }
    std::fs::write(&table, good).unwrap();
    let mut command = program("");
    command.args(["build", "--source", "folder", "--masks", "exact", "--size", "32", "--root"]);
    assert_eq!(run(command.arg(&root).arg("--out").arg(&out)).0, 0);
    assert_eq!(outcomes(&out)["a.jpg"], "kept");
}

#[test]
fn metadata_of_waterbirds() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("birds"), dir.path().join("out"));
    std::fs::create_dir_all(root.join("001.Wren")).unwrap();
    // Two photographs of each class in each split.
    let names: Vec<String> = ('a'..='l').map(|name| format!("001.Wren/{name}.jpg")).collect();
    for name in &names {
        std::fs::write(root.join(name), PHOTO).unwrap();
    }
    let rows: String =
        (0..).zip(&names).map(|(n, name)| format!("{n},{name},{},{},1\n", n % 2, n / 2 % 3)).collect();
    let whole = format!("img_id,img_filename,y,split,place\n{rows}");
    let table = root.join("metadata.csv");
    let mut cases = broken(&whole);
    cases.push(whole.replace("001.Wren/a", "../../etc/a").into_bytes());
    cases.push(whole.replace(",0,0,1", ",7,0,1").into_bytes());
    for bytes in cases {
        std::fs::write(&table, bytes).unwrap();
        build("waterbirds", &root, &out, "birds");
    }
    std::fs::write(&table, &whole).unwrap();
    let built = |code: i32| {
        let mut command = program("");
        command.args(["build", "--photos-only", "--size", "32", "--root"]).arg(&root).arg("--out").arg(&out);
        let (found, _, stderr) = run(&mut command);
        assert_eq!(found, code, "{stderr}");
        let outcomes = outcomes(&out);
        std::fs::remove_dir_all(&out).unwrap();
        outcomes
    };
    // Told by what it looks like, with the published classes.
    assert!(built(0).values().all(|outcome| outcome == "kept"));
    std::fs::remove_file(root.join(&names[1])).unwrap();
    assert_eq!(built(3)["b.jpg"], "unreadable");
}

#[test]
fn a_coco_picture_beyond_the_limit_costs_that_photograph_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir_all(root.join("train/disc")).unwrap();
    let huge = r#""width":4000000000,"height":4000000000"#;
    let size = r#""width":60,"height":40"#;
    let shape = r#""segmentation":[[18,8,42,8,42,32,18,32]]"#;
    let table = [
        ("good", size, shape, ["kept", "kept"]),
        ("huge", huge, shape, ["bad-annotation", "bad-mask"]),
        // Nothing has to be drawn for a box, so that its picture's size is only compared.
        ("huge-box", huge, r#""bbox":[18,8,24,24]"#, ["size-mismatch", "bad-mask"]),
        ("two-corners", size, r#""segmentation":[[18,8,42,8]]"#, ["bad-annotation", "bad-mask"]),
        ("last", size, shape, ["kept", "kept"]),
    ];
    let (mut images, mut objects) = (Vec::new(), Vec::new());
    for (id, (name, size, shape, _)) in table.iter().enumerate() {
        std::fs::write(root.join(format!("train/disc/{name}.jpg")), PHOTO).unwrap();
        images.push(format!(r#"{{"id":{id},"file_name":"train/disc/{name}.jpg",{size}}}"#));
        objects.push(format!(r#"{{"image_id":{id},{shape}}}"#));
    }
    let text = format!(r#"{{"images":[{}],"annotations":[{}]}}"#, images.join(","), objects.join(","));
    std::fs::write(root.join("annotations.json"), text).unwrap();
    for (way, masks) in ["grabcut", "exact"].into_iter().enumerate() {
        let out = dir.path().join(masks);
        let faulty = table.iter().filter(|(.., outcome)| outcome[way].starts_with("bad"));
        let faulty: Vec<String> = faulty.map(|(name, ..)| format!("{name}.jpg")).collect();
        let faulty: Vec<&str> = faulty.iter().map(String::as_str).collect();
        build_with_faults("folder", &root, &out, &["--masks", masks], &faulty);
        let found = outcomes(&out);
        for (name, .., outcome) in table {
            assert_eq!(found[&format!("{name}.jpg")], outcome[way], "{name}, {masks}");
        }
    }
}

#[test]
fn kaggles_and_tiny_imagenets_tables_and_taxonomies() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("ilsvrc"), dir.path().join("out"));
    let photos = root.join("ILSVRC/Data/CLS-LOC/val");
    std::fs::create_dir_all(&photos).unwrap();
    let name = |n: usize| format!("ILSVRC2012_val_{n:08}");
    for n in 1..4 {
        std::fs::write(photos.join(format!("{}.JPEG", name(n))), PHOTO).unwrap();
    }
    let rows: String = (1..4).map(|n| format!("{},n02085620 18 8 41 31 \n", name(n))).collect();
    let table = root.join("LOC_val_solution.csv");
    for bytes in broken(&format!("ImageId,PredictionString\n{rows}")) {
        std::fs::write(&table, bytes).unwrap();
        // All labels may be lost with the table: then there is no photograph of the taxonomy.
        build("ilsvrc", &root, &out, "ilsvrc");
    }
    let root = dir.path().join("tiny");
    let images = root.join("train/n01443537/images");
    std::fs::create_dir_all(&images).unwrap();
    for n in 0..3 {
        std::fs::write(images.join(format!("n01443537_{n}.JPEG")), PHOTO).unwrap();
    }
    let rows: String = (0..3).map(|n| format!("n01443537_{n}.JPEG\t18\t8\t41\t31\n")).collect();
    for bytes in broken(&rows) {
        std::fs::write(root.join("train/n01443537/n01443537_boxes.txt"), bytes).unwrap();
        build("tiny-imagenet", &root, &out, "n01443537_boxes.txt");
    }
    // A taxonomy that is none.
    let taxonomy = dir.path().join("mine.toml");
    let mut print = program("");
    let (code, text, _) = run(print.args(["taxonomy", "toy"]));
    assert_eq!(code, 0);
    for bytes in broken(&text) {
        std::fs::write(&taxonomy, bytes).unwrap();
        let mut command = program("");
        let (code, _, stderr) = run(command.arg("taxonomy").arg(&taxonomy));
        // A taxonomy may be cut after a class and still be one.
        assert!(code == 0 || (stderr.lines().count() == 1 && stderr.contains("mine.toml")), "{stderr}");
    }
    // One that never ends.
    let mut command = program("");
    let line = fails(command.args(["taxonomy", "/dev/zero"]), "/dev/zero");
    assert!(line.contains("is a device"), "{line}");
}
