//! Building as a whole, on small toy worlds: pieces, interruptions, faults, the independent reader.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::contents;
use in9_base::Piece;
use in9_data::{
    BuildConfig, BuildReport, Dataset, Error, Limits, Loader, LoaderConfig, MaskSource, PairingMode,
    PairingPolicy, Profile, SourceKind, Taxonomy, View, build, merge, verify,
};

fn world(dir: &Path) -> PathBuf {
    common::world(dir, 5, 3)
}

fn config(root: &Path, out: &Path) -> BuildConfig {
    let mut config = BuildConfig::new(SourceKind::Toy, root, out);
    (config.size, config.holdout, config.masks) = (32, 0.2, MaskSource::Exact);
    config
}

fn make(config: &BuildConfig) -> in9_data::Result<BuildReport> {
    build(config, &|_| ())
}

#[test]
fn any_number_of_pieces_and_threads_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    let whole = dir.path().join("whole");
    let report = make(&config(&root, &whole)).unwrap();
    assert!(report.samples.iter().map(|(_, n)| n).sum::<u64>() > 40, "{report:?}");
    let expected = contents(&whole);
    for n in [1u32, 3, 7] {
        let pieces: Vec<PathBuf> = (1..=n).map(|i| dir.path().join(format!("piece-{i}-of-{n}"))).collect();
        for (i, piece) in (1..).zip(&pieces) {
            make(&BuildConfig { piece: Some(Piece::new(i, n).unwrap()), ..config(&root, piece) }).unwrap();
        }
        let out = dir.path().join(format!("merged-{n}"));
        // Order of the pieces does not matter.
        let reversed: Vec<PathBuf> = pieces.iter().rev().cloned().collect();
        assert_eq!(merge(&reversed, &out, &|_| ()).unwrap(), report);
        assert!(contents(&out) == expected, "{n} pieces");
        if n == 3 {
            let refused =
                |pieces: &[PathBuf]| merge(pieces, &dir.path().join("no"), &|_| ()).unwrap_err().to_string();
            assert!(refused(&pieces[..2]).contains("a piece is missing"));
            assert!(refused(&[pieces.clone(), pieces[..1].to_vec()].concat()).contains("given twice"));
            let other = dir.path().join("other");
            make(&BuildConfig { piece: Some(Piece::new(3, 3).unwrap()), seed: 9, ..config(&root, &other) })
                .unwrap();
            assert!(refused(&[pieces[0].clone(), pieces[1].clone(), other]).contains("another build"));
            assert!(!dir.path().join("no").exists());
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let single = dir.path().join("single");
    pool.install(|| make(&config(&root, &single))).unwrap();
    assert!(contents(&single) == expected, "one thread");
    verify(&whole, &Limits::default(), &|_, _| ()).unwrap();
}

#[test]
fn a_killed_build_goes_on_and_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    let command = |out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_in9-data"));
        command.args(["build", "--source", "toy", "--size", "64", "--holdout", "0.2", "--quiet", "--root"]);
        command.arg(&root).arg("--out").arg(out);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command
    };
    let whole = dir.path().join("whole");
    let begun = Instant::now();
    assert!(command(&whole).status().unwrap().success());
    let span = begun.elapsed();
    let expected = contents(&whole);
    let mut kills = 0;
    // Twenty moments spread over the build by the golden ratio, each followed by one run to the end.
    for moment in 1..=20u32 {
        let out = dir.path().join(format!("killed-{moment}"));
        let mut child = command(&out).spawn().unwrap();
        std::thread::sleep(span.mul_f64((f64::from(moment) * 0.618).fract()).max(Duration::from_millis(2)));
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
        // Also when the kill came after the dataset was in place, with or without the clearing up.
        assert!(command(&out).status().unwrap().success(), "after kill {moment}");
        assert!(contents(&out) == expected, "kill {moment}");
        assert!(!dir.path().join(format!("killed-{moment}.building")).exists());
    }
    assert!(kills > 0, "no run was long enough to be killed");
    // And twenty kills of one build, which gets on between them.
    let out = dir.path().join("killed");
    for moment in 1..=20u32 {
        let mut child = command(&out).spawn().unwrap();
        std::thread::sleep(span.mul_f64((f64::from(moment) * 0.618).fract() / 4.0));
        child.kill().unwrap();
        child.wait().unwrap();
        if out.exists() {
            break;
        }
    }
    if !out.exists() {
        assert!(command(&out).status().unwrap().success());
    }
    assert!(contents(&out) == expected);
    // A clearing up that was killed after it had removed the lock.
    let left = dir.path().join("killed.building");
    std::fs::create_dir_all(left.join("rest")).unwrap();
    assert!(command(&out).status().unwrap().success());
    assert!(!left.exists() && contents(&out) == expected);
}

#[cfg(unix)]
#[test]
fn pieces_by_the_program_are_resumed_and_merge_to_the_same_bytes() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    let run = |arguments: &[&str], paths: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_in9-data"));
        let output = command.args(arguments).args(paths).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let flags =
        ["--quiet", "build", "--source", "toy", "--masks", "exact", "--size", "32", "--holdout", "0.2"];
    let build = |out: &Path, more: &[&str]| {
        let out = out.to_str().unwrap();
        run(&[&flags[..], more, &["--out", out, "--root"]].concat(), &[&root]);
    };
    let whole = dir.path().join("whole");
    build(&whole, &[]);
    let expected = contents(&whole);
    for n in [1, 3, 7] {
        let pieces: Vec<PathBuf> = (1..=n).map(|i| dir.path().join(format!("{i}-of-{n}"))).collect();
        for (i, piece) in (1..).zip(&pieces) {
            build(piece, &["--shard", &format!("{i}/{n}")]);
        }
        if n == 3 {
            // A chunk is lost: the same command makes it again and leaves the others alone.
            let chunks: Vec<PathBuf> =
                contents(&pieces[0]).into_keys().filter(|path| path.starts_with("chunks")).collect();
            assert!(chunks.len() > 1, "{chunks:?}");
            let inode = |chunk: &PathBuf| std::fs::metadata(pieces[0].join(chunk)).unwrap().ino();
            let (kept, before) = (inode(&chunks[1]), contents(&pieces[0]));
            std::fs::remove_file(pieces[0].join(&chunks[0])).unwrap();
            build(&pieces[0], &["--shard", "1/3"]);
            assert_eq!(inode(&chunks[1]), kept);
            assert!(contents(&pieces[0]) == before);
        }
        let out = dir.path().join(format!("merged-{n}"));
        let pieces: Vec<&Path> = pieces.iter().map(PathBuf::as_path).collect();
        run(&["--quiet", "merge", "--out", out.to_str().unwrap()], &pieces);
        assert!(contents(&out) == expected, "{n} pieces");
    }
}

#[test]
fn a_complete_dataset_is_left_alone_and_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    let out = dir.path().join("out");
    let first = make(&config(&root, &out)).unwrap();
    assert!(!first.already_complete);
    let before = contents(&out);
    // A kill between moving the dataset into place and clearing up.
    std::fs::create_dir_all(dir.path().join("out.building/chunks")).unwrap();
    let again = make(&config(&root, &out)).unwrap();
    assert_eq!((&again.samples, &again.rejected), (&first.samples, &first.rejected));
    assert!(again.already_complete && contents(&out) == before);
    assert!(!dir.path().join("out.building").exists());
    let pieces: Vec<PathBuf> = (1..=2).map(|i| dir.path().join(format!("piece-{i}"))).collect();
    for (i, piece) in (1..).zip(&pieces) {
        make(&BuildConfig { piece: Some(Piece::new(i, 2).unwrap()), ..config(&root, piece) }).unwrap();
    }
    assert!(merge(&pieces, &out, &|_| ()).unwrap().already_complete);
    // Other settings, other classes, other photographs.
    let refused = |config: &BuildConfig| match make(config) {
        Err(Error::OtherBuild { what, .. }) => what,
        other => panic!("{other:?}"),
    };
    assert!(refused(&BuildConfig { seed: 9, ..config(&root, &out) }).contains("settings"));
    let fewer = BuildConfig { fine_per_class: Some(2), ..config(&root, &out) };
    assert!(refused(&fewer).contains("settings"));
    let mut classes = Taxonomy::named("toy").unwrap();
    classes.classes.swap(0, 1);
    assert!(refused(&BuildConfig { taxonomy: Some(classes), ..config(&root, &out) }).contains("classes"));
    let photos = root.join("ILSVRC/Data/CLS-LOC/val");
    std::fs::remove_file(photos.join("ILSVRC2012_val_00000001.JPEG")).unwrap();
    assert!(refused(&config(&root, &out)).contains("photographs"));
    assert!(contents(&out) == before);
}

#[test]
fn what_is_not_ours_is_neither_replaced_nor_removed() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    for place in ["out", "out.building", "out.building/dataset", "out.building/chunks"] {
        let _ = std::fs::remove_dir_all(dir.path().join("out"));
        let _ = std::fs::remove_dir_all(dir.path().join("out.building"));
        let thesis = dir.path().join(place).join("thesis.tex");
        std::fs::create_dir_all(thesis.parent().unwrap()).unwrap();
        std::fs::write(&thesis, "precious").unwrap();
        let error = make(&config(&root, &dir.path().join("out"))).unwrap_err();
        assert!(matches!(error, Error::Files(in9_base::Error::NotOurs { .. })), "{place}: {error}");
        assert_eq!(std::fs::read_to_string(&thesis).unwrap(), "precious");
    }
}

#[test]
fn damaged_inputs_cost_one_line_each_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    let data = root.join("ILSVRC/Data/CLS-LOC/train");
    let xml = root.join("ILSVRC/Annotations/CLS-LOC/train");
    let clean = dir.path().join("clean");
    make(&config(&root, &clean)).unwrap();
    // Three accepted photographs of different fine labels.
    let dataset = Dataset::open(&clean).unwrap();
    let split = dataset.split("train").unwrap();
    let ids: Vec<(String, String)> =
        (0..3).map(|i| split.sample(i * 12)).map(|s| (s.fine.clone(), s.id.clone())).collect();
    let photo = |at: usize| data.join(&ids[at].0).join(format!("{}.JPEG", ids[at].1));
    let note = |at: usize| xml.join(&ids[at].0).join(format!("{}.xml", ids[at].1));
    let whole = std::fs::read(photo(0)).unwrap();
    std::fs::write(photo(0), &whole[..whole.len() / 2]).unwrap();
    let outside = std::fs::read_to_string(note(1)).unwrap();
    let at = outside.find("<xmax>").unwrap() + 6;
    std::fs::write(note(1), format!("{}9{}", &outside[..at], &outside[at..])).unwrap();
    std::fs::write(note(2), "<annotation><object>").unwrap();
    let out = dir.path().join("out");
    let report = make(&config(&root, &out)).unwrap();
    for (at, rule) in [(0, "unreadable"), (1, "box-outside"), (2, "bad-annotation")] {
        let line = report.faults.iter().find(|line| line.contains(&ids[at].1)).unwrap();
        assert!(line.contains(rule) && line.lines().count() == 1, "{line}");
    }
    assert_eq!(report.faults.len(), 3);
    let samples = |path: &Path| verify(path, &Limits::default(), &|_, _| ()).unwrap().samples;
    assert_eq!(samples(&out), samples(&clean) - 3);

    // An empty class: named, the rest kept.
    for entry in std::fs::read_dir(&data).unwrap() {
        let folder = entry.unwrap().path();
        if folder.file_name().unwrap().to_string_lossy().starts_with("n9000000") {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
    let out = dir.path().join("empty");
    let report = make(&config(&root, &out)).unwrap();
    assert!(
        report.faults.iter().any(|line| line.contains("split train: class") && line.contains("is empty"))
    );
    assert!(samples(&out) > 0);
    let error = make(&config(&root, Path::new("/proc/no/such"))).unwrap_err().to_string();
    assert!(error.starts_with("/proc/no/such.building") && error.lines().count() == 1, "{error}");
}

#[test]
fn both_profiles_load_every_view_the_same_in_any_arrangement() {
    let dir = tempfile::tempdir().unwrap();
    let root = world(dir.path());
    for profile in [Profile::Clean, Profile::Paper] {
        let out = dir.path().join(profile.to_string());
        make(&BuildConfig { profile, ..config(&root, &out) }).unwrap();
        let dataset = Dataset::open(&out).unwrap();
        let split = dataset.split("train").unwrap();
        for view in View::ALL {
            let images = |prefetch: usize, batch_size: usize, first: usize| {
                let pairing = PairingMode::Fresh(PairingPolicy::default());
                let base = LoaderConfig { view, prefetch, batch_size, pairing, ..LoaderConfig::default() };
                let config = LoaderConfig {
                    shuffle: true,
                    augment: in9_data::Augment::ShiftFlip { pixels: 3 },
                    ..base
                };
                let loader = Loader::new(&dataset, &split, config).unwrap();
                let batches = loader.epoch_from(2, first).unwrap().map(|batch| batch.unwrap().images.clone());
                batches.collect::<Vec<_>>().concat()
            };
            let expected = images(0, 7, 0);
            assert_eq!(expected.len(), split.len() * 32 * 32 * 3);
            assert!(images(4, 7, 0) == expected && images(3, 5, 0) == expected, "{view}");
            assert!(images(2, 7, 2) == expected[2 * 7 * 32 * 32 * 3..], "{view} resumed");
        }
    }
}

#[test]
fn an_independent_reader_agrees() {
    let Some(python) = common::python("numpy") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    make(&config(&world(dir.path()), &out)).unwrap();
    let dataset = Dataset::open(&out).unwrap();
    let split = dataset.split("test").unwrap();
    let run = Command::new(&python)
        .arg(common::oracle("data_reader.py"))
        .arg(out.join("shards/test-00000.in9"))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let lines: Vec<serde_json::Value> = String::from_utf8(run.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), split.len());
    for (index, line) in lines.iter().enumerate() {
        let (sample, layers) = (split.sample(index), split.layers(index).unwrap());
        let sum = |bytes: &[u8]| bytes.iter().map(|&b| u64::from(b)).sum::<u64>();
        assert_eq!(line["id"], sample.id.as_str());
        assert_eq!(line["crop_box"], serde_json::json!(sample.crop_box));
        assert_eq!(line["photo"], sum(layers.photo));
        assert_eq!(line["tiled"], sum(layers.tiled));
        assert_eq!(line["mask"], layers.mask.area());
    }
}
