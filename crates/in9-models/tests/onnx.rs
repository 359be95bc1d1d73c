//! Classifiers in ONNX files beside ONNX Runtime, and files that are none.
//!
//! `tests/oracles/models_onnx.py` made what is in `tests/onnx`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use in9_data::predictions::Table;
use in9_data::{BuildConfig, MaskSource, Normalization, SourceKind, Taxonomy, build};
use in9_models::Ask as _;
use in9_models::error::{Error, Result};
use in9_models::mapping::Mapping;
use in9_models::scorer::{Foreign, Onnx, Scorer as _, Scores};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx").join(format!("{name}.onnx"))
}

fn open(name: &str) -> Result<Onnx> {
    Onnx::open(&file(name), Some(Normalization::IMAGENET))
}

/// Pictures of the oracle, normalised, `[n, 3, size, size]`.
fn pictures(numbers: std::ops::Range<usize>, size: usize) -> Vec<f32> {
    let byte = |number: usize, i: usize| ((i * (7 + number) + ((i * i) >> 5) + 31 * number) % 256) as f32;
    let Normalization { mean, std } = Normalization::IMAGENET;
    let places =
        numbers.flat_map(|number| (0..3).flat_map(move |c| (0..size * size).map(move |p| (number, c, p))));
    places.map(|(number, c, p)| (byte(number, p * 3 + c) / 255.0 - mean[c]) / std[c]).collect()
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn scores_are_those_of_onnx_runtime() {
    let text = std::fs::read_to_string(file("dynamic").with_file_name("scores.json")).unwrap();
    let expected: BTreeMap<String, Vec<Vec<f32>>> = serde_json::from_str(&text).unwrap();
    assert_eq!(expected.len(), 4);
    for (name, rows) in expected {
        let (name, size) = name.split_once(' ').unwrap();
        let size: usize = size.parse().unwrap();
        let mut network = open(name).unwrap();
        let scores = network.score(&pictures(0..8, size), 8, size).unwrap();
        let outputs = network.about().outputs.len();
        assert_eq!(scores.len(), 8 * outputs);
        // Beside the largest score of the picture: a sum that is nearly nought has lost its digits in both.
        let mut furthest: f32 = 0.0;
        for (found, expected) in scores.chunks_exact(outputs).zip(&rows) {
            let largest = expected.iter().fold(0.0, |most: f32, score| most.max(score.abs()));
            for (found, expected) in found.iter().zip(expected) {
                furthest = furthest.max((found - expected).abs() / largest);
            }
        }
        println!("{name} at {size}: largest difference {furthest:e} of the largest score");
        assert!(furthest < 5e-6, "{name}: {furthest}");
    }
}

#[test]
fn neither_batches_nor_threads_nor_the_place_of_the_weights_change_a_bit() {
    for name in ["dynamic", "fixed", "outside"] {
        let score = |numbers: std::ops::Range<usize>| {
            let count = numbers.len();
            open(name).unwrap().score(&pictures(numbers, 32), count, 32).unwrap()
        };
        let all = in_pool(1, || score(0..7));
        assert_eq!(in_pool(3, || score(0..7)), all, "{name}: threads");
        let singly: Vec<f32> = (0..7).flat_map(|k| score(k..k + 1)).collect();
        assert_eq!(singly, all, "{name}: one by one");
        let threes: Vec<f32> = [0..3, 3..6, 6..7].into_iter().flat_map(score).collect();
        assert_eq!(threes, all, "{name}: in threes");
    }
    let all = |name: &str| open(name).unwrap().score(&pictures(0..4, 32), 4, 32).unwrap();
    assert_eq!(all("dynamic"), all("outside"));
}

#[test]
fn a_file_says_what_it_is_and_what_it_does_not_say_is_asked_for() {
    let network = Onnx::open(&file("imagenet"), None).unwrap();
    let about = network.about();
    assert_eq!((about.name.as_str(), about.arch.as_str()), ("small", "small-1000"));
    assert_eq!((about.trained_on.as_str(), about.origin.as_str()), ("noise", "imagenet.onnx"));
    assert_eq!((about.outputs.len(), about.scores), (1000, Scores::Probabilities));
    assert_eq!(about.normalization, Normalization::IMAGENET);
    assert_eq!(about.normalization_from, "the file's metadata");
    let bytes = std::fs::read(file("imagenet")).unwrap();
    assert_eq!(about.digest, blake3::hash(&bytes).to_hex().to_string());

    let silent = Onnx::open(&file("dynamic"), None).err().unwrap();
    assert!(matches!(silent, Error::NormalizationUnknown { .. }), "{silent}");
    let asked = open("dynamic").unwrap();
    assert_eq!((asked.about().name.as_str(), asked.about().scores), ("dynamic", Scores::Logits));
    // The weights count, wherever they are.
    assert_ne!(asked.about().digest, open("outside").unwrap().about().digest);
}

#[test]
fn a_thousand_outputs_become_classes_by_either_mapping() {
    let taxonomy = Taxonomy::named("imagenet-9").unwrap();
    let planes = pictures(0..8, 32);
    let answers = |mapping| {
        let network = Box::new(Onnx::open(&file("imagenet"), None).unwrap());
        Foreign::new(network, &taxonomy, mapping).unwrap().ask(&planes, 8, 32).unwrap()
    };
    let mut network = Onnx::open(&file("imagenet"), None).unwrap();
    let scores = network.score(&planes, 8, 32).unwrap();
    let (a, b) = (answers(Mapping::A), answers(Mapping::B));
    for (row, (a, b)) in scores.chunks_exact(1000).zip(a.iter().zip(&b)) {
        let winner = (0..1000).reduce(|x, y| if row[y] > row[x] { y } else { x }).unwrap();
        let holds = |class: &usize| taxonomy.classes[*class].indices.contains(&(winner as _));
        assert_eq!(a.class, (0..taxonomy.len()).find(holds));
        let sum =
            |class: usize| -> f32 { taxonomy.classes[class].indices.iter().map(|i| row[*i as usize]).sum() };
        let best = (0..taxonomy.len()).reduce(|x, y| if sum(y) > sum(x) { y } else { x }).unwrap();
        assert_eq!(b.class, Some(best));
        assert!((b.scores[best] - sum(best)).abs() < 1e-5);
    }
}

#[test]
fn what_is_no_classifier_is_refused_by_what_it_is() {
    let cases = [
        ("several-outputs", "found y, z"),
        ("several-inputs", "found x, z"),
        ("flat", "found [?, 3] (x)"),
        ("channels-last", "found [?, 8, 8, 3] (x)"),
        ("bytes", "found elements of type uint8"),
        ("map", "found [?, 3, 8, 8] (y)"),
        ("undeclared-map", "an output of shape"),
        ("training", "batch statistics in z"),
        ("no-output", "none for z"),
        ("unknown-operator", "Fancy"),
    ];
    for (name, expected) in cases {
        let result =
            open(&format!("wrong/{name}")).and_then(|mut network| network.score(&pictures(0..1, 8), 1, 8));
        let error = result.err().unwrap_or_else(|| panic!("{name} was taken"));
        assert!(matches!(error, Error::File { .. }), "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains('\n') && text.len() < 700, "{name}: {text}");
    }
    let network = Box::new(open("wrong/not-finite").unwrap());
    let taxonomy = Taxonomy::from_names("t", &["a", "b", "c"].map(str::to_owned)).unwrap();
    let foreign = Foreign::new(network, &taxonomy, Mapping::A).unwrap();
    assert!(matches!(foreign.ask(&pictures(0..1, 8), 1, 8), Err(Error::NotFinite(_))));
    let other = open("fixed").unwrap().score(&pictures(0..1, 48), 1, 48).unwrap_err();
    assert_eq!(
        other.to_string(),
        "size: not a usable setting (expected 32, which fixed.onnx takes, found 48)"
    );
}

#[test]
fn damaged_files_and_what_is_no_file_end_in_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.onnx");
    let bytes = std::fs::read(file("dynamic")).unwrap();
    let tried = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let mut network = Onnx::open(&path, Some(Normalization::HALF))?;
        network.score(&pictures(0..1, 32), 1, 32)
    };
    for end in (0..bytes.len()).step_by(23) {
        assert!(tried(&bytes[..end]).is_err(), "the first {end} bytes were taken");
    }
    assert!(matches!(tried(b"not a network at all"), Err(Error::File { .. })));
    // Weights that lie outside the folder are not fetched.
    let moved: Vec<u8> = std::fs::read(file("outside")).unwrap();
    let (from, to) = (b"outside.onnx.data", b"/srv/weights/data");
    let at = moved.windows(from.len()).position(|w| w == from).unwrap();
    let mut elsewhere = moved.clone();
    elsewhere[at..at + to.len()].copy_from_slice(to);
    let error = tried(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("its weights are elsewhere") && error.contains("/srv/weights/data"), "{error}");
    // The file beside it is not there.
    assert!(matches!(tried(&moved), Err(Error::Base(_))));
    #[cfg(unix)]
    {
        let pipe = dir.path().join("pipe.onnx");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(matches!(Onnx::open(&pipe, None), Err(Error::Base(_))));
    }
    assert!(matches!(Onnx::open(&dir.path().join("none.onnx"), None), Err(Error::Base(_))));
}

fn program(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_in9-models")).current_dir(folder).args(args).output().unwrap()
}

#[test]
fn the_program_predicts_with_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    let config = in9_toy::WorldConfig { train_per_class: 2, test_per_class: 2, ..Default::default() };
    in9_toy::render(&config, &folder.join("toy"), &|_, _| {}).unwrap();
    for size in [32, 48] {
        let out = folder.join(size.to_string());
        let source = BuildConfig::new(SourceKind::Toy, &folder.join("toy"), &out);
        build(&BuildConfig { size, masks: MaskSource::Exact, ..source }, &|_| {}).unwrap();
    }
    let (fixed, dynamic) = (file("fixed"), file("dynamic"));
    let (fixed, dynamic) = (fixed.to_str().unwrap(), dynamic.to_str().unwrap());
    let predict = |more: &[&str]| {
        program(folder, &[&["predict", "--views", "original,mixed-rand", "--split", "test"], more].concat())
    };
    let fine = |more: &[&str]| {
        let output = predict(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let normal = ["--normalization", "imagenet"];
    fine(&[&["--onnx", dynamic, "--data", "32", "--out", "a.csv"], &normal[..]].concat());
    let few = ["--batch-size", "5", "--jobs", "1"];
    fine(&[&["--onnx", dynamic, "--data", "32", "--out", "b.csv"], &normal[..], &few].concat());
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert!(read("a.csv") == read("b.csv"));
    fine(&[&["--onnx", fixed, "--data", "48", "--size", "32", "--out", "c.csv"], &normal[..]].concat());
    let table = Table::read(&folder.join("a.csv")).unwrap();
    assert_eq!(table.rows.len(), 2 * 18);
    assert!(table.rows.iter().all(|row| row.model == "dynamic"));

    let said = |more: &[&str]| {
        let output = predict(more);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().last().unwrap_or_default().to_owned()
    };
    let silent = said(&["--onnx", dynamic, "--data", "32", "--out", "d.csv"]);
    assert!(silent.contains("does not say how its inputs are normalised"), "{silent}");
    assert!(silent.contains("--normalization"), "{silent}");
    let size = said(&[&["--onnx", fixed, "--data", "48", "--out", "d.csv"], &normal[..]].concat());
    assert!(size.contains("--size") && size.contains("32, which fixed.onnx takes"), "{size}");
    assert!(!folder.join("d.csv").exists());
}
