//! `cargo xtask reproduce`, through the built programs, on a recipe of seconds.

use std::path::Path;
use std::process::Command;

use in9_tests::{contents, expect, program, programs, root};

fn reproduce(out: &Path, more: &[&str]) -> Command {
    let mut command = program("xtask");
    command.args(["reproduce", "--recipe"]).arg(root().join("tests/smoke.toml"));
    command.arg("--programs").arg(programs()).arg("--out").arg(out).args(more);
    command
}

fn status(out: &Path) -> Vec<(String, String)> {
    let mut command = program("xtask");
    command.args(["status", "--recipe"]).arg(root().join("tests/smoke.toml"));
    command.arg("--programs").arg(programs()).arg("--out").arg(out);
    let (stdout, _) = expect(&mut command, 0);
    let line = |line: &str| {
        let (word, rest) = line.split_at(7);
        (word.trim().to_owned(), rest.split_whitespace().next().unwrap().to_owned())
    };
    stdout.lines().map(line).collect()
}

/// Everything that a run leaves, but for stamps and logs (which hold times and paths) and event files.
fn results(out: &Path) -> Vec<(String, Vec<u8>)> {
    let named = contents(out).into_iter().map(|(path, bytes)| (path.to_string_lossy().into_owned(), bytes));
    named
        .filter(|(name, _)| {
            !name.starts_with(".stages") && !name.starts_with("logs") && !name.contains("tfevents")
        })
        .collect()
}

#[test]
fn a_recipe_runs_to_its_report_and_is_the_same_bytes_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));

    // Nothing runs on a dry run.
    let (planned, _) = expect(&mut reproduce(&one, &["--dry-run"]), 0);
    assert_eq!(planned.matches("in9 train").count(), 3, "{planned}");
    assert!(!one.exists());

    let (printed, said) = expect(&mut reproduce(&one, &["--jobs", "2"]), 0);
    let report = one.join("report/index.html");
    assert!(printed.contains("report/index.html"), "{printed}");
    assert!(said.contains("16 stages ran, 0 were done already"), "{said}");
    let last = said.lines().last().unwrap_or("");
    assert!(last.ends_with(&format!("--package in9 -- serve {}", one.display())), "{said}");
    let html = std::fs::read_to_string(&report).unwrap();
    assert!(
        html.contains("<a data-see=\"photograph?set=world%2Ftest&#38;id="),
        "photographs lead to the explorer"
    );
    assert!(html.contains("BG-gap") && !html.contains("http-equiv=\"refresh\""));
    for external in ["src=\"http", "href=\"http://", "@import", "<script src"] {
        assert!(!html.contains(external), "the report must be self-contained: {external}");
    }
    let scores: serde_json::Value =
        serde_json::from_slice(&std::fs::read(one.join("report/results.json")).unwrap()).unwrap();
    assert!(scores.is_object());

    // The second time everything is there.
    let (_, said) = expect(&mut reproduce(&one, &[]), 0);
    assert!(said.contains("0 stages ran, 16 were done already"), "{said}");
    assert!(status(&one).iter().all(|(word, _)| word == "done"));

    // A lost output is made again, to the same bytes, and what reads it is left alone.
    std::fs::remove_dir_all(one.join("data/world")).unwrap();
    let (_, said) = expect(&mut reproduce(&one, &[]), 0);
    assert!(said.contains("1 stages ran, 15 were done already"), "{said}");

    // One core, another folder: the same bytes.
    expect(&mut reproduce(&two, &["--jobs", "1"]), 0);
    let (one, two) = (results(&one), results(&two));
    let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&one), names(&two));
    for ((name, a), (_, b)) in one.iter().zip(&two) {
        assert!(a == b, "{name} differs between two runs");
    }
}

#[test]
fn stages_are_selected_and_mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (_, said) = expect(&mut reproduce(&out, &["--only", "train"]), 1);
    assert!(said.contains("needs build/world, which is not done"), "{said}");
    let (_, said) = expect(&mut reproduce(&out, &["--only", "nonsense"]), 1);
    assert!(said.contains("no stage is called nonsense"), "{said}");
    let (_, said) = expect(&mut reproduce(&out, &["--only", "render"]), 0);
    assert!(said.contains("1 stages ran"), "{said}");
    let states = status(&out);
    assert_eq!(states[0], ("done".to_owned(), "render/world".to_owned()));
    assert_eq!(states[1], ("to do".to_owned(), "build/world".to_owned()));
    assert_eq!(states[2].0, "waits");
    let (_, said) = expect(&mut reproduce(&out, &["--from", "render", "--only", "render"]), 2);
    assert!(said.contains("cannot be used with"), "{said}");

    let (_, said) = expect(program("xtask").args(["reproduce", "--recipe", "no-such"]), 1);
    assert!(said.contains("no such recipe") && said.contains("tiny-imagenet"), "{said}");
    let (_, said) = expect(&mut reproduce(&out, &["--model", "resnet50=imagenet1k-v1"]), 1);
    assert!(said.contains("classes of ImageNet"), "{said}");
    let (_, said) = expect(program("xtask").args(["reproduce", "--recipe", "tiny-imagenet"]), 1);
    assert!(said.contains("needs --data"), "{said}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (_, said) = expect(&mut reproduce(&file.join("below"), &[]), 1);
    assert!(said.contains("name a folder that is writable with --out"), "{said}");
}

/// A stage that fails stops what depends on it and nothing else, and what is done is kept.
#[cfg(unix)]
#[test]
fn a_failure_is_contained() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (out, broken) = (folder.path().join("out"), folder.path().join("programs"));
    std::fs::create_dir(&broken).unwrap();
    let script = broken.join("in9");
    let real = programs().join("in9");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in train*mixed-rand*) echo 'error: no luck today' >&2; exit 1;; esac\nexec '{}' \"$@\"\n",
        real.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = program("xtask");
    command.args(["reproduce", "--recipe"]).arg(root().join("tests/smoke.toml"));
    command.arg("--programs").arg(&broken).arg("--out").arg(&out);
    let (_, said) = expect(&mut command, 1);
    assert!(said.contains("no luck today"), "{said}");
    assert!(said.contains("what is done is kept"), "{said}");
    // Rendered, built, trained (twice), predicted (twice) and probed on original; the other network's and what reads both are not.
    assert!(said.contains("9 stages ran, 0 were done already, 1 failed, 6 could not run"), "{said}");
}

/// Whoever reads the list has seen enough; that once was a panic.
#[test]
fn a_closed_pipe_is_no_failure() {
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    let mut status = program("xtask");
    status.args(["status", "--recipe"]).arg(root().join("tests/smoke.toml"));
    status.arg("--programs").arg(programs()).arg("--out").arg(folder.path().join("out"));
    for mut command in [status, reproduce(&folder.path().join("out"), &["--dry-run"])] {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// Each of these once deleted or wrote outside of its output, or was found after the datasets had been built.
#[test]
fn a_recipe_is_checked_whole_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let smoke = std::fs::read_to_string(root().join("tests/smoke.toml")).unwrap();
    std::fs::create_dir(folder.path().join("victim")).unwrap();
    std::fs::write(folder.path().join("victim/precious"), "").unwrap();
    for (from, to, said) in [
        ("kind = \"saliency\"", "kind = \"../../victim\"", "unknown variant"),
        ("name = \"world\"", "name = \"..\"", "cannot be a name"),
        ("arch = \"resnet-tiny\"", "arch = \"../../victim\"", "cannot be a name"),
        ("[\"original\"]", "[\"../../victim\"]", "cannot be a name"),
        ("arch = \"resnet-tiny\"", "arch = \"resnet-tinny\"", "resnet-tinny"),
        ("epochs = 1", "epoch = 1", "--epoch"),
        ("samples = 2", "sample = 2", "--sample"),
        ("epochs = 1", "epochs = \"many\"", "many"),
        ("exhaustive = true", "exhaustively = true", "--exhaustively"),
        ("train-per-class = 8", "train-per-class = -8", "--train-per-class"),
    ] {
        let recipe = folder.path().join("recipe.toml");
        let text = smoke.replace(from, to);
        assert_ne!(text, smoke, "{from}");
        std::fs::write(&recipe, text).unwrap();
        let out = folder.path().join("o");
        let mut command = program("xtask");
        command.args(["reproduce", "--recipe"]).arg(&recipe);
        command.arg("--programs").arg(programs()).arg("--out").arg(&out);
        let (_, heard) = expect(&mut command, 1);
        assert!(heard.contains(said), "{to}: {heard}");
        assert!(!out.join("photos").exists(), "{to}: something ran");
        assert!(folder.path().join("victim/precious").exists());
    }
}
