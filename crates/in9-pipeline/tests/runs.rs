//! Whole runs, with a script in the place of the program.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::PathBuf;

use in9_pipeline::{Cache, Error, Manner, Outcome, OutputPlace, Programs, Result, Silent, State, run};
use support::graph;

const RECIPE: &str = r#"
    title = "t"
    about = "a"
    [[dataset]]
    name = "d"
    source = "toy"
    rho = 0.5
    main = true
    [[train]]
    dataset = "d"
    arch = "resnet-tiny"
    views = ["original", "mixed-rand"]
    [[probe]]
    kind = "saliency"
    dataset = "d"
    views = ["original"]
"#;

/// Answers as `in9` does, and writes what it was asked for: a table for `predict`, a folder otherwise.
const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1" in
identity)
    cat "$here/identities"; exit ;;
check-arguments)
    sed -e 's/\],\[/\n/g' | awk '{ printf (NR > 1 ? "," : "[") (/"--misspelt"/ ? "\"no such option\"" : "null") } END { print "]" }'
    exit ;;
esac
echo "$1" >>"$here/calls"
command=$1
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
[ -e "$out" ] && [ "$command" != train ] && { echo "error: output exists" >&2; exit 1; }
[ -e "$here/broken" ] && { mkdir "$out"; echo half >"$out/half"; echo "error: no luck" >&2; exit 1; }
case "$out" in *.csv) echo "$command" >"$out"; exit ;; esac
mkdir -p "$out/deep"
echo "$command" >"$out/result"
echo "$command" >"$out/deep/result"
"#;

const COMMANDS: [&str; 7] = ["toy", "build", "train", "predict", "saliency", "score", "report"];

struct World {
    _folder: tempfile::TempDir,
    root: PathBuf,
    out: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        support::install(&root, PROGRAM);
        let world = Self { out: root.join("out"), root, _folder: folder };
        world.identify("report", "1");
        world
    }

    /// Gives `command` another identity than all others.
    fn identify(&self, command: &str, identity: &str) {
        let line = |name: &&str| format!("{name} {}\n", if *name == command { identity } else { "0" });
        fs::write(self.root.join("identities"), COMMANDS.iter().map(line).collect::<String>()).unwrap();
    }

    fn run(&self, recipe: &str) -> Result<Outcome> {
        self.go(recipe, false)
    }

    fn go(&self, recipe: &str, thorough: bool) -> Result<Outcome> {
        support::forget(&self.root);
        let graph = graph(recipe);
        let programs = Programs::open(&self.root.join("in9"))?;
        let cache = Cache::new(&self.out, &programs, None, thorough);
        let _place = OutputPlace::take(&self.out)?;
        let manner = Manner { jobs: 2, ..Manner::default() };
        let all: Vec<usize> = (0..graph.stages.len()).collect();
        run(&graph, &all, &cache, &manner, &Silent)
    }

    /// The commands that the last run called, in their order.
    fn calls(&self) -> Vec<String> {
        support::calls(&self.root)
    }

    /// Every file in the output folder with its bytes; logs and stamps, which hold times, left out.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files: Vec<_> = in9_base::files::below(&self.out)
            .unwrap()
            .into_iter()
            .filter(|path| {
                !path.starts_with(self.out.join("logs")) && !path.starts_with(self.out.join(".stages"))
            })
            .map(|path| (path.clone(), fs::read_to_string(&path).unwrap_or_default()))
            .collect();
        files.sort();
        files
    }
}

#[test]
fn what_is_done_is_kept() {
    let world = World::new();
    let outcome = world.run(RECIPE).unwrap();
    assert_eq!((outcome.ran, outcome.kept), (9, 0), "{outcome:?}");
    let outcome = world.run(RECIPE).unwrap();
    assert_eq!((outcome.ran, outcome.kept), (0, 9), "{outcome:?}");
    assert!(world.calls().is_empty());
}

/// A report was once deleted together with the thesis that somebody wrote in its folder.
#[test]
fn what_a_run_did_not_write_is_named_and_stays() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let thesis = world.out.join("report/thesis.tex");
    fs::write(&thesis, "precious").unwrap();
    // It is nobody's concern as long as the report stands.
    assert_eq!(world.run(RECIPE).unwrap().kept, 9);
    let before = world.files();
    let error = world.run(&RECIPE.replace("title = \"t\"", "title = \"u\"")).unwrap_err();
    assert!(
        matches!(&error, Error::NotOurs { path, stage } if *path == thesis && stage == "report"),
        "{error}"
    );
    assert!(world.calls().is_empty(), "nothing may run before the places of all outputs are checked");
    assert_eq!(world.files(), before);
}

#[test]
fn what_stands_where_a_stage_would_write_is_named_and_stays() {
    let world = World::new();
    drop(OutputPlace::take(&world.out).unwrap());
    fs::create_dir(world.out.join("scores")).unwrap();
    fs::write(world.out.join("scores/mine.csv"), "precious").unwrap();
    let error = world.run(RECIPE).unwrap_err();
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    assert!(world.calls().is_empty());
    assert_eq!(fs::read_to_string(world.out.join("scores/mine.csv")).unwrap(), "precious");
}

/// A table was once replaced by what stood in its place: a folder of somebody's.
#[test]
fn a_folder_in_the_place_of_a_table_stays() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let table = world.out.join("predictions/d/resnet-tiny-original-s0.csv");
    fs::remove_file(&table).unwrap();
    fs::create_dir(&table).unwrap();
    fs::write(table.join("mine"), "precious").unwrap();
    assert!(matches!(world.run(RECIPE).unwrap_err(), Error::NotOurs { .. }));
    assert_eq!(fs::read_to_string(table.join("mine")).unwrap(), "precious");
}

#[test]
fn a_change_of_the_report_runs_the_report_alone() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    world.identify("report", "2");
    world.run(RECIPE).unwrap();
    assert_eq!(world.calls(), ["report"]);
    world.identify("train", "2");
    world.run(RECIPE).unwrap();
    // The networks came out as they were, so nothing behind them runs but the report, whose identity is back.
    assert_eq!(world.calls(), ["train", "train", "report"]);
}

/// A zeroed shard was once taken for the real one.
#[test]
fn a_damaged_output_is_made_again() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let before = world.files();
    let file = world.out.join("data/d/result");
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&file, "\0\0\0\0\0\0").unwrap();
    world.run(RECIPE).unwrap();
    assert_eq!(world.calls(), ["build"]);
    assert_eq!(world.files(), before);
    // With its old time it can only be told by reading.
    fs::write(&file, "\0\0\0\0\0\0").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    world.go(RECIPE, true).unwrap();
    assert_eq!(world.calls(), ["build"]);
    assert_eq!(world.files(), before);
}

/// After copying, files have other times: they are read once, not at every run.
#[test]
fn a_copied_output_is_read_once() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let (file, stamp) = (world.out.join("data/d/result"), world.out.join(".stages/build~d.json"));
    let before = fs::read(&stamp).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&file, "build\n").unwrap();
    assert_eq!(world.run(RECIPE).unwrap().kept, 9);
    let after = fs::read(&stamp).unwrap();
    assert_ne!(before, after);
    assert_eq!(world.run(RECIPE).unwrap().kept, 9);
    assert_eq!(after, fs::read(&stamp).unwrap());
}

#[test]
fn a_misspelt_option_is_found_before_anything_runs() {
    let world = World::new();
    let wrong = RECIPE.replace(
        "views = [\"original\", \"mixed-rand\"]",
        "views = [\"original\", \"mixed-rand\"]\noptions = { misspelt = 1 }",
    );
    let error = world.run(&wrong).unwrap_err();
    assert!(matches!(&error, Error::Arguments { stage, .. } if stage.starts_with("train/")), "{error}");
    assert!(world.calls().is_empty());
}

/// A program that was killed half-way left a folder at which every later run failed: "output exists".
#[test]
fn what_a_killed_program_left_is_cleared() {
    let world = World::new();
    fs::write(world.root.join("broken"), "").unwrap();
    let outcome = world.run(RECIPE).unwrap();
    assert_eq!((outcome.ran, outcome.failed.len(), outcome.blocked.len()), (0, 1, 8), "{outcome:?}");
    assert!(world.out.join("photos/.d.making/d/half").exists());
    fs::remove_file(world.root.join("broken")).unwrap();
    assert_eq!(world.run(RECIPE).unwrap().ran, 9);
    assert!(!world.files().iter().any(|(path, _)| path.to_string_lossy().contains("making")));
}

/// The three moments between an output and its stamp at which a run can be killed.
#[test]
fn a_kill_between_output_and_stamp_is_survived() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let done = world.files();
    let (output, making) = (world.out.join("data/d"), world.out.join("data/.d.making"));
    let (stamp, record) = (world.out.join(".stages/build~d.json"), world.out.join(".stages/build~d.making"));
    let key = {
        let text = fs::read_to_string(&stamp).unwrap();
        let stamp: serde_json::Value = serde_json::from_str(&text).unwrap();
        stamp["key"].as_str().unwrap().to_owned()
    };
    // Written, and not stamped yet: made again.
    fs::create_dir(&making).unwrap();
    fs::rename(&output, making.join("d")).unwrap();
    fs::write(&record, &key).unwrap();
    let stamped = fs::read(&stamp).unwrap();
    fs::remove_file(&stamp).unwrap();
    world.run(RECIPE).unwrap();
    assert_eq!(world.calls(), ["build"]);
    assert_eq!(world.files(), done);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&stamped).unwrap()["key"], key.as_str());
    // Stamped, and not in its place yet: moved there.
    fs::create_dir(&making).unwrap();
    fs::rename(&output, making.join("d")).unwrap();
    fs::write(&record, &key).unwrap();
    world.run(RECIPE).unwrap();
    assert!(world.calls().is_empty());
    assert_eq!(world.files(), done);
    // In its place, and the folder beside it not cleared yet.
    fs::create_dir(&making).unwrap();
    fs::write(making.join(".in9-x.partial"), "").unwrap();
    fs::write(&record, &key).unwrap();
    world.run(RECIPE).unwrap();
    assert!(world.calls().is_empty());
    assert_eq!(world.files(), done);
    assert!(!record.exists());
}

/// A training that was killed goes on; one with other settings starts from nothing.
#[test]
fn only_the_same_training_goes_on() {
    let world = World::new();
    let stage = graph(RECIPE).stages.iter().find(|stage| stage.id.starts_with("train/")).unwrap().clone();
    let programs = Programs::open(&world.root.join("in9")).unwrap();
    let cache = Cache::new(&world.out, &programs, None, false);
    let made = cache.begin(&stage, "k").unwrap();
    fs::create_dir(&made).unwrap();
    fs::write(made.join("checkpoint"), "half").unwrap();
    fs::write(made.join(".in9-abc.partial"), "leftover").unwrap();
    assert_eq!(cache.begin(&stage, "k").unwrap(), made);
    assert!(made.join("checkpoint").exists());
    assert!(!made.join(".in9-abc.partial").exists(), "a leftover would count into the digest");
    cache.begin(&stage, "l").unwrap();
    assert!(!made.exists());
}

#[test]
fn a_reset_stage_runs_again_and_only_it_if_nothing_changes() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let programs = Programs::open(&world.root.join("in9")).unwrap();
    let graph = graph(RECIPE);
    let cache = Cache::new(&world.out, &programs, None, false);
    cache.reset(&graph.stages[1]).unwrap();
    let states = cache.states(&graph).unwrap();
    assert!(matches!(states[1], State::Stale));
    world.run(RECIPE).unwrap();
    assert_eq!(world.calls(), ["build"]);
}

#[test]
fn a_program_that_does_not_know_itself_is_refused() {
    let world = World::new();
    fs::write(world.root.join("identities"), "").unwrap();
    assert!(matches!(world.run(RECIPE).unwrap_err(), Error::NoIdentity { .. }));
    assert!(matches!(Programs::open(&world.root.join("gone")).unwrap_err(), Error::Start { .. }));
}

/// Whatever bit of a stamp has flipped, no file that the stage did not write is removed for it, and the run says which
/// stamp it is or makes the output again.
#[test]
fn a_damaged_stamp_is_named_or_made_again() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let before = world.files();
    let stamp = world.out.join(".stages/score.json");
    let whole = fs::read(&stamp).unwrap();
    let mut named = 0;
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&stamp, &bytes).unwrap();
        match world.run(RECIPE) {
            Ok(_) => {}
            Err(Error::DamagedStamp { stamp: path, output }) => {
                assert_eq!((path, output), (stamp.clone(), world.out.join("scores")));
                named += 1;
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
        assert_eq!(world.files(), before, "byte {at}");
        fs::write(&stamp, &whole).unwrap();
    }
    assert!(named > 10, "{named}");
}

/// A pipe at which a reader would wait for ever stands where a stamp was.
#[test]
fn a_pipe_in_the_cache_is_refused_at_once() {
    let world = World::new();
    world.run(RECIPE).unwrap();
    let stamp = world.out.join(".stages/build~d.json");
    fs::remove_file(&stamp).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&stamp).status().unwrap().success());
    let error = world.run(RECIPE).unwrap_err().to_string();
    assert!(error.contains("is a pipe"), "{error}");
}
