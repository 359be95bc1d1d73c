//! Names of photographs and classes: odd, hostile, not UTF-8.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use in9_data::{
    BuildConfig, Dataset, Error, Limits, Loader, LoaderConfig, MaskSource, SourceKind, View, build, verify,
};
use proptest::prelude::*;

use super::run::{build_with_faults, program, run};

const PHOTO: &[u8] = include_bytes!("../fixtures/photographs/progressive.jpg");

/// The disc of the photograph, 60×40.
fn mask() -> Vec<u8> {
    let inside = |x: i32, y: i32| (2 * x - 59).pow(2) + (2 * y - 39).pow(2) <= 24 * 24;
    let mask = image::GrayImage::from_fn(60, 40, |x, y| {
        image::Luma([if inside(x as i32, y as i32) { 255 } else { 0 }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    mask.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn place(root: &Path, class: &str, name: &OsStr, mask: &[u8]) {
    let [photos, masks] = [root.join("train").join(class), root.join("masks/train").join(class)];
    [&photos, &masks].into_iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
    let with = |end: &str| {
        let mut name = name.to_os_string();
        name.push(end);
        name
    };
    std::fs::write(photos.join(with(".jpg")), PHOTO).unwrap();
    std::fs::write(masks.join(with(".png")), mask).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a writer accepts a reader accepts, whatever photographs are called.
    #[test]
    fn every_name_that_builds_can_be_read(
        names in prop::collection::hash_set("[a-z,\"'\n\r\t =;:*%\u{e9}\u{202e}-][a-z,\"\n .\u{7}_-]{0,9}", 2..7),
        long in 150usize..240,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (root, out, mask) = (dir.path().join("root"), dir.path().join("out"), mask());
        let mut names: Vec<String> = names.into_iter().collect();
        names.push("n".repeat(long));
        for (at, name) in names.iter().enumerate() {
            place(&root, ["disc", "other"][at % 2], name.as_ref(), &mask);
        }
        let mut config = BuildConfig::new(SourceKind::Folder, &root, &out);
        (config.size, config.masks) = (16, MaskSource::Exact);
        let report = match build(&config, &|_| ()) {
            Err(Error::NothingKept { photographs, .. }) => {
                prop_assert_eq!(photographs, names.len() as u64);
                prop_assert!(!out.exists(), "nothing is left of it");
                return Ok(());
            }
            report => report.unwrap(),
        };
        let kept: u64 = report.samples.iter().map(|(_, count)| count).sum();
        let rejected: u64 = report.rejected.iter().map(|(.., count)| count).sum();
        prop_assert_eq!(kept + rejected, names.len() as u64);
        prop_assert_eq!(verify(&out, &Limits::default(), &|_, _| ()).unwrap().samples, kept);
        let dataset = Dataset::open(&out).unwrap();
        let split = dataset.split("train").unwrap();
        for view in View::ALL {
            let config = LoaderConfig { view, prefetch: 0, ..LoaderConfig::default() };
            for batch in Loader::new(&dataset, &split, config).unwrap().epoch_bytes(0).unwrap() {
                batch.unwrap();
            }
        }
        prop_assert!(build(&config, &|_| ()).unwrap().already_complete);
    }
}

#[test]
fn a_comma_is_kept_and_a_newline_is_a_counted_skip() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("root"), dir.path().join("out"));
    for name in ["plain", "a, b", "two\nlines", "\u{1b}[31mred"] {
        place(&root, "disc", name.as_ref(), &mask());
    }
    let mut command = program("");
    command.args(["build", "--source", "folder", "--masks", "exact", "--size", "32", "--root"]).arg(&root);
    let (code, stdout, stderr) = run(command.arg("--out").arg(&out));
    assert_eq!(code, 3, "{stderr}");
    assert!(stdout.contains("train: 2 samples") && stdout.contains("2 rejected by bad-name"), "{stdout}");
    assert!(!stderr.contains('\u{1b}') && stderr.lines().count() == 2, "{stderr:?}");
    let split = Dataset::open(&out).unwrap().split("train").unwrap();
    assert!(split.find("disc_a, b").is_some());
    assert_eq!(run(program("").arg("verify").arg(&out)).0, 0);
}

#[test]
fn names_that_are_not_utf_8_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("root"), dir.path().join("out"));
    place(&root, "disc", "plain".as_ref(), &mask());
    place(&root, "disc", OsStr::from_bytes(b"lat\xe9in"), &mask());
    let class = root.join("train").join(OsStr::from_bytes(b"cla\xdfe"));
    std::fs::create_dir_all(&class).unwrap();
    std::fs::write(class.join("x.jpg"), PHOTO).unwrap();
    // One line each, and the build ends with the code for skips.
    build_with_faults("folder", &root, &out, &["--masks", "exact"], &["cla\u{fffd}e", "lat\u{fffd}in.jpg"]);
    assert_eq!(Dataset::open(&out).unwrap().split("train").unwrap().len(), 1);
}
