//! Inputs that are not ours to replace, that never end, or that hold no numbers.

use super::{inputs, section};
use in9_report::{Error, make};
use std::fs;
use std::path::Path;

#[test]
fn a_report_never_replaces_its_inputs_or_what_others_made() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    match make(&spec, dir.path()) {
        Err(Error::File(in9_base::Error::InputInside { .. })) => {}
        other => panic!("{other:?}"),
    }
    for name in ["report.toml", "test.csv", "still.csv", "run/log.csv"] {
        assert!(dir.path().join(name).is_file(), "{name}");
    }
    for name in ["notes.csv", "index.html", "data.json", "settings.toml", "weights.bin"] {
        let folder = dir.path().join(format!("foreign-{name}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(name), "precious").unwrap();
        match make(&spec, &folder) {
            Err(Error::File(in9_base::Error::NotOurs { path, .. })) => assert_eq!(path, folder.join(name)),
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "precious");
    }
    // An earlier report is replaced, unless something strange has come to stand in it.
    let out = dir.path().join("report");
    make(&spec, &out).unwrap();
    make(&spec, &out).unwrap();
    fs::write(out.join("thesis.csv"), "precious").unwrap();
    assert!(make(&spec, &out).is_err());
    assert_eq!(fs::read_to_string(out.join("thesis.csv")).unwrap(), "precious");
}

#[test]
fn losses_beyond_any_scale_and_broken_logs_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let log = dir.path().join("run/log.csv");
    fs::write(&log, "epoch,train_loss,train_accuracy\n0,-1e308,1e308\n1,1e308,-1e308\n1e308,inf,NaN\n")
        .unwrap();
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    let summary = make(&spec, &out).unwrap();
    assert!(summary.skipped.iter().all(|line| !line.contains("log")), "{:?}", summary.skipped);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    let training = section(&page, "training");
    assert!(!training.contains("NaN") && !training.contains("=\"inf"), "{training}");
    // One that is no table is left out and named, and the report is made.
    fs::write(&log, "epoch,train_loss\n0\n").unwrap();
    let summary = make(&spec, &out).unwrap();
    assert!(
        summary.skipped.iter().any(|line| line.starts_with("log of run run: ") && line.contains("line 2"))
    );
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_among_the_inputs_hang_nothing() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let pipe = |name: &str| {
        let path = dir.path().join(name);
        let _ = fs::remove_file(&path);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    // What can be done without is left out and named.
    for name in ["run/log.csv", "run/run.toml"] {
        pipe(name);
    }
    let summary = make(&spec, &out).unwrap();
    assert_eq!(
        summary.skipped.iter().filter(|line| line.contains("a pipe")).count(),
        2,
        "{:?}",
        summary.skipped
    );
    let piped = pipe("test.csv");
    match make(&spec, &out) {
        Err(Error::Analysis(in9_analysis::Error::File(in9_base::Error::NotAFile { path, .. }))) => {
            assert_eq!(path, piped)
        }
        other => panic!("{other:?}"),
    }
    for path in [pipe("list.toml").as_path(), Path::new("/dev/zero")] {
        assert!(matches!(make(path, &out), Err(Error::File(in9_base::Error::NotAFile { .. }))));
    }
}
