//! The training loop: learning, determinism, interruption, refusals.

mod common;

use std::fs;
use std::path::Path;

use common::{Noise, model, run_file, settings};
use in9_models::train::{
    Attack, Batch, Batches, EpochReport, GroupDro, Norm, Observer, RunFile, Settings, Silent, Summary,
    TrainedGroup, Training,
};
use in9_models::{Error, Mode, Model};

fn train(dir: &Path, settings: &Settings, data: &Noise, resume: bool) -> Result<Summary, Error> {
    let val = Noise::new(1, 9);
    Training { model: &model(), train: data, val: Some(&val), run: &run_file(settings.clone()), dir, resume }
        .run(&mut Silent)
}

/// The files of a run that must be the same bytes for equal runs.
fn bytes(dir: &Path) -> Vec<Vec<u8>> {
    ["model.safetensors", "checkpoint.safetensors", "log.csv", "run.toml"]
        .iter()
        .map(|name| fs::read(dir.join(name)).unwrap())
        .collect()
}

#[test]
fn learns_three_colours() {
    struct Last(Option<EpochReport>);
    impl Observer for Last {
        fn epoch(&mut self, report: &EpochReport) {
            self.0 = Some(*report);
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let mut last = Last(None);
    let settings = Settings { epochs: 4, ..settings() };
    let (data, val) = (Noise::new(6, 12), Noise::new(2, 12));
    let training = Training {
        model: &model(),
        train: &data,
        val: Some(&val),
        run: &run_file(settings),
        dir: dir.path(),
        resume: false,
    };
    training.run(&mut last).unwrap();
    let val = last.0.unwrap().val.unwrap();
    assert_eq!(val.pictures, 24);
    assert!(val.accuracy > 0.9, "{val:?}");
}

#[test]
fn a_run_cut_anywhere_ends_with_the_same_bytes() {
    let whole = tempfile::tempdir().unwrap();
    let settings = Settings { accumulate: 2, checkpoint_every: 1, ..settings() };
    train(whole.path(), &settings, &Noise::new(5, 6), false).unwrap();
    let expected = bytes(whole.path());
    for cut in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let data = Noise::new(5, 6);
        data.fails_at.set(Some(cut));
        train(dir.path(), &settings, &data, false).unwrap_err();
        data.fails_at.set(None);
        train(dir.path(), &settings, &data, true).unwrap();
        assert!(bytes(dir.path()) == expected, "cut at batch {cut}");
    }
    // Resuming a complete run changes nothing.
    train(whole.path(), &settings, &Noise::new(5, 6), true).unwrap();
    assert!(bytes(whole.path()) == expected);
}

/// Group DRO of two groups, with a step that shows.
fn group_dro() -> Option<GroupDro> {
    let group = |name: &str| TrainedGroup { class: "c".into(), name: name.into(), samples: 15 };
    let group = ["even", "odd"].map(group).to_vec();
    Some(GroupDro { step_size: 0.5, adjustment: 1.0, group, ..GroupDro::new() })
}

#[test]
fn group_dro_ends_with_the_same_bytes_wherever_it_was_cut_and_on_any_threads() {
    let noise = || Noise { grouped: true, ..Noise::new(4, 6) };
    let settings = Settings { group_dro: group_dro(), accumulate: 2, checkpoint_every: 1, ..settings() };
    let whole = tempfile::tempdir().unwrap();
    train(whole.path(), &settings, &noise(), false).unwrap();
    let expected = bytes(whole.path());
    for cut in [1, 3, 6] {
        let (dir, data) = (tempfile::tempdir().unwrap(), noise());
        data.fails_at.set(Some(cut));
        train(dir.path(), &settings, &data, false).unwrap_err();
        data.fails_at.set(None);
        train(dir.path(), &settings, &data, true).unwrap();
        assert!(bytes(dir.path()) == expected, "cut at batch {cut}");
    }
    let dir = tempfile::tempdir().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| train(dir.path(), &settings, &noise(), false).map(|_| ())).unwrap();
    assert!(bytes(dir.path()) == expected);
    // A step of nearly nothing trains otherwise, and so does no group DRO.
    for group_dro in [None, group_dro().map(|dro| GroupDro { step_size: 1e-9, ..dro })] {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { group_dro, ..settings.clone() };
        train(dir.path(), &settings, &noise(), false).unwrap();
        assert!(bytes(dir.path())[0] != expected[0]);
    }
    // Batches that do not say their groups cannot be weighed.
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(train(dir.path(), &settings, &Noise::new(4, 6), false), Err(Error::Shape { .. })));
}

#[test]
fn one_group_is_the_mean_loss() {
    let [plain, grouped] = [None, group_dro()].map(|dro| {
        let one = dro.map(|dro| GroupDro { group: dro.group[..1].to_vec(), ..dro });
        let (dir, data) =
            (tempfile::tempdir().unwrap(), Noise { one_group: true, grouped: true, ..Noise::new(4, 6) });
        train(dir.path(), &Settings { group_dro: one, epochs: 1, ..settings() }, &data, false).unwrap();
        fs::read_to_string(dir.path().join("log.csv")).unwrap()
    });
    let loss = |log: &str| -> f64 { log.lines().nth(1).unwrap().split(',').nth(3).unwrap().parse().unwrap() };
    assert!((loss(&plain) - loss(&grouped)).abs() < 1e-4, "{plain}{grouped}");
}

#[test]
fn threads_change_no_byte() {
    let run = |threads: usize, attack: Option<Attack>| {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { attack, ..settings() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(dir.path(), &settings, &Noise::new(3, 6), false).map(|_| ())).unwrap();
        bytes(dir.path())
    };
    let attack = Some(Attack::new(Norm::L2, 0.5, 2));
    assert!(run(1, None) == run(3, None));
    assert!(run(1, attack) == run(3, attack));
    assert!(run(1, attack)[0] != run(1, None)[0]);
}

#[test]
fn accumulated_batches_average_like_their_loss() {
    // Two batches a step must not equal one batch a step, but take as many steps as half of them.
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { accumulate: 2, ..settings() };
    let summary = train(dir.path(), &settings, &Noise::new(5, 6), false).unwrap();
    assert_eq!(summary.steps, 6);
}

#[test]
fn divergence_names_the_step_and_the_checkpoint() {
    let mut data = Noise::new(3, 6);
    data.value = f32::NAN;
    let dir = tempfile::tempdir().unwrap();
    let error = train(dir.path(), &settings(), &data, false).unwrap_err();
    assert!(matches!(error, Error::Diverged { checkpoint: None, .. }), "{error}");
    assert!(!dir.path().join("model.safetensors").exists());

    let settings = Settings { epochs: 30, lr: 1e18, warmup: 0.5, ..settings() };
    let third = tempfile::tempdir().unwrap();
    let error = train(third.path(), &settings, &Noise::new(3, 6), false).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Diverged { .. }), "{text}");
    assert!(text.contains("step") && !text.contains("--"), "{text}");
}

#[test]
fn the_checkpoint_that_divergence_names_is_good() {
    let settings = Settings { checkpoint_every: 2, ..settings() };
    let whole = tempfile::tempdir().unwrap();
    train(whole.path(), &settings, &Noise::new(5, 6), false).unwrap();
    // Batch 8 of the run: the fourth of the second epoch, after a checkpoint.
    let dir = tempfile::tempdir().unwrap();
    let data = Noise::new(5, 6);
    data.nan_at.set(Some(8));
    let error = train(dir.path(), &settings, &data, false).unwrap_err();
    let text = error.to_string();
    let Error::Diverged { step, epoch, checkpoint: Some(checkpoint), .. } = error else { panic!("{text}") };
    assert_eq!((step, epoch), (8, 1));
    assert!(text.contains("step 8") && text.contains("checkpoint.safetensors"), "{text}");
    assert_eq!(checkpoint, dir.path().join("checkpoint.safetensors"));
    // From there the run ends as one that never met the bad batch.
    data.nan_at.set(None);
    train(dir.path(), &settings, &data, true).unwrap();
    assert!(bytes(dir.path()) == bytes(whole.path()));
}

#[test]
fn folders_of_other_runs_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = Noise::new(2, 6);
    train(dir.path(), &settings(), &data, false).unwrap();
    let before = bytes(dir.path());
    let again = train(dir.path(), &settings(), &data, false).unwrap_err();
    assert!(matches!(&again, Error::RunExists(path) if path == dir.path()), "{again}");
    let other = Settings { lr: 0.5, ..settings() };
    let error = train(dir.path(), &other, &data, true).unwrap_err();
    let Error::OtherRun { difference, .. } = &error else { panic!("{error}") };
    assert!(difference.contains("lr = 0.02") && difference.contains("lr = 0.5"), "{error}");
    assert!(bytes(dir.path()) == before);
}

#[test]
fn files_of_others_are_never_replaced() {
    // A log that somebody else keeps, where a training would write its own.
    for name in ["log.csv", "model.safetensors", "thesis.tex"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), "precious").unwrap();
        for resume in [false, true] {
            let error = train(dir.path(), &settings(), &Noise::new(2, 6), resume).unwrap_err();
            assert!(matches!(&error, Error::Base(in9_base::Error::NotOurs { .. })), "{error}");
        }
        assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "precious");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else was written");
    }
}

#[test]
fn two_trainings_never_write_to_one_folder() {
    /// Starts the same training in the same folder while it runs itself.
    struct Rival<'a> {
        dir: &'a Path,
        refused: u32,
    }
    impl Observer for Rival<'_> {
        fn epoch(&mut self, _: &EpochReport) {
            for (lr, resume) in [(0.02, true), (0.5, true), (0.02, false)] {
                let other = Settings { lr, ..settings() };
                let error = train(self.dir, &other, &Noise::new(2, 6), resume).unwrap_err();
                assert!(matches!(&error, Error::Base(in9_base::Error::Locked { .. })), "{error}");
                self.refused += 1;
            }
        }
    }
    let (dir, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut rival = Rival { dir: dir.path(), refused: 0 };
    let (data, val, run) = (Noise::new(2, 6), Noise::new(1, 9), run_file(settings()));
    let model = model();
    Training { model: &model, train: &data, val: Some(&val), run: &run, dir: dir.path(), resume: false }
        .run(&mut rival)
        .unwrap();
    assert_eq!(rival.refused, 6);
    train(alone.path(), &settings(), &Noise::new(2, 6), false).unwrap();
    assert!(bytes(dir.path()) == bytes(alone.path()));
}

#[test]
fn what_a_killed_run_left_goes_at_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let data = Noise::new(2, 6);
    data.fails_at.set(Some(3));
    train(dir.path(), &settings(), &data, false).unwrap_err();
    data.fails_at.set(None);
    let left = dir.path().join(".in9-killed.partial");
    fs::write(&left, "half a checkpoint").unwrap();
    train(dir.path(), &settings(), &data, true).unwrap();
    assert!(!left.exists());
}

#[test]
fn damaged_checkpoints_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let data = Noise::new(2, 6);
    train(dir.path(), &settings(), &data, false).unwrap();
    let path = dir.path().join("checkpoint.safetensors");
    let whole = fs::read(&path).unwrap();
    for cut in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        let error = train(dir.path(), &settings(), &data, true).unwrap_err().to_string();
        assert!(error.contains("checkpoint.safetensors"), "{error}");
    }
    // A single bit, wherever it is: refused, or what is read is the same.
    let expected = bytes(dir.path());
    for i in 0..40 {
        let mut damaged = whole.clone();
        damaged[i * whole.len() / 40 + 11] ^= 1 << (i % 8);
        fs::write(&path, &damaged).unwrap();
        let error = train(dir.path(), &settings(), &data, true).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("checkpoint.safetensors"), "{error}");
        assert!(bytes(dir.path())[0] == expected[0], "the model was written");
    }
    fs::copy(dir.path().join("model.safetensors"), &path).unwrap();
    let error = train(dir.path(), &settings(), &data, true).unwrap_err().to_string();
    assert!(error.contains("not a checkpoint"), "{error}");
}

#[test]
fn an_adversarial_training_resists_where_a_plain_one_does_not() {
    // The classes differ by one channel's level, so a perturbation of each pixel can move it far.
    let attack = Attack::new(Norm::Linf, 0.2, 3);
    let trained = |attack: Option<Attack>| {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings { epochs: 4, attack, ..settings() };
        let model = model();
        let (data, run) = (Noise::new(6, 12), run_file(settings));
        Training { model: &model, train: &data, val: None, run: &run, dir: dir.path(), resume: false }
            .run(&mut Silent)
            .unwrap();
        let batch = Noise::new(1, 24).epoch(9, 0).unwrap().next().unwrap().unwrap();
        let seen = attack_of(&model, &batch, &run);
        let logits = model.forward(&seen, Mode::Eval).unwrap();
        let loss = in9_kernels::cross_entropy(&logits, &batch.labels, 0.0).unwrap();
        f64::from(loss.to_scalar::<f32>().unwrap())
    };
    fn attack_of(model: &Model, batch: &Batch, run: &RunFile) -> candle_core::Tensor {
        let attack = Attack::new(Norm::Linf, 0.2, 3);
        attack.perturb(model, &batch.images, &batch.labels, 0.0, run.data.normalization()).unwrap()
    }
    let (hardened, plain) = (trained(Some(attack)), trained(None));
    assert!(hardened < 0.8 * plain, "{hardened} against {plain}");
}
