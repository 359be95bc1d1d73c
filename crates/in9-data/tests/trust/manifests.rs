//! Manifests and pairings that were changed, with and without a new seal; readers beside `verify`.

use std::path::{Path, PathBuf};
use std::process::Command;

use in9_data::{Dataset, Loader, LoaderConfig, View};

use super::common;
use super::run::{fails, program, run};

/// A small dataset of both splits.
fn dataset(dir: &Path) -> PathBuf {
    let out = dir.join("out");
    let mut build = program("");
    build.args(["build", "--source", "toy", "--masks", "exact", "--size", "24", "--root"]);
    assert_eq!(run(build.arg(common::world(dir, 3, 2)).arg("--out").arg(&out)).0, 0);
    out
}

fn command(arguments: &[&str], dataset: &Path) -> Command {
    let mut command = program("");
    command.args(arguments).arg(dataset);
    command
}

/// Every way of reading a dataset by the program: what it refuses, it refuses here too.
fn refused_by_every_reader(dataset: &Path, names: &str) {
    let out = dataset.with_file_name("exported");
    fails(&mut command(&["verify"], dataset), names);
    let mut export =
        command(&["export", "--view", "mixed-same", "--format", "npy", "--split", "train"], dataset);
    fails(export.arg("--out").arg(&out), names);
    let mut show =
        command(&["show", "--split", "train", "--count", "27", "--png"], &out.with_extension("png"));
    fails(show.arg(dataset), names);
}

/// FORMAT.md's seal: BLAKE3 of the text with zeros in the place of its 64 digits.
fn reseal(text: &str) -> String {
    let start = text.len() - "\"\n}\n".len() - 64;
    let zeros = format!("{}{}{}", &text[..start], "0".repeat(64), &text[start + 64..]);
    let seal = blake3::hash(zeros.as_bytes()).to_hex();
    format!("{}{seal}{}", &text[..start], &text[start + 64..])
}

#[test]
fn the_seal_is_the_one_that_format_md_describes() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(dataset(dir.path()).join("manifest.json")).unwrap();
    assert_eq!(reseal(&text), text);
}

#[test]
fn a_class_folder_that_leads_elsewhere_is_refused_and_nothing_is_written_there() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let path = dataset.join("manifest.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let victim = dir.path().join("victim");
    let absolute = victim.to_str().unwrap();
    for folder in [absolute, "../../../victim", "..", "/"] {
        for sealed in [false, true] {
            let lying = whole.replace("\"folder\": \"00_butterfly\"", &format!("\"folder\": {folder:?}"));
            assert_ne!(lying, whole);
            std::fs::write(&path, if sealed { reseal(&lying) } else { lying }).unwrap();
            fails(&mut command(&["verify"], &dataset), "manifest.json");
            let mut export = command(&["export", "--view", "all", "--format", "folder"], &dataset);
            fails(export.arg("--out").arg(dir.path().join("a/b/c")), "manifest.json");
            assert!(!victim.exists());
        }
    }
}

#[test]
fn flipped_bits_and_swapped_class_names_of_a_manifest_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let path = dataset.join("manifest.json");
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        std::fs::write(&path, damaged).unwrap();
        assert!(Dataset::open(&dataset).is_err(), "byte {at}");
    }
    // Two class names change places, sealed as if that were right: the shards know better.
    let text = String::from_utf8(whole).unwrap();
    let names =
        |text: &str| text.replace("\"fish\"", "?").replace("\"car\"", "\"fish\"").replace('?', "\"car\"");
    std::fs::write(&path, reseal(&names(&text))).unwrap();
    refused_by_every_reader(&dataset, "-00000.in9");
}

#[test]
fn what_is_no_file_of_the_dataset_neither_hangs_a_reader_nor_fills_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    for name in ["manifest.json", "pairings/train-mixed-same.csv", "samples.csv", "shards/train-00000.in9"] {
        let (path, kept) = (dataset.join(name), dir.path().join("kept"));
        std::fs::rename(&path, &kept).unwrap();
        let file = name.rsplit('/').next().unwrap();
        // A pipe that nobody writes to, a file that never ends, one of 7 GB that is not there.
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        fails(&mut command(&["verify"], &dataset), file);
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        fails(&mut command(&["verify"], &dataset), file);
        std::fs::remove_file(&path).unwrap();
        std::fs::File::create(&path).unwrap().set_len(7 << 30).unwrap();
        fails(&mut command(&["verify"], &dataset), file);
        std::fs::rename(&kept, &path).unwrap();
    }
    assert_eq!(run(&mut command(&["verify"], &dataset)).0, 0);
}

#[test]
fn zeroed_photographs_and_swapped_planes_are_refused_by_every_reader() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let path = dataset.join("shards/train-00000.in9");
    let whole = std::fs::read(&path).unwrap();
    let number = |at: usize| u64::from_le_bytes(whole[at..at + 8].try_into().unwrap()) as usize;
    let (samples, photo, tiled) = (number(16), number(40), number(48));
    let plane = samples * 24 * 24 * 3;
    let mut zeroed = whole.clone();
    zeroed[photo..photo + 24 * 24 * 3].fill(0);
    let mut swapped = whole.clone();
    swapped[photo..photo + plane].copy_from_slice(&whole[tiled..tiled + plane]);
    swapped[tiled..tiled + plane].copy_from_slice(&whole[photo..photo + plane]);
    for damaged in [zeroed, swapped] {
        std::fs::write(&path, damaged).unwrap();
        refused_by_every_reader(&dataset, "train-00000.in9");
        let open = Dataset::open(&dataset).unwrap();
        let split = open.split("train").unwrap();
        assert!(split.check_layers().is_err());
        for view in [View::Original, View::NoFg, View::MixedSame] {
            for prefetch in [0, 4] {
                let config = LoaderConfig { view, prefetch, ..LoaderConfig::default() };
                let mut epoch = Loader::new(&open, &split, config).unwrap().epoch_bytes(0).unwrap();
                assert!(epoch.any(|batch| batch.is_err()), "{view}");
            }
        }
    }
}

#[test]
fn pairings_of_the_wrong_class_are_refused_by_every_reader() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = dataset(dir.path());
    let split = Dataset::open(&dataset).unwrap().split("train").unwrap();
    let other_class = |id: &str| {
        let class = split.sample(split.find(id).unwrap()).class;
        split.samples().find(|sample| sample.class != class).unwrap().id.clone()
    };
    let path = dataset.join("pairings/train-mixed-same.csv");
    let whole = std::fs::read_to_string(&path).unwrap();
    let row = whole.lines().nth(3).unwrap();
    let foreground = row.split(',').next().unwrap();
    let wrong = whole.replacen(row, &format!("{foreground},{}", other_class(foreground)), 1);
    std::fs::write(&path, &wrong).unwrap();
    refused_by_every_reader(&dataset, "train-mixed-same.csv");
    // Listed in a manifest that is sealed as if it were right.
    let manifest = dataset.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let [old, new] = [&whole, &wrong].map(|text| blake3::hash(text.as_bytes()).to_hex().to_string());
    assert!(text.contains(&old));
    std::fs::write(&manifest, reseal(&text.replace(&old, &new))).unwrap();
    refused_by_every_reader(&dataset, "train-mixed-same.csv");
}
