//! One way to a network: prediction and probes ask the same one, and outputs say which.
#![cfg(all(feature = "cli", feature = "probes"))]

mod support;

use candle_core::Device;
use in9_analysis::probes::{Classifier as _, Pictures, Scenes as _};
use in9_base::Piece;
use in9_data::facts::NetworkFacts;
use in9_data::{Normalization, View};
use in9_models::mapping::Mapping;
use in9_models::open::{Options, open};
use in9_models::predict::Predictor;
use in9_models::weights::{self, Limits, RawTensor, StateDict};
use in9_models::{Classifier, Params, build};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::composing::Composing;
use support::{ODD, finish, lite0, probe, probe_of, trained, world, world_of_imagenet};

/// The settings of a probe, by name.
fn settings(folder: &Path) -> toml::Table {
    toml::from_str(&fs::read_to_string(folder.join("settings.toml")).unwrap()).unwrap()
}

fn three(value: &toml::Value) -> [f32; 3] {
    let values = value.as_array().unwrap().iter().map(|v| v.as_float().unwrap() as f32);
    values.collect::<Vec<_>>().try_into().unwrap()
}

/// A random network's tensors as a file of ours, its facts changed by `change`.
fn network_file(path: &Path, outputs: usize, change: impl Fn(&mut NetworkFacts), spoil: bool) {
    let params = Params::random(3, candle_core::DType::F32, &Device::Cpu);
    let model = build("resnet-tiny", outputs, &params).unwrap();
    let mut dict = StateDict::default();
    for parameter in model.parameters() {
        let mut values = parameter.value.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        if spoil && parameter.name == "fc.weight" {
            // Each is a number, and their products are none.
            values.iter_mut().for_each(|v| *v = f32::MAX);
        }
        dict.insert(&parameter.name, RawTensor::from_f32(parameter.value.dims(), &values)).unwrap();
    }
    let mut facts = NetworkFacts {
        arch: "resnet-tiny".into(),
        classes: Vec::new(),
        size: 32,
        mean: ODD.mean,
        std: ODD.std,
        trained_on: "original".into(),
        name: "random".into(),
        origin: String::new(),
    };
    change(&mut facts);
    weights::write(path, &dict, Some(&serde_json::to_string(&facts).unwrap())).unwrap();
}

#[test]
fn the_same_picture_gets_the_same_bits_in_prediction_and_in_probes() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let split = dataset.split("test").unwrap().check_layers().unwrap();
    let lite = Normalization { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3] };
    for normalization in [None, Some(Normalization::IMAGENET), Some(lite)] {
        let options = Options { normalization, ..Options::default() };
        let opened = open(dir.path().join("run").to_str().unwrap(), &options).unwrap();
        let network = Classifier::new(opened, dataset.taxonomy(), Mapping::A).unwrap();
        let predictor = Predictor { classifier: &network, batch_size: 5, size: None, piece: Piece::WHOLE };
        for view in View::ALL {
            let rows = predictor.predict(&dataset, "toy", &split, view, &mut |_| {}).unwrap();
            assert_eq!(rows.len(), split.len());
            let composing = Composing { network: &network, split: &split };
            let elsewhere = Predictor { classifier: &composing, ..predictor };
            let composed = elsewhere.predict(&dataset, "toy", &split, view, &mut |_| {}).unwrap();
            assert_eq!(composed, rows, "{view}, composed by the classifier");
            for row in rows {
                let place = |id: &str| split.find(id).unwrap();
                let background = if row.background.is_empty() { 0 } else { place(&row.background) };
                let mut rgb = vec![0; 3 * 32 * 32];
                split.compose(view, place(&row.image), background, &mut rgb);
                let mut pictures = Pictures::empty(32);
                pictures.push_rgb(&rgb);
                let bits = |scores: &[f32]| scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    bits(&network.scores(&pictures).unwrap()),
                    bits(&row.scores),
                    "{view} {}",
                    row.image
                );
                assert_eq!(network.predict(&pictures).unwrap(), [row.predicted]);
            }
        }
    }
}

/// With its own masks a photograph is answered as the prediction table has it; with masks as good as a reference's no
/// answer changes, and with worse ones some do.
#[test]
fn errors_of_masks_are_measured_beside_the_answers_of_prediction() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let dir = dir.path();
    let split = dataset.split("test").unwrap();
    let data = dataset.path().display().to_string();
    finish(&mut probe(dir, "mask-error", "same", &["--reference", &data, "--draws", "2"]), 0);
    finish(&mut probe(dir, "mask-error", "worse", &["--boundary-error", "4", "--draws", "2"]), 0);
    let summary = |out: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(dir.join(out).join("summary.json")).unwrap()).unwrap()
    };
    let rows = |out: &str| -> BTreeMap<String, Vec<f64>> {
        let mut table = csv::Reader::from_path(dir.join(out).join("differences.csv")).unwrap();
        let row = |row: csv::StringRecord| {
            (row[0].to_owned(), row.iter().skip(1).map(|value| value.parse().unwrap()).collect())
        };
        table.records().map(|record| row(record.unwrap())).collect()
    };
    let (same, worse) = (rows("same"), rows("worse"));
    assert_eq!(same.len(), split.len());
    assert_eq!(summary("same")["boundary_error"], 0.0);
    assert_eq!(summary("same")["measured_on"], split.len());
    assert!(same.values().all(|row| row.len() == 5 && row.iter().all(|value| *value == row[0])));
    assert!(same.iter().all(|(image, row)| worse[image][0] == row[0]), "own masks are own masks");
    assert!(worse.values().any(|row| row.iter().any(|value| *value != row[0])), "{worse:?}");

    let opened = open(dir.join("run").to_str().unwrap(), &Options::default()).unwrap();
    let network = Classifier::new(opened, dataset.taxonomy(), Mapping::A).unwrap();
    let predictor = Predictor { classifier: &network, batch_size: 5, size: None, piece: Piece::WHOLE };
    let split = split.check_layers().unwrap();
    let mut right: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (at, view) in [View::MixedSame, View::MixedRand].into_iter().enumerate() {
        for row in predictor.predict(&dataset, "toy", &split, view, &mut |_| {}).unwrap() {
            let answered = f64::from(u8::from(row.predicted == Some(row.class)));
            right.entry(row.image).or_default()[at] = answered;
        }
    }
    for (image, [same_class, any_class]) in right {
        assert_eq!(same[&image][0], same_class - any_class, "{image}");
    }
}

/// Pasted as it is, an object is answered as the prediction table has it; batches and threads change no byte.
#[test]
fn surfaces_begin_at_the_answers_of_prediction_and_depend_on_neither_batches_nor_threads() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = trained(dir.path());
    let dir = dir.path();
    let grid =
        ["--positions", "own,corner", "--sizes", "own,0.5", "--edges", "0,0.1", "--similarities", "0,1"];
    finish(
        &mut probe(dir, "surface", "one", &[&grid[..], &["--batch-size", "1", "--jobs", "1"]].concat()),
        0,
    );
    finish(
        &mut probe(dir, "surface", "many", &[&grid[..], &["--batch-size", "7", "--jobs", "2"]].concat()),
        0,
    );
    for name in ["summary.json", "surface.csv", "levels.csv", "answers.csv", "settings.toml"] {
        let read = |folder: &str| fs::read(dir.join(folder).join(name)).unwrap();
        assert!(read("one") == read("many"), "{name}");
    }
    let mut table = csv::Reader::from_path(dir.join("one/answers.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 18 * 16);
    let as_it_is = rows.iter().filter(|row| row.iter().skip(2).take(4).eq(["own", "own", "0", "0"]));
    let as_it_is: BTreeMap<&str, [&str; 2]> = as_it_is.map(|row| (&row[0], [&row[6], &row[7]])).collect();

    let opened = open(dir.join("run").to_str().unwrap(), &Options::default()).unwrap();
    let network = Classifier::new(opened, dataset.taxonomy(), Mapping::A).unwrap();
    let predictor = Predictor { classifier: &network, batch_size: 5, size: None, piece: Piece::WHOLE };
    let split = dataset.split("test").unwrap();
    for (at, view) in [View::MixedSame, View::MixedRand].into_iter().enumerate() {
        for row in predictor.predict(&dataset, "toy", &split, view, &mut |_| {}).unwrap() {
            let right = if row.predicted == Some(row.class) { "1" } else { "0" };
            assert_eq!(as_it_is[row.image.as_str()][at], right, "{view} {}", row.image);
        }
    }
    let refused = |more: &[&str]| finish(&mut probe(dir, "surface", "refused", more), 1).1;
    assert!(refused(&["--edges", "0,0.1,0"]).contains("edge: expected each level once, found 0 twice"));
    finish(&mut probe(dir, "surface", "refused", &["--sizes", "1.5"]), 2);
    finish(&mut probe(dir, "surface", "refused", &["--positions", "left"]), 2);
}

#[test]
fn a_runs_own_file_is_probed_as_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    let file = dir.join("run/model.safetensors");
    finish(&mut probe(dir, "counterfactual", "run-effects", &["--partners", "2"]), 0);
    for (out, more) in [("alone", &[][..]), ("named", &["--arch", "resnet-tiny"])] {
        let more = [&["--partners", "2"], more].concat();
        finish(&mut probe_of(dir, &file, "counterfactual", out, &more), 0);
        let read = |folder: &str, name: &str| fs::read(dir.join(folder).join(name)).unwrap();
        assert!(read(out, "effects.csv") == read("run-effects", "effects.csv"), "{out}");
        assert!(read(out, "summary.json") == read("run-effects", "summary.json"), "{out}");
    }
    let written = settings(&dir.join("named"));
    assert_eq!((three(&written["mean"]), three(&written["std"])), (ODD.mean, ODD.std));
    assert_eq!(written["trained_on"].as_str(), Some("original"));
    assert_eq!(written["arch"].as_str(), Some("resnet-tiny"));
    assert_eq!(written["mapping"].as_str(), Some("identity"));
    assert_eq!(written["weights"].as_str().unwrap().len(), 64);
    let (_, said) = finish(&mut probe_of(dir, &file, "saliency", "other", &["--arch", "resnet18"]), 1);
    assert!(said.contains("expected resnet18, found resnet-tiny") && said.contains("--arch"), "{said}");
    let (_, said) = finish(&mut probe_of(dir, Path::new("nothing"), "saliency", "other", &[]), 1);
    assert!(said.contains("nothing") && said.contains("--weights"), "{said}");
}

#[test]
fn pieces_of_different_normalisations_or_mappings_do_not_merge() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    let piece = |out: &str, number: &str, more: &[&str]| {
        let more = [&["--limit", "6", "--shard", number], more].concat();
        finish(&mut probe(dir, "adversarial", out, &more), 0);
        dir.join(out)
    };
    let first = piece("first", "1/2", &[]);
    let second = piece("second", "2/2", &[]);
    let other = piece("other", "2/2", &["--normalization", "imagenet"]);
    let merge = |pieces: [&PathBuf; 2], code| {
        let mut command = probe(dir, "adversarial", "merged", &["--limit", "6", "--merge"]);
        finish(command.args(pieces), code).1
    };
    merge([&first, &second], 0);
    let said = merge([&first, &other], 1);
    assert!(said.contains("normalisation"), "{said}");
    // Groups of fine labels: the mapping decides.
    let groups: Vec<String> =
        world_classes(dir).iter().flat_map(|c| [format!("{c}-00"), format!("{c}-01")]).collect();
    let file = dir.join("groups.safetensors");
    network_file(&file, groups.len(), |facts| facts.classes.clone_from(&groups), false);
    let mut written = BTreeMap::new();
    for (out, number, mapping) in [("a", "1/2", "a"), ("b", "2/2", "b"), ("a2", "2/2", "a")] {
        let more = ["--limit", "6", "--shard", number, "--mapping", mapping];
        finish(&mut probe_of(dir, &file, "adversarial", out, &more), 0);
        written.insert(out, settings(&dir.join(out))["mapping"].as_str().unwrap().to_owned());
    }
    assert_eq!((written["a"].as_str(), written["b"].as_str()), ("a", "b"));
    let merge = |pieces: [&str; 2], code| {
        let more = ["--limit", "6", "--mapping", "a", "--merge"];
        let mut command = probe_of(dir, &file, "adversarial", "joined", &more);
        finish(command.args(pieces.map(|piece| dir.join(piece))), code).1
    };
    merge(["a", "a2"], 0);
    assert!(merge(["a", "b"], 1).contains("mapping"));
}

fn world_classes(dir: &Path) -> Vec<String> {
    let dataset = in9_data::Dataset::open(&dir.join("toy")).unwrap();
    dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_search_goes_on_with_its_own_answers_only() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    finish(&mut probe(dir, "adversarial", "whole", &["--limit", "6", "--exhaustive"]), 0);
    // The log of a search that never ended: the system ends whoever writes a file of more than a kilobyte, and all
    // answers take two.
    let log = dir.join("cut.journal");
    let cut = probe(dir, "adversarial", "cut", &["--limit", "6", "--exhaustive"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -f 1 && exec \"$@\"", "sh"]).arg(cut.get_program()).args(cut.get_args());
    let ended = limited.output().unwrap().status;
    assert_eq!(ended.code(), None, "it was not ended by the system: {ended}");
    let before = fs::read(&log).unwrap();
    assert!(before.len() > 400, "{} bytes of answers", before.len());
    let more = ["--limit", "6", "--exhaustive", "--normalization", "imagenet"];
    let (_, said) = finish(&mut probe(dir, "adversarial", "cut", &more), 1);
    assert!(said.contains("cut.journal") && said.contains("normalisation"), "{said}");
    assert!(fs::read(&log).unwrap() == before, "the log was touched");
    finish(&mut probe(dir, "adversarial", "cut", &["--limit", "6", "--exhaustive"]), 0);
    assert!(!log.exists());
    for name in ["pairs.csv", "foregrounds.csv", "summary.json"] {
        let read = |folder: &str| fs::read(dir.join(folder).join(name)).unwrap();
        assert!(read("cut") == read("whole"), "{name}");
    }
    let left = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
    let left: Vec<String> = left.filter(|name| name.starts_with(".in9-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn scores_that_are_no_numbers_are_refused_by_every_probe() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    world(dir);
    let file = dir.join("damaged.safetensors");
    network_file(&file, 9, |_| {}, true);
    for (kind, more) in [
        ("adversarial", &[][..]),
        ("saliency", &[]),
        ("counterfactual", &[]),
        ("mask-error", &["--boundary-error", "1"]),
    ] {
        let (printed, said) = finish(&mut probe_of(dir, &file, kind, "out", more), 1);
        assert!(said.contains("not finite numbers"), "{kind}: {said}");
        assert!(printed.is_empty() && !dir.join("out").exists(), "{kind}");
    }
}

#[test]
fn nothing_of_others_is_replaced_by_a_probe() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    trained(dir);
    fs::create_dir(dir.join("mine")).unwrap();
    fs::write(dir.join("mine/effects.csv"), "precious").unwrap();
    for kind in ["adversarial", "saliency", "counterfactual"] {
        let (_, said) = finish(&mut probe(dir, kind, "mine", &[]), 1);
        assert!(said.contains("effects.csv"), "{kind}: {said}");
        assert_eq!(fs::read_to_string(dir.join("mine/effects.csv")).unwrap(), "precious");
    }
}

#[test]
fn published_weights_are_probed_with_their_own_normalisation_by_file_and_by_name() {
    let Some(file) = lite0() else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let dataset = world_of_imagenet(dir);
    let more = ["--limit", "2", "--backgrounds", "2", "--exhaustive"];
    finish(&mut probe_of(dir, &file, "adversarial", "by-file", &more), 0);
    let cache = dir.join("cache");
    fs::create_dir(&cache).unwrap();
    fs::copy(&file, cache.join(file.file_name().unwrap())).unwrap();
    let mut by_name = probe_of(dir, Path::new("tf_efficientnet_lite0.pypi"), "adversarial", "by-name", &more);
    finish(by_name.env("IN9_CACHE", &cache), 0);
    let [by_file, by_name] = ["by-file", "by-name"].map(|out| settings(&dir.join(out)));
    assert_eq!(by_file, by_name);
    assert_eq!(three(&by_file["mean"]), [127.0 / 255.0; 3]);
    assert_eq!(by_file["origin"].as_str(), Some("tf_efficientnet_lite0.pypi"));
    assert_eq!(by_file["trained_on"].as_str(), Some("imagenet"));
    assert!(
        fs::read(dir.join("by-file/pairs.csv")).unwrap() == fs::read(dir.join("by-name/pairs.csv")).unwrap()
    );
    // The answers are those of a prediction.
    let network = Classifier::new(
        open(file.to_str().unwrap(), &Options::default()).unwrap(),
        dataset.taxonomy(),
        Mapping::A,
    )
    .unwrap();
    let split = dataset.split("test").unwrap().check_layers().unwrap();
    let text = fs::read_to_string(dir.join("by-file/pairs.csv")).unwrap();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let (fore, back) = (cells[0].parse::<usize>().unwrap(), cells[1].parse::<usize>().unwrap());
        let mut planes = vec![0.0; 3 * 32 * 32];
        let mut rgb = vec![0; 3 * 32 * 32];
        split.compose(View::MixedRand, fore, back, &mut rgb);
        network.normalization().bytes(&rgb, &mut planes);
        let answers = network.answers(&network.input(&planes, 1, 32).unwrap()).unwrap();
        assert_eq!(answers[0].class.map(|c| c.to_string()).unwrap_or_default(), cells[2], "{line}");
    }
    assert!(weights::read(&file, &Limits::default()).unwrap().sha256.is_some());
}
