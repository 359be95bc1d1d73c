//! Probes of features: against scikit-learn on features by a formula, and the program end to end on a small toy world.
//!
//! References: tests/probe.json, made by tests/oracles/probe.py.

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/toy.rs"]
mod toy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use in9_data::predictions::Table;
use in9_data::{Dataset, View};
use in9_models::encoder::Encoder;
use in9_models::open::{Options, Source};
use in9_models::probe::{Chosen, Features, Grouped, Linear, Nearest, Probe, STRENGTHS};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    n: usize,
    asked: usize,
    width: usize,
    classes: usize,
    linear: Vec<LinearCase>,
    knn: Vec<KnnCase>,
    dfr: DfrCase,
}

#[derive(Deserialize)]
struct DfrCase {
    l2: f64,
    draws: Vec<Vec<usize>>,
    scores: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct LinearCase {
    l2: f64,
    scores: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct KnnCase {
    k: usize,
    temperature: f64,
    scores: Vec<Vec<f64>>,
}

fn reference() -> Reference {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

impl Reference {
    /// As `pictures` in tests/oracles/probe.py.
    fn pictures(&self, name: &str, count: usize) -> (Features, Vec<u16>) {
        let labels: Vec<u16> = (0..count).map(|i| (i % self.classes) as u16).collect();
        let mut values: Vec<f32> = formula::unit(name, count * self.width);
        for (row, label) in values.chunks_exact_mut(self.width).zip(&labels) {
            for (j, x) in row.iter_mut().enumerate() {
                let own = if j % self.classes == usize::from(*label) { 0.75 } else { 0.0 };
                *x = (*x * 4.0 - 2.0 + own) * (1.0 + j as f32);
            }
            row[self.width - 1] = 3.0;
        }
        (Features::new(values, self.width).unwrap(), labels)
    }

    fn check(&self, what: &str, probe: &Probe, expected: &[Vec<f64>]) {
        let answers = probe.answers(&self.pictures("asked", self.asked).0).unwrap();
        assert_eq!(answers.len(), expected.len());
        for (answer, expected) in answers.iter().zip(expected) {
            for (score, expected) in answer.scores.iter().zip(expected) {
                assert!((f64::from(*score) - expected).abs() < 1e-5, "{what}: {answer:?} for {expected:?}");
            }
            let best = expected.iter().copied().fold(0.0, f64::max);
            assert_eq!(expected.iter().position(|score| *score == best), answer.class, "{what}");
        }
    }
}

#[test]
fn the_probes_are_scikit_learns() {
    let reference = reference();
    let (known, labels) = reference.pictures("known", reference.n);
    for case in &reference.linear {
        let linear = Linear::fit(&known, &labels, reference.classes, case.l2, None).unwrap();
        assert!(linear.is_settled() && linear.gradient <= 1e-8, "{}: {}", case.l2, linear.gradient);
        reference.check(&format!("l2 {}", case.l2), &Probe::Linear(linear), &case.scores);
    }
    for case in &reference.knn {
        let nearest = Nearest::new(&known, &labels, reference.classes, case.k, case.temperature).unwrap();
        reference.check(&format!("k {}", case.k), &Probe::Nearest(nearest), &case.scores);
    }
}

#[test]
fn reweighting_is_the_mean_of_scikit_learns_on_balanced_sets() {
    let reference = reference();
    let (features, labels) = reference.pictures("known", reference.n);
    // As in tests/oracles/probe.py: a group is a class, and whether five divides the number.
    let groups: Vec<u32> =
        (0..).zip(&labels).map(|(i, label)| u32::from(*label) * 2 + u32::from(i % 5 == 0)).collect();
    let keys: Vec<u64> = (0..labels.len() as u64).collect();
    let (features, labels, groups, keys) = (&features, &labels[..], &groups[..], &keys[..]);
    let known = Grouped { features, labels, groups, keys, classes: reference.classes };
    let DfrCase { l2, draws, scores } = &reference.dfr;
    let drawn: Vec<Vec<usize>> = (1..=3).map(|draw| known.balanced_set(0, draw).unwrap()).collect();
    assert_eq!(&drawn, draws, "DRAWS of tests/oracles/probe.py");
    let mean = known.fit(*l2, 0, 3).unwrap();
    assert!(mean.is_settled());
    reference.check("dfr", &Probe::Linear(mean), scores);
}

#[test]
fn a_fit_is_the_same_on_any_number_of_threads_and_from_any_start() {
    let reference = reference();
    let (known, labels) = reference.pictures("known", reference.n);
    let fit = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Linear::fit(&known, &labels, reference.classes, 1e-3, None).unwrap())
    };
    let one = fit(1);
    assert_eq!(one, fit(3));
    let strong = Linear::fit(&known, &labels, reference.classes, 1.0, None).unwrap();
    let from_there = Linear::fit(&known, &labels, reference.classes, 1e-3, Some(&strong)).unwrap();
    assert!((from_there.loss - one.loss).abs() < 1e-9, "{} {}", from_there.loss, one.loss);
    for labels in [&labels[1..], &[4u16; 90][..]] {
        assert!(Linear::fit(&known, labels, reference.classes, 1.0, None).is_err());
    }
}

/// A dataset of 32-pixel pictures, and a network that saw nothing, built once for all tests of this file.
fn world() -> &'static [PathBuf; 2] {
    static WORLD: OnceLock<(tempfile::TempDir, [PathBuf; 2])> = OnceLock::new();
    let (_, paths) = WORLD.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let config = in9_toy::WorldConfig {
            seed: 1,
            rho: 0.9,
            train_per_class: 12,
            test_per_class: 4,
            ..in9_toy::WorldConfig::default()
        };
        let (out, run) = (toy::dataset(dir.path(), &config, 0.0), dir.path().join("run"));
        let train =
            ["train", "--arch", "resnet-tiny", "--view", "original", "--epochs", "2", "--batch-size", "12"];
        let mut command = program(&train);
        finish(command.arg("--data").arg(&out).arg("--out").arg(&run));
        (dir, [out, run])
    });
    paths
}

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_in9-models"));
    command.args(words);
    command
}

fn finish(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// `probe` of the run on the dataset.
fn probe(out: &Path, more: &[&str]) -> Command {
    let [data, run] = world();
    let mut command = program(&["probe"]);
    command.args(more).arg("--weights").arg(run).arg("--data").arg(data).arg("--out").arg(out);
    command
}

#[test]
fn a_table_has_both_probes_on_every_view_and_repeats() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.csv", "b.csv"].map(|name| dir.path().join(name));
    let output = finish(&mut probe(&a, &["--views", "paper"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("128 features, input of fc of resnet-tiny"), "{said}");
    assert!(said.contains("linear: l2 ") && said.contains("photographs held out"), "{said}");
    finish(&mut probe(&b, &["--views", "paper", "--batch-size", "5", "--jobs", "1"]));
    assert!(fs::read(&a).unwrap() == fs::read(&b).unwrap(), "batches and threads");
    let beside = |table: &Path| fs::read_to_string(table.with_extension("probe.toml")).unwrap();
    assert_eq!(beside(&a), beside(&b));

    let table = Table::read(&a).unwrap();
    let data = Dataset::open(&world()[0]).unwrap();
    let test = data.split("test").unwrap();
    for method in ["linear", "knn"] {
        let model = format!("resnet-tiny-original {method}");
        for view in View::PAPER {
            let rows: Vec<_> = table.rows.iter().filter(|r| r.view == view && r.model == model).collect();
            assert_eq!(rows.len(), test.len(), "{model} {view}");
            let row = rows[0];
            assert_eq!(row.trained_on, format!("{method} probe on original"));
            assert_eq!((row.training.dataset.as_str(), row.arch.as_str()), ("small-toy", "resnet-tiny"));
            assert!(row.training.digest.starts_with("p-") && row.training.seed == Some(0));
            assert!(rows.iter().all(|row| (row.scores.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        }
    }
    // What was learnt by heart is known again.
    let out = dir.path().join("train.csv");
    finish(&mut probe(&out, &["--split", "train", "--views", "original", "--l2", "1e-6", "--k", "1"]));
    let by_heart = Table::read(&out).unwrap();
    for method in ["linear", "knn"] {
        let own: Vec<_> = by_heart.rows.iter().filter(|row| row.model.ends_with(method)).collect();
        let right = own.iter().filter(|row| row.correct()).count() as f64 / own.len() as f64;
        assert!(right > 0.95, "{method}: {right}");
    }
    let identity = |table: &Table, method: &str| {
        let row = table.rows.iter().find(|row| row.model.ends_with(method)).unwrap();
        row.training.digest.clone()
    };
    assert_ne!(identity(&table, "linear"), identity(&table, "knn"));
    // Everything that is set changes the identity; what is asked does not.
    let changed = |more: &[&str], method: &str| {
        let out = dir.path().join("c.csv");
        finish(&mut probe(
            &out,
            &[&["--split", "test", "--views", "original", "--methods", method], more].concat(),
        ));
        identity(&Table::read(&out).unwrap(), method)
    };
    assert_eq!(changed(&[], "knn"), identity(&table, "knn"));
    assert_eq!(changed(&[], "linear"), identity(&table, "linear"));
    let knn = [&["--k", "3"][..], &["--temperature", "0.5"], &["--view", "mixed-rand"], &["--size", "48"]];
    let linear = [&["--l2", "1e-3"][..], &["--seed", "1"], &["--normalization", "half"]];
    let mut all: Vec<String> = knn.iter().map(|more| changed(more, "knn")).collect();
    all.extend(linear.iter().map(|more| changed(more, "linear")));
    all.extend([identity(&table, "knn"), identity(&table, "linear")]);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "{all:?}");
}

#[test]
fn the_library_learns_what_the_program_learns() {
    let [data, run] = world();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("p.csv");
    finish(&mut probe(&out, &["--views", "only-bg-t", "--view", "mixed-same"]));
    let dataset = Dataset::open(data).unwrap();
    let source = Source::find(run.to_str().unwrap(), None).unwrap();
    let encoder = Encoder::open(&source, &Options::default(), &mut |_| {}).unwrap();
    let features = |split: &in9_data::Split, view| {
        let mut all = Vec::new();
        encoder
            .features_of(&dataset, split, view, 7, None, &mut |batch| {
                batch.features.rows().for_each(|row| all.extend_from_slice(row));
                Ok(())
            })
            .unwrap();
        Features::new(all, encoder.width()).unwrap()
    };
    let (train, test) = (dataset.split("train").unwrap(), dataset.split("test").unwrap());
    let known = features(&train, View::MixedSame);
    let labels: Vec<u16> = train.samples().map(|sample| sample.class).collect();
    let chosen = Chosen::by_holding_out(&known, &labels, 9, &train, 0).unwrap();
    let held = |class| {
        let all = labels.iter().filter(|label| **label == class).count();
        all - (all as f64 * 0.8).round() as usize
    };
    let held_out: usize = (0..9).map(held).sum();
    assert_eq!((chosen.tried.as_slice(), chosen.held_out), (&STRENGTHS[..], held_out));
    let linear = Linear::fit(&known, &labels, 9, chosen.l2(), None).unwrap();
    let answers = Probe::Linear(linear).answers(&features(&test, View::OnlyBgT)).unwrap();
    let table = Table::read(&out).unwrap();
    let rows: Vec<_> = table.rows.iter().filter(|row| row.model.ends_with("linear")).collect();
    assert_eq!(rows.len(), answers.len());
    for (row, answer) in rows.iter().zip(answers) {
        assert_eq!((row.predicted.map(usize::from), &row.scores), (answer.class, &answer.scores));
    }
}

#[test]
fn mistakes_get_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("p.csv");
    let refused = |more: &[&str], expected: &str| {
        let output = probe(&out, more).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().last().unwrap_or_default();
        assert!(!output.status.success() && line.contains(expected), "{expected}: {text}");
        assert!(!out.exists());
    };
    refused(&["--l2", "0"], "--l2: not a usable setting");
    refused(&["--temperature", "0"], "--temperature: not a usable setting");
    refused(&["--train", "nowhere"], "nowhere");
    refused(&["--arch", "resnet-small"], "--arch");
    fs::write(dir.path().join("p.probe.toml"), "mine = true\n").unwrap();
    refused(&[], "p.probe.toml: is not of a probe");
}
