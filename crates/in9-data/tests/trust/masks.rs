//! Mask files: the release's `.npy` and PNGs beside photographs.

use std::path::{Path, PathBuf};

use super::common;
use super::run::{assert_informative, outcomes, program, run};

const SIZE: usize = 32;

fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn described(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {kind}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    npy(1, &text, data)
}

/// A toy dataset exported as the release is laid out; returns its root.
pub(crate) fn release(dir: &Path) -> PathBuf {
    let world = common::world(dir, 2, 7);
    let (built, root) = (dir.join("built"), dir.join("bg_challenge"));
    let mut build = program("");
    build.args(["build", "--source", "toy", "--masks", "exact", "--size", "32", "--root"]).arg(world);
    assert_eq!(run(build.arg("--out").arg(&built)).0, 0);
    let mut export = program("");
    export.arg("export").arg(&built).args(["--view", "all", "--format", "folder", "--out"]).arg(&root);
    assert_eq!(run(&mut export).0, 0);
    root
}

#[test]
fn every_broken_npy_mask_is_a_counted_skip() {
    let dir = tempfile::tempdir().unwrap();
    let root = release(dir.path());
    let mut masks: Vec<PathBuf> = Vec::new();
    for class in std::fs::read_dir(root.join("fg_mask/val")).unwrap() {
        masks.extend(std::fs::read_dir(class.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    masks.sort();
    let import = |out: &Path| {
        let mut command = program("");
        command.args(["import-release", "--taxonomy", "toy", "--size", "32", "--root"]).arg(&root);
        run(command.arg("--out").arg(out))
    };
    let clean = dir.path().join("clean");
    import(&clean);
    let before = outcomes(&clean);
    let stem = |mask: &PathBuf| mask.file_stem().unwrap().to_string_lossy().into_owned();
    let sound: Vec<PathBuf> =
        masks.into_iter().filter(|mask| before[&format!("{}.png", stem(mask))] == "kept").collect();

    let whole = std::fs::read(&sound[0]).unwrap();
    let ones = [1; SIZE * SIZE];
    let mut table: Vec<Vec<u8>> = (0..16).map(|part| whole[..whole.len() * part / 16].to_vec()).collect();
    table.extend([
        described("'<f8'", "False", "(32, 32)", &[0; SIZE * SIZE * 8]),
        described("'<i8'", "False", "(32, 32)", &[0; SIZE * SIZE * 8]),
        described("[('a', '|b1'), ('b', '|u1')]", "False", "(32, 32)", &[0; SIZE * SIZE * 2]),
        described("'|O'", "False", "(32, 32)", &ones),
        described("'|b1'", "True", "(32, 32)", &ones),
        described("'|b1'", "False", "(32, 31)", &ones),
        described("'|b1'", "False", "(1024,)", &ones),
        described("'|b1'", "False", "()", &ones),
        described("'|b1'", "False", "(4000000000, 4000000000)", &ones),
        described("'|b1'", "False", "(8000000000, 4000000000)", &ones),
        described("'|b1'", "False", "(18446744073709551616, 32)", &ones),
        described("'|b1'", "False", "(-32, -32)", &ones),
        described("'|b1'", "Perhaps", "(32, 32)", &ones),
        npy(1, "{'descr': '|b1'", &ones),
        npy(2, &"(".repeat(100_000), &ones),
        npy(9, "{}", &ones),
        [&b"\x93NUMPY\x02\x00\xff\xff\xff\xff"[..], &ones].concat(),
        b"P5 32 32 255\n".to_vec(),
    ]);
    assert!(table.len() + 3 < sound.len(), "{} masks for {} cases", sound.len(), table.len());
    for (mask, bytes) in sound.iter().zip(&table) {
        std::fs::write(mask, bytes).unwrap();
    }
    let missing = &sound[table.len()];
    std::fs::remove_file(missing).unwrap();
    let out = dir.path().join("out");
    let (code, _, stderr) = import(&out);
    assert_eq!(code, 3, "{stderr}");
    let after = outcomes(&out);
    for (case, mask) in sound.iter().enumerate() {
        let broken = case <= table.len();
        let name = format!("{}.png", stem(mask));
        assert_eq!(after[&name], if broken { "bad-mask" } else { "kept" }, "case {case}");
        let lines: Vec<_> =
            stderr.lines().filter(|line| line.contains(&format!("{}.npy: ", stem(mask)))).collect();
        assert_eq!(lines.len(), usize::from(broken), "case {case}: {stderr}");
        if case < table.len() {
            assert_informative(lines[0], &stem(mask));
        }
    }
}

#[test]
fn every_broken_png_mask_is_a_counted_skip() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    let (photos, masks) = (root.join("train/disc"), root.join("masks/train/disc"));
    std::fs::create_dir_all(&photos).unwrap();
    std::fs::create_dir_all(&masks).unwrap();
    let photo = include_bytes!("../fixtures/photographs/progressive.jpg");
    let good = include_bytes!("../fixtures/photographs/one-bit.png");
    let mut small = Vec::new();
    let grey = image::GrayImage::from_pixel(59, 40, image::Luma([255]));
    grey.write_to(&mut std::io::Cursor::new(&mut small), image::ImageFormat::Png).unwrap();
    let mut table = vec![("good".to_string(), good.to_vec(), "kept")];
    table.extend(
        (0..16).map(|part| (format!("cut-{part}"), good[..good.len() * part / 16].to_vec(), "bad-mask")),
    );
    table.push(("other-size".into(), small, "mask-mismatch"));
    table.push(("text".into(), b"not a mask".to_vec(), "bad-mask"));
    for (name, mask, _) in &table {
        std::fs::write(photos.join(format!("{name}.jpg")), photo).unwrap();
        std::fs::write(masks.join(format!("{name}.png")), mask).unwrap();
    }
    let out = dir.path().join("out");
    let faulty: Vec<String> = table[1..].iter().map(|(name, ..)| format!("{name}.jpg")).collect();
    let faulty: Vec<&str> = faulty.iter().map(String::as_str).collect();
    super::run::build_with_faults("folder", &root, &out, &["--masks", "exact"], &faulty);
    let found = outcomes(&out);
    assert!(table.iter().all(|(name, _, rule)| found[&format!("{name}.jpg")] == *rule), "{found:?}");
}

/// A photograph's mask in black and white.
fn mask_png(path: &Path, object: u8) {
    let decoded = image::load_from_memory(PHOTO).unwrap();
    let inside = |x: u32, y: u32| (18..42).contains(&x) && (8..32).contains(&y);
    let mask = image::GrayImage::from_fn(decoded.width(), decoded.height(), |x, y| {
        image::Luma([if inside(x, y) { object } else { 0 }])
    });
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    mask.save(path).unwrap();
}

/// The same as an array of booleans.
fn mask_npy(path: &Path) {
    let decoded = image::load_from_memory(PHOTO).unwrap();
    let (width, height) = (decoded.width(), decoded.height());
    let header = format!("{{'descr': '|b1', 'fortran_order': False, 'shape': ({height}, {width}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    let inside = |x: u32, y: u32| u8::from((18..42).contains(&x) && (8..32).contains(&y));
    bytes.extend((0..height).flat_map(|y| (0..width).map(move |x| inside(x, y))));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

const PHOTO: &[u8] = include_bytes!("../fixtures/photographs/progressive.jpg");

#[test]
fn masks_are_found_in_every_usual_place() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for (at, (mask, object)) in [
        ("masks/test/disc/a.png", 255),
        ("masks/disc/b.png", 1),
        ("test/masks/disc/c.png", 255),
        ("test/disc/d_mask.png", 3),
        ("masks/disc/e.npy", 1),
        ("test/disc/f_mask.npy", 1),
    ]
    .into_iter()
    .enumerate()
    {
        let photo = root.join("test/disc").join(format!("{}.jpg", ["a", "b", "c", "d", "e", "f"][at]));
        std::fs::create_dir_all(photo.parent().unwrap()).unwrap();
        std::fs::write(photo, PHOTO).unwrap();
        match mask.ends_with(".npy") {
            true => mask_npy(&root.join(mask)),
            false => mask_png(&root.join(mask), object),
        }
    }
    let out = dir.path().join("out");
    let build = |out: &Path| {
        let mut build = program("");
        build.args(["build", "--source", "folder", "--masks", "exact", "--size", "32", "--root"]).arg(&root);
        run(build.arg("--out").arg(out))
    };
    let (code, printed, said) = build(&out);
    assert_eq!((code, printed.trim()), (0, "test: 6 samples"), "{said}");
    // All are the same mask, however it is written down.
    let split = in9_data::Dataset::open(&out).unwrap().split("test").unwrap();
    let masks = (0..6).map(|at| split.layers(at).unwrap().mask.bytes().to_vec());
    assert_eq!(masks.collect::<std::collections::BTreeSet<_>>().len(), 1);
    // Without one of its masks, a photograph is named beside the rule.
    std::fs::remove_file(root.join("masks/disc/b.png")).unwrap();
    let (_, printed, _) = build(&dir.path().join("fewer"));
    assert!(printed.contains("test: 1 rejected by no-mask, such as test/disc/b.jpg"), "{printed}");
    // Without any, the whole build is refused, and can be mended and run again.
    for mask in ["masks", "test/masks"] {
        std::fs::remove_dir_all(root.join(mask)).unwrap();
    }
    for mask in ["d_mask.png", "f_mask.npy"] {
        std::fs::remove_file(root.join("test/disc").join(mask)).unwrap();
    }
    let none = dir.path().join("none");
    let (code, _, said) = build(&none);
    assert_eq!(code, 1);
    assert!(said.contains("none of 6 photographs can be kept: 6 are rejected by no-mask"), "{said}");
    assert!(said.contains("NAME_mask.png") && !none.exists(), "{said}");
    mask_png(&root.join("masks/disc/b.png"), 255);
    assert_eq!(build(&none).0, 0);
}
