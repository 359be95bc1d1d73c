//! Single stages and pieces, as jobs of a scheduler run them, with a script in the place of the program.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use in9_base::Piece;
use in9_pipeline::{
    Cache, Error, Graph, Manner, OutputPlace, Programs, Ran, Result, Silent, Stop, run, run_alone, run_merge,
};

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
    views = ["original"]
"#;

/// Writes its words into its output. A build leaves half of its work beside that and waits for its end, as long as there
/// is a file `slow`; one that finds half of its work says so.
const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
case "$1" in
identity)
    for name in toy build merge train predict score report; do echo "$name 0"; done; exit ;;
check-arguments)
    sed -e 's/\],\[/\n/g' | awk '{ printf (NR > 1 ? "," : "[") "null" } END { print "]" }'; exit ;;
esac
words="$*"
command=$1
echo "$command" >>"$here/calls"
while [ $# -gt 0 ]; do [ "$1" = --out ] && out=$2; shift; done
if [ "$command" = build ] && [ -e "$here/slow" ]; then
    mkdir -p "$out.building"; echo half >"$out.building/half"; touch "$here/started"
    read -r line
    exit 143
fi
if [ -e "$out.building/half" ]; then echo "goes on" >>"$here/calls"; rm -r "$out.building"; fi
case "$out" in *.csv) echo "$command" >"$out"; exit ;; esac
mkdir -p "$out"
echo "$command" >"$out/result"
"#;

struct World {
    _folder: tempfile::TempDir,
    root: PathBuf,
    out: PathBuf,
    graph: Graph,
    programs: Programs,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        fs::create_dir(root.join("scratch")).unwrap();
        let (graph, programs) =
            (support::graph(RECIPE), Programs::open(&support::install(&root, PROGRAM)).unwrap());
        Self { out: root.join("out"), root, graph, programs, _folder: folder }
    }

    fn cache(&self) -> Cache<'_> {
        Cache::new(&self.out, &self.programs, None, false)
    }

    fn manner(&self, stop: &Stop) -> Manner {
        Manner { jobs: 1, data: None, scratch: Some(self.root.join("scratch")), stop: stop.clone() }
    }

    fn piece(&self, at: usize, piece: &str) -> Result<Ran> {
        let manner = self.manner(&Stop::default());
        run_alone(&self.graph, at, piece.parse().unwrap(), &self.cache(), &manner, &Silent)
    }

    fn merge(&self, at: usize, of: u32) -> Result<Ran> {
        let manner = self.manner(&Stop::default());
        run_merge(&self.graph, at, Piece::new(1, of).unwrap(), &self.cache(), &manner, &Silent)
    }

    /// The commands that were called since this was last asked.
    fn calls(&self) -> Vec<String> {
        let calls = support::calls(&self.root);
        support::forget(&self.root);
        calls
    }

    fn left_on_scratch(&self) -> usize {
        fs::read_dir(self.root.join("scratch")).unwrap().count()
    }
}

/// Places in the graph.
const RENDER: usize = 0;
const BUILD: usize = 1;

#[test]
fn pieces_are_kept_and_joined_and_the_stage_is_what_it_would_have_been() {
    let world = World::new();
    let error = world.piece(BUILD, "1/3").unwrap_err();
    assert!(matches!(&error, Error::InputNotDone { input, .. } if input == "render/d"), "{error}");
    assert!(matches!(world.piece(RENDER, "1/1").unwrap(), Ran::Now(_)));
    for piece in ["1/3", "3/3"] {
        assert!(matches!(world.piece(BUILD, piece).unwrap(), Ran::Now(_)));
    }
    assert_eq!(world.calls(), ["toy", "build", "build"]);
    // What is done is done, in this division and no other.
    assert!(matches!(world.piece(BUILD, "3/3").unwrap(), Ran::Before));
    assert!(world.calls().is_empty());
    let error = world.merge(BUILD, 3).unwrap_err();
    assert!(matches!(&error, Error::PiecesMissing { missing, of: 3, .. } if missing == &[2]), "{error}");
    let error = world.merge(BUILD, 2).unwrap_err();
    assert!(matches!(&error, Error::PiecesMissing { missing, of: 2, .. } if missing == &[1, 2]), "{error}");
    world.piece(BUILD, "2/3").unwrap();
    // A piece that is not what was written is not joined.
    let result = world.out.join(".pieces/build~d/3-of-3/result");
    fs::write(&result, "other").unwrap();
    assert!(matches!(world.merge(BUILD, 3), Err(Error::PiecesMissing { .. })));
    world.piece(BUILD, "3/3").unwrap();
    world.calls();
    assert!(matches!(world.merge(BUILD, 3).unwrap(), Ran::Now(_)));
    assert_eq!(world.calls(), ["merge"]);
    assert!(!world.out.join(".pieces/build~d").exists());
    let names = |folder: &str| fs::read_dir(world.out.join(folder)).unwrap().map(|e| e.unwrap().file_name());
    let kept: Vec<_> = names(".stages").chain(names("logs")).collect();
    assert_eq!(kept.len(), 4, "{kept:?}");
    // Late pieces and merges find that all is done.
    assert!(matches!(world.piece(BUILD, "2/3").unwrap(), Ran::Before));
    assert!(matches!(world.merge(BUILD, 3).unwrap(), Ran::Before));
    assert!(world.calls().is_empty());
    // So does a run on this machine.
    let _place = OutputPlace::take(&world.out);
    let manner = Manner { jobs: 2, ..Manner::default() };
    let outcome = run(&world.graph, &[RENDER, BUILD], &world.cache(), &manner, &Silent).unwrap();
    assert_eq!((outcome.ran, outcome.kept), (0, 2), "{outcome:?}");
    assert_eq!(world.left_on_scratch(), 0);
}

#[test]
fn a_stage_that_is_stopped_goes_on_elsewhere() {
    let world = World::new();
    world.piece(RENDER, "1/1").unwrap();
    fs::write(world.root.join("slow"), "").unwrap();
    let stop = Stop::default();
    let stopped = std::thread::scope(|scope| {
        let (world, manner) = (&world, world.manner(&stop));
        let job = scope.spawn(move || {
            run_alone(&world.graph, BUILD, Piece::WHOLE, &world.cache(), &manner, &Silent).map(|_| ())
        });
        let started = Instant::now();
        while !world.root.join("started").exists() {
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.ask(10);
        stop.ask(15);
        job.join().unwrap()
    });
    assert!(stopped.is_err());
    assert_eq!((stop.asked(), world.left_on_scratch()), (Some(10), 0));
    assert!(world.out.join("data/.d.making/d.building/half").exists(), "half of the work is kept");
    assert!(!world.out.join("data/d").exists());
    // One that was told before its program has started ends at once.
    assert!(
        run_alone(&world.graph, BUILD, Piece::WHOLE, &world.cache(), &world.manner(&stop), &Silent).is_err()
    );
    fs::remove_file(world.root.join("slow")).unwrap();
    world.calls();
    world.piece(BUILD, "1/1").unwrap();
    assert_eq!(world.calls(), ["build", "goes on"]);
    assert!(world.out.join("data/d/result").exists() && !world.out.join("data/.d.making").exists());
}

#[test]
fn a_scratch_folder_that_is_not_there_is_named() {
    let world = World::new();
    fs::remove_dir(world.root.join("scratch")).unwrap();
    let error = world.piece(RENDER, "1/1").unwrap_err();
    assert!(
        matches!(&error, Error::NoScratch { folder } if *folder == world.root.join("scratch")),
        "{error}"
    );
}
