//! Datasets whose masks a network in an ONNX file has drawn.
//!
//! `tests/oracles/data_masks.py` made what is in `tests/networks`: the masks are those that ONNX Runtime and Pillow give.

#![allow(clippy::print_stdout, reason = "a test tells how near it is")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::RgbImage;
use in9_data::{
    BuildConfig, Dataset, Limits, MaskSource, NetworkMasks, Rebuild, Shown, SourceKind, build, merge,
    rebuild, verify, write_outline,
};

fn networks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks")
}

/// The oracle's picture and its box: a reddish disc on a texture.
fn picture(number: i64) -> (RgbImage, [i64; 4]) {
    let (cx, cy, r) = (26 + 3 * number, 34 - 2 * number, 12 + number);
    let picture = RgbImage::from_fn(64, 64, |x, y| {
        let (x, y) = (i64::from(x), i64::from(y));
        let t = (x * 7 + y * 13 + number * 31) % 32;
        let inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) < r * r;
        let rgb = if inside { [200 + t, 60 + t, 40 + t] } else { [60 + t, 90 + x * y % 64, 80 + t] };
        image::Rgb(rgb.map(|value| value as u8))
    });
    (picture, [cx - r - 3, cy - r - 3, cx + r + 2, cy + r + 2])
}

/// The four pictures as a source `folder` with boxes.
fn photographs(root: &Path) {
    std::fs::create_dir_all(root.join("test/disc")).unwrap();
    let mut boxes = "image,x0,y0,x1,y1\n".to_owned();
    for number in 0..4 {
        let (picture, [x0, y0, x1, y1]) = picture(number);
        picture.save(root.join(format!("test/disc/{number}.png"))).unwrap();
        boxes += &format!("test/disc/{number}.png,{x0},{y0},{x1},{y1}\n");
    }
    std::fs::write(root.join("boxes.csv"), boxes).unwrap();
}

fn config(root: &Path, out: &Path, name: &str) -> BuildConfig {
    let network = NetworkMasks::open(&networks().join(format!("{name}.toml")), &Limits::default()).unwrap();
    BuildConfig {
        size: 64,
        masks: MaskSource::Network,
        mask_network: Some(network),
        ..BuildConfig::new(SourceKind::Folder, root, out)
    }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn masks_are_those_of_onnx_runtime_and_pillow() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("photographs");
    photographs(&root);
    let text = std::fs::read_to_string(networks().join("masks.json")).unwrap();
    let expected: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
    assert_eq!(expected.len(), 5);
    let mut furthest = 0;
    for (name, masks) in expected {
        let out = dir.path().join(&name);
        let report = build(&config(&root, &out, &name), &|_| ()).unwrap();
        assert_eq!(report.samples, [("test".to_owned(), 4)], "{name}: {report:?}");
        let dataset = Dataset::open(&out).unwrap();
        let split = dataset.split("test").unwrap();
        for (at, expected) in masks.iter().enumerate() {
            assert_eq!(split.sample(at).id, format!("disc_{at}"));
            let found = split.layers(at).unwrap().mask;
            let byte = |at: usize| u8::from_str_radix(&expected[2 * at..2 * at + 2], 16).unwrap();
            let differing: u32 = (0..512).map(|at| (found.bytes()[at] ^ byte(at)).count_ones()).sum();
            // Rounding of a resized picture to whole values decides about pixels at the threshold.
            assert!(
                differing <= 6,
                "{name} {at}: {differing} pixels of {}, {}",
                found.area(),
                hex(found.bytes())
            );
            furthest = furthest.max(differing);
        }
    }
    println!("at most {furthest} of a mask's 4,096 pixels differ");
}

#[test]
fn threads_pieces_and_what_was_there_before_change_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("photographs");
    photographs(&root);
    let made = |name: &str, threads: usize| {
        let out = dir.path().join(name);
        in_pool(threads, || build(&config(&root, &out, "red"), &|_| ()).unwrap());
        common::contents(&out)
    };
    let one = made("one", 1);
    assert!(made("three", 3) == one);
    let pieces: Vec<PathBuf> = (1..=2).map(|i| dir.path().join(format!("piece-{i}"))).collect();
    for (i, out) in pieces.iter().enumerate() {
        let piece = Some(format!("{}/2", i + 1).parse().unwrap());
        build(&BuildConfig { piece, ..config(&root, out, "red") }, &|_| ()).unwrap();
    }
    let merged = dir.path().join("merged");
    merge(&pieces, &merged, &|_| ()).unwrap();
    assert!(common::contents(&merged) == one);
    // What drew the masks is not needed to make the dataset again of its outline.
    let outline = dir.path().join("outline.in9");
    let dataset = Dataset::open(&dir.path().join("one")).unwrap();
    write_outline(&dataset, &outline, &|_, _| ()).unwrap();
    let again = dir.path().join("again");
    let asked = Rebuild {
        outline: outline.clone(),
        root: root.clone(),
        out: again.clone(),
        limits: Limits::default(),
    };
    rebuild(&asked, &|_| ()).unwrap();
    assert!(common::contents(&again) == one);
}

#[test]
fn the_manifest_says_what_drew_the_masks_and_another_network_is_another_dataset() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("photographs");
    photographs(&root);
    let out = dir.path().join("red");
    build(&config(&root, &out, "red"), &|_| ()).unwrap();
    verify(&out, &Limits::default(), &|_, _| ()).unwrap();
    let dataset = Dataset::open(&out).unwrap();
    let settings = &dataset.manifest().settings;
    let record = settings.mask_network.as_ref().unwrap();
    let digest =
        |name: &str| blake3::hash(&std::fs::read(networks().join(name)).unwrap()).to_hex().to_string();
    assert_eq!((&record.network, &record.described), (&digest("red.onnx"), &digest("red.toml")));
    assert_eq!((record.runtime.as_str(), record.description.shown), ("tract", Shown::Box));
    assert_eq!((record.description.margin, record.description.output.threshold), (0.25, 0.5));
    let text = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(
        text.contains("\"masks\": \"network\"") && text.contains("\"activation\": \"sigmoid\""),
        "{text}"
    );
    // The same place does not hold the masks of another.
    let other = build(&config(&root, &out, "dark"), &|_| ()).unwrap_err().to_string();
    assert!(other.contains("remove it or choose another place"), "{other}");
    // A network and a source of masks that do not belong together.
    let mut odd = config(&root, &dir.path().join("odd"), "red");
    odd.masks = MaskSource::Grabcut;
    assert!(build(&odd, &|_| ()).unwrap_err().to_string().contains("source of masks"));
    let none = BuildConfig { mask_network: None, masks: MaskSource::Network, ..odd };
    assert!(build(&none, &|_| ()).unwrap_err().to_string().contains("source of masks"));
}

#[test]
fn the_program_builds_with_a_network_and_refuses_what_is_none_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("photographs");
    photographs(&root);
    let description = dir.path().join("d.toml");
    let run = |text: &str| {
        std::fs::write(&description, text).unwrap();
        let masks = format!("onnx:{}", description.display());
        let out = dir.path().join("out");
        let args =
            ["build", "--source", "folder", "--size", "64", "--masks", &masks, "--root"].map(Into::into);
        let all =
            args.into_iter().chain([root.clone().into_os_string(), "--out".into(), out.into_os_string()]);
        let output = Command::new(env!("CARGO_BIN_EXE_in9-data")).args(all).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let sound = std::fs::read_to_string(networks().join("red.toml")).unwrap();
    let refused = |text: &str, expected: &str| {
        let (code, said) = run(text);
        let last = said.lines().last().unwrap_or_default();
        assert!(code == Some(1) && last.contains(expected), "{said}");
        assert!(!dir.path().join("out").exists());
    };
    refused(&sound, "d");
    std::fs::copy(networks().join("red.onnx"), dir.path().join("red.onnx")).unwrap();
    refused(&sound.replace("\"map\"", "\"mask\""), "expected mask, found half, map");
    refused(
        &sound.replace("[48, 32]", "[4096, 4096]").replace("\"map\"", "\"half\"\nchannel = 1"),
        "a channel for the object",
    );
    refused(&sound.replace("red.onnx", "../red.onnx"), "the name of a file in the same folder");
    refused(&sound.replace("margin = 0.25", "margin = 9"), "0 to 4");
    refused("", "the description of a network");
    // One that takes a picture alone is not told a box.
    let prompt = "[prompt]\nname = \"box\"\nform = \"corners\"\nshape = [1, 1, 4]\n";
    refused(&format!("{sound}\n{prompt}"), "expected two inputs, one of them box, found pixels");
    std::fs::write(dir.path().join("red.onnx"), b"no network").unwrap();
    refused(&sound, "not an ONNX file");
    std::fs::copy(networks().join("red.onnx"), dir.path().join("red.onnx")).unwrap();
    let (code, said) = run(&sound);
    assert_eq!(code, Some(0), "{said}");
}
