//! The program end to end on a small toy world: train, kill, resume, predict, refuse.

#[path = "common/toy.rs"]
mod toy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use candle_core::{Device, Tensor};
use in9_data::predictions::{Card, Table};
use in9_data::{BuildConfig, Dataset, Loader, LoaderConfig, SourceKind, View, build};
use in9_models::Mode;
use in9_models::open::{Options, open};
use in9_models::preprocess::{Crop, Interpolation, Preprocessing, Rgb};
use in9_models::train::{Attack, Norm, Plan, Settings, Silent, read_run};

/// A dataset of 32-pixel pictures, built once for all tests of this file.
fn dataset() -> &'static Path {
    static DATASET: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = DATASET.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let config = in9_toy::WorldConfig {
            seed: 1,
            rho: 0.5,
            train_per_class: 5,
            test_per_class: 2,
            ..in9_toy::WorldConfig::default()
        };
        let out = toy::dataset(dir.path(), &config, 0.2);
        (dir, out)
    });
    path
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_in9-models"))
}

fn train(out: &Path) -> Command {
    let mut command = program();
    command.args(["train", "--arch", "resnet-tiny", "--view", "mixed-rand", "--epochs", "2"]);
    command.args(["--batch-size", "6", "--checkpoint-every", "1", "--seed", "3", "--jobs", "2"]);
    command.arg("--data").arg(dataset()).arg("--out").arg(out);
    command
}

fn error_line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("error: "), "{text}");
    line
}

fn finish(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn bytes(run: &Path) -> Vec<Vec<u8>> {
    ["model.safetensors", "checkpoint.safetensors", "log.csv", "run.toml"]
        .iter()
        .map(|name| fs::read(run.join(name)).unwrap())
        .collect()
}

#[test]
fn killed_and_resumed_runs_end_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    finish(&mut train(&whole));
    let single = dir.path().join("single");
    finish(train(&single).args(["--jobs", "1"]));
    assert!(bytes(&single) == bytes(&whole), "one thread");

    let killed = dir.path().join("killed");
    let checkpoint = killed.join("checkpoint.safetensors");
    let written = || fs::metadata(&checkpoint).and_then(|data| data.modified()).ok();
    let mut interrupted = 0;
    for _ in 0..4 {
        let before = written();
        let mut child =
            train(&killed).arg("--resume").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A few steps after this process's first checkpoint, nobody knows how many.
        while written() == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let delay = u64::from(clock.subsec_micros() % 25);
        println!("killed {delay} ms after a checkpoint");
        std::thread::sleep(Duration::from_millis(delay));
        // On Unix this is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        interrupted += usize::from(!killed.join("model.safetensors").exists());
    }
    assert!(interrupted > 0, "every kill came too late");
    finish(train(&killed).arg("--resume"));
    assert!(bytes(&killed) == bytes(&whole), "killed");
}

#[test]
fn predictions_cover_every_view_and_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    finish(train(&run).args(["--epochs", "1", "--quiet"]));
    let predict = |name: &str, batch: &str| {
        let out = dir.path().join(name);
        let mut command = program();
        command.arg("predict").arg("--weights").arg(&run).arg("--data").arg(dataset());
        finish(command.args(["--split", "test,val", "--batch-size", batch, "--out"]).arg(&out));
        out
    };
    let (a, b) = (predict("a.csv", "128"), predict("b.csv", "5"));
    assert_eq!(fs::read(&a).unwrap(), fs::read(b).unwrap());
    let table = Table::read(&a).unwrap();
    assert_eq!(table.classes.len(), 9);
    for view in View::PAPER {
        let rows: Vec<_> = table.rows.iter().filter(|row| row.view == view && row.split == "test").collect();
        assert!(!rows.is_empty(), "{view}");
        for row in rows {
            assert_eq!(row.background.is_empty(), !view.needs_background());
            assert!((row.scores.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert_eq!(row.dataset, "small-toy");
            assert_eq!(row.trained_on, "mixed-rand");
            let largest = row.scores.iter().copied().fold(f32::MIN, f32::max);
            assert_eq!(row.scores[usize::from(row.predicted.unwrap())], largest);
        }
    }
}

#[test]
fn predictions_in_pieces_are_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    finish(&mut train(&at("run")));
    let predict = |out: &str, more: &[&str]| {
        let mut command = program();
        command.args(["predict", "--split", "test,val", "--views", "original,mixed-rand"]).args(more);
        command.arg("--weights").arg(at("run")).arg("--data").arg(dataset()).arg("--out").arg(at(out));
        command
    };
    finish(&mut predict("whole.csv", &[]));
    finish(predict("1", &["--shard", "1/4"]).args(["--batch-size", "3"]));
    finish(predict("2", &["--shard", "auto/4"]).env("HQ_TASK_ID", "2"));
    for number in ["3", "4"] {
        // As a task of an array of which only some are started again.
        let slurm =
            [("SLURM_ARRAY_TASK_COUNT", "2"), ("SLURM_ARRAY_TASK_MIN", "1"), ("SLURM_ARRAY_TASK_MAX", "4")];
        finish(predict(number, &["--shard", "auto/4"]).env("SLURM_ARRAY_TASK_ID", number).envs(slurm));
    }
    let merge = |out: &str, pieces: &[&str], more: &[&str]| {
        let mut command = predict(out, more);
        command.arg("--merge").args(pieces.iter().map(|piece| at(piece)));
        command
    };
    finish(&mut merge("merged.csv", &["4", "2", "1", "3"], &[]));
    assert!(fs::read(at("merged.csv")).unwrap() == fs::read(at("whole.csv")).unwrap());
    let card = |table: &str| fs::read_to_string(Card::beside(&at(table))).unwrap();
    assert_eq!(card("merged.csv"), card("whole.csv"));
    assert!(!Card::beside(&at("1/predictions.csv")).exists(), "a piece says it in settings.toml");
    for (pieces, more, said) in [
        (&["1", "2", "4"][..], &[][..], "of 4 pieces 1 are missing: 3;"),
        (&["1", "2", "3", "3", "4"], &[], "name each piece once"),
        (&["1", "2", "3", "4"], &["--size", "48"], "another size"),
        (&["1", "2", "3", "4"], &["--name", "x"], "another network"),
    ] {
        let output = merge("refused.csv", pieces, more).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error_line(&output).contains(said), "{said}: {}", error_line(&output));
    }
    let table = at("3").join("predictions.csv");
    let text = fs::read_to_string(&table).unwrap();
    let kept: Vec<&str> = text.lines().take(text.lines().count() - 1).collect();
    fs::write(&table, kept.join("\n")).unwrap();
    let output = merge("refused.csv", &["1", "2", "3", "4"], &[]).output().unwrap();
    assert!(error_line(&output).contains("the piece is damaged"), "{}", error_line(&output));
    assert!(!at("refused.csv").exists());
}

#[test]
fn an_adversarial_training_says_so_and_predicts_at_another_size() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let attack = ["--attack", "l2", "--epsilon", "0.25", "--attack-steps", "2"];
    finish(train(&run).args(["--epochs", "1", "--quiet", "--view", "original"]).args(attack));
    let settings = read_run(&run.join("run.toml")).unwrap();
    let (own, expected) = (settings.training.attack.unwrap(), Attack::new(Norm::L2, 0.25, 2));
    assert_eq!(own, expected);
    let predict = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let mut command = program();
        command.arg("predict").arg("--weights").arg(&run).arg("--data").arg(dataset());
        finish(command.args(["--views", "bg-blurred,original"]).args(more).arg("--out").arg(&out));
        Table::read(&out).unwrap().rows
    };
    let plain = predict("plain.csv", &[]);
    assert!(plain.iter().all(|row| row.trained_on == "original (against L2 0.25)"));
    assert_eq!(plain[0].view, View::BgBlurred);
    // The dataset's own size is no resize; another one shows in the scores only.
    assert_eq!(predict("same.csv", &["--size", "32"]), plain);
    let larger = predict("larger.csv", &["--size", "48", "--batch-size", "7"]);
    assert_eq!(larger.len(), plain.len());
    assert!(larger.iter().zip(&plain).all(|(a, b)| a.image == b.image && a.view == b.view));
    assert!(larger.iter().zip(&plain).any(|(a, b)| a.scores != b.scores));
    // What the network saw is Pillow's resize of the picture, normalised as it was trained.
    let trained = open(run.to_str().unwrap(), &Options::default()).unwrap();
    let preprocessing = Preprocessing {
        size: 48,
        crop: Crop::ResizeThenCrop { resize: 48 },
        interpolation: Interpolation::Bicubic,
        normalization: trained.normalization,
    };
    let opened = Dataset::open(dataset()).unwrap();
    let split = opened.split("test").unwrap();
    let config = LoaderConfig { batch_size: split.len(), ..LoaderConfig::default() };
    let batch =
        Loader::new(&opened, &split, config).unwrap().epoch_bytes(0).unwrap().next().unwrap().unwrap();
    let index = batch.indices[0] as usize;
    let square = preprocessing.square(&Rgb::new(32, 32, batch.images[..3 * 32 * 32].to_vec()).unwrap());
    let x = Tensor::from_vec(preprocessing.normalise(&square), (1, 3, 48, 48), &Device::Cpu).unwrap();
    let logits = trained.model.forward(&x, Mode::Eval).unwrap().to_vec2::<f32>().unwrap().remove(0);
    let sum: f32 = logits.iter().map(|l| l.exp()).sum();
    let id = &split.sample(index).id;
    let row = larger.iter().find(|row| row.view == View::Original && row.image == *id).unwrap();
    for (score, logit) in row.scores.iter().zip(&logits) {
        assert!((score - logit.exp() / sum).abs() < 1e-5, "{:?} {logits:?}", row.scores);
    }
}

#[test]
fn the_library_trains_what_the_program_trains() {
    let dir = tempfile::tempdir().unwrap();
    let (by_program, by_library) = (dir.path().join("program"), dir.path().join("library"));
    finish(&mut train(&by_program));
    let settings = Settings { epochs: 2, batch_size: 6, checkpoint_every: 1, ..Settings::small() };
    let plan = Plan { settings, seed: 3, ..Plan::new("resnet-tiny", View::MixedRand) };
    let dataset = Dataset::open(dataset()).unwrap();
    plan.run(&dataset, &by_library, false, &mut Silent).unwrap();
    assert!(bytes(&by_library) == bytes(&by_program));
}

#[test]
fn a_training_in_a_folder_that_is_in_use_fails() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut first = train(&run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !run.join("run.toml").exists() && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let second = train(&run).args(["--resume", "--lr", "0.5"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    // The first may have ended meanwhile; then it is the settings that differ.
    let said = error_line(&second);
    assert!(said.contains("another process is writing here") || said.contains("lr"), "{said}");
    assert!(first.wait().unwrap().success());
    let settings = read_run(&run.join("run.toml")).unwrap();
    assert_eq!(settings.training.lr, Settings::small().lr);
    open(run.to_str().unwrap(), &Options::default()).unwrap();
}

#[test]
fn a_runs_own_file_is_predicted_alike_however_it_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    finish(train(&run).args(["--epochs", "1", "--quiet"]));
    let predict = |name: &str, weights: &Path, more: &[&str]| {
        let out = dir.path().join(name);
        let mut command = program();
        command.arg("predict").arg("--weights").arg(weights).arg("--data").arg(dataset());
        finish(command.args(["--views", "original"]).args(more).arg("--out").arg(&out));
        fs::read(&out).unwrap()
    };
    let file = run.join("model.safetensors");
    let folder = predict("folder.csv", &run, &[]);
    assert!(predict("file.csv", &file, &[]) == folder);
    assert!(predict("arch.csv", &file, &["--arch", "resnet-tiny"]) == folder);
    assert!(predict("other.csv", &file, &["--normalization", "half"]) != folder);
    let mut command = program();
    command.args(["predict", "--arch", "resnet-small", "--out", "p.csv", "--weights"]).arg(&file);
    let output = command.arg("--data").arg(dataset()).output().unwrap();
    let said = error_line(&output);
    assert!(said.contains("expected resnet-small, found resnet-tiny") && said.contains("--arch"), "{said}");
}

#[test]
fn mistakes_get_one_line_and_their_code() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let output = train(&run).args(["--attack", "l2"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "an attack needs a radius");
    let output = train(&run).args(["--attack", "linf", "--epsilon", "0"]).output().unwrap();
    assert!(error_line(&output).contains("--epsilon"), "{}", error_line(&output));
    let usage = program().args(["train", "--view", "sideways"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));

    let output = train(&run).args(["--epochs", "2147483648"]).output().unwrap();
    assert!(error_line(&output).contains("--epochs"), "{}", error_line(&output));
    let output = train(&run).args(["--lr", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error_line(&output).contains("--lr"), "{}", error_line(&output));
    let output = train(&run).args(["--arch", "resnet-tyni"]).output().unwrap();
    assert!(output.status.code() == Some(2) || error_line(&output).contains("resnet-tiny"));
    let output = train(&run).args(["--device", "cuda:7"]).output().unwrap();
    assert!(error_line(&output).contains("cuda:7"), "{}", error_line(&output));
    assert!(!run.exists());

    let mut predict = program();
    predict.args(["predict", "--weights", "no-such-run", "--out", "p.csv", "--data"]).arg(dataset());
    let output = predict.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error_line(&output).contains("no-such-run"), "{}", error_line(&output));

    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let output = train(&file).output().unwrap();
    assert!(error_line(&output).contains("file"), "{}", error_line(&output));
}

#[test]
fn views_that_cannot_be_had_are_left_out_of_all_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let (photographs, out) = (dir.path().join("toy"), dir.path().join("plain"));
    let config = in9_toy::WorldConfig {
        seed: 1,
        rho: 0.5,
        train_per_class: 1,
        test_per_class: 2,
        ..Default::default()
    };
    in9_toy::render(&config, &photographs, &|_, _| {}).unwrap();
    let config =
        BuildConfig { size: 32, photos_only: true, ..BuildConfig::new(SourceKind::Toy, &photographs, &out) };
    build(&config, &|_| {}).unwrap();
    let run = dir.path().join("run");
    finish(&mut train(&run));
    let predict = |views: &str, table: &Path| {
        let mut command = program();
        command.args(["predict", "--views", views, "--weights"]).arg(&run);
        command.arg("--data").arg(&out).arg("--out").arg(table).output().unwrap()
    };
    let table = dir.path().join("p.csv");
    let output = predict("all", &table);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("without only-bg-b, "), "{said}");
    assert!(said.contains("only-box: the dataset holds photographs only"), "{said}");
    assert!(Table::read(&table).unwrap().rows.iter().all(|row| row.view == View::Original));
    let output = predict("original,mixed-rand", &table);
    assert!(!output.status.success() && error_line(&output).contains("photographs only"));
}

#[test]
fn a_share_of_a_mixed_view_can_be_trained_on_and_any_input_size() {
    let dir = tempfile::tempdir().unwrap();
    let plan = Plan {
        fraction: 0.5,
        input_size: Some(24),
        settings: Settings { epochs: 1, batch_size: 6, ..Settings::small() },
        ..Plan::new("resnet-tiny", View::MixedRand)
    };
    let run = dir.path().join("run");
    plan.run(&Dataset::open(dataset()).unwrap(), &run, false, &mut Silent).unwrap();
    let facts = read_run(&run.join("run.toml")).unwrap();
    assert_eq!(
        (facts.data.size, facts.data.samples),
        (24, 18),
        "half of the four of each class that are not held out"
    );
    let fresh = Settings { fresh_pairings: true, ..plan.settings.clone() };
    let plan = Plan { settings: fresh, ..plan };
    let refused = plan.run(&Dataset::open(dataset()).unwrap(), &dir.path().join("no"), false, &mut Silent);
    assert!(refused.unwrap_err().to_string().contains("new backgrounds every epoch"));
    let mut command = train(&dir.path().join("short"));
    finish(command.args(["--epochs", "40", "--scale", "0.05"]));
    let facts = read_run(&dir.path().join("short/run.toml")).unwrap();
    assert_eq!(facts.training.epochs, 2);
}
