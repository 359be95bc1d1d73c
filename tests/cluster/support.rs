//! What the tests of both schedulers share: the recipe, the reference, and a program that comes to bad ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use in9_tests::{contents, expect, program, programs, root};

/// How long anything may take that a scheduler does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// Two schedulers at once would only make each other wait.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resources of the jobs, with the folder `scratch` for work.
pub(crate) fn cluster_file(path: &Path, scratch: Option<&Path>) {
    let scratch =
        scratch.map_or_else(String::new, |folder| format!("scratch = {:?}\n", folder.display().to_string()));
    let pieces = [("build", 3), ("predict", 2), ("adversarial", 2), ("saliency", 3), ("counterfactual", 2)];
    let pieces: String =
        pieces.iter().map(|(name, n)| format!("[cluster.{name}]\npieces = {n}\nat-once = 2\n")).collect();
    std::fs::write(
        path,
        format!("[cluster]\n{scratch}[cluster.all]\ncores = 1\ntime = \"0:10:00\"\n{pieces}"),
    )
    .unwrap();
}

/// A run of the recipe in `out` by the programs in `folder`.
pub(crate) fn reproduce(folder: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = program("in9");
    command.args(["reproduce", "--recipe"]).arg(root().join("tests/cluster/recipe.toml"));
    command.arg("--programs").arg(folder).arg("--out").arg(out).args(more);
    command
}

/// What the recipe gives on this machine, made once.
pub(crate) fn reference() -> &'static [(PathBuf, Vec<u8>)] {
    static REFERENCE: std::sync::OnceLock<Vec<(PathBuf, Vec<u8>)>> = std::sync::OnceLock::new();
    REFERENCE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        expect(&mut reproduce(programs(), &out, &["--jobs", "2"]), 0);
        results(&out)
    })
}

/// Everything that a run leaves, but for notes, stamps and logs, which hold times and paths, and event files.
fn results(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = contents(out);
    files.retain(|(name, _)| {
        let first = name.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
        let first = first.unwrap_or_default();
        ![".cluster", ".stages", "logs"].contains(&first.as_str())
            && !name.to_string_lossy().contains("tfevents")
    });
    files
}

/// Asserts that `out` holds what the reference does, and nothing that was needed only on the way.
#[track_caller]
pub(crate) fn assert_same(out: &Path) {
    let (found, wanted) = (results(out), reference());
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(wanted));
    for ((name, a), (_, b)) in found.iter().zip(wanted) {
        assert!(a == b, "{} differs from the run on this machine", name.display());
    }
    let notes: Vec<_> = contents(&out.join(".stages")).into_iter().map(|(name, _)| name).collect();
    assert!(notes.iter().all(|name| !name.to_string_lossy().contains('#')), "{notes:?}");
    // The run goes on here as if it had been here all the time.
    let (_, said) = expect(&mut reproduce(programs(), out, &[]), 0);
    assert!(said.contains("0 stages ran, 9 were done already"), "{said}");
}

/// The state and the rest of the line of each stage, as `in9 pieces status` shows them.
pub(crate) fn status(out: &Path, environment: &[(String, String)]) -> BTreeMap<String, (String, String)> {
    let mut command = program("in9");
    command.args(["pieces", "status"]).arg(out).envs(environment.iter().cloned());
    let (stdout, _) = expect(&mut command, 0);
    let line = |line: &str| {
        let (word, rest) = line.split_at(7);
        let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        (id.to_owned(), (word.trim().to_owned(), rest.trim().to_owned()))
    };
    stdout.lines().map(line).collect()
}

pub(crate) fn retry(out: &Path, more: &[&str], environment: &[(String, String)]) -> String {
    let mut command = program("in9");
    command.args(["pieces", "retry"]).arg(out).args(more).envs(environment.iter().cloned());
    expect(&mut command, 0).0
}

/// Waits until `done`.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} takes too long");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A program `in9` in a folder of its own whose first call of each kind of stage is killed in the middle of its work,
/// together with the job that it works for; and whose piece 2 of the first saliency probe fails as long as a file `broken`
/// is beside it.
pub(crate) struct Mortal {
    folder: tempfile::TempDir,
}

impl Mortal {
    pub(crate) fn new(kills: bool) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        let real = programs().join("in9");
        let (real, killed) = (real.display(), if kills { "" } else { "nothing-" });
        let text = format!(
            "#!/bin/bash\n\
             case \"$1\" in toy) while [ -e '{here}/held' ]; do sleep 0.1; done;; esac\n\
             case \"$*\" in saliency*original-s0*'--shard 2/3'*)\n\
                 [ -e '{here}/broken' ] && {{ echo 'error: no luck today' >&2; exit 1; }};;\n\
             esac\n\
             case \"{killed}$1\" in toy|build|merge|train|predict|adversarial|saliency|counterfactual|score|report)\n\
                 if mkdir \"{here}/killed-$1\" 2>/dev/null; then\n\
                     '{real}' \"$@\" & sleep 0.15; kill -9 $PPID $!; exit 1\n\
                 fi;;\n\
             esac\n\
             exec '{real}' \"$@\"\n"
        );
        let script = folder.path().join("in9");
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    pub(crate) fn programs(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the piece fail, or not any more.
    pub(crate) fn breaks(&self, broken: bool) {
        let path = self.folder.path().join("broken");
        if broken { std::fs::write(path, "").unwrap() } else { std::fs::remove_file(path).unwrap() }
    }

    /// Holds the first stage up, or not any more.
    pub(crate) fn holds(&self, held: bool) {
        let path = self.folder.path().join("held");
        if held { std::fs::write(path, "").unwrap() } else { std::fs::remove_file(path).unwrap() }
    }

    /// How many kinds of stages were killed once.
    pub(crate) fn killed(&self) -> usize {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("killed-"))
            .count()
    }
}

/// The stage of the recipe that [`Mortal::breaks`] makes fail.
pub(crate) const BROKEN: &str = "probe/saliency/world/resnet-tiny-original-s0";

/// Whether everything is done but the broken stage and the report that waits for it; then exactly one piece is missing.
pub(crate) fn only_the_broken_piece_is_left(states: &BTreeMap<String, (String, String)>) -> bool {
    let left = states.iter().filter(|(_, (word, _))| word != "done").map(|(id, _)| id.as_str());
    let only = left.into_iter().all(|id| [BROKEN, "report"].contains(&id));
    if only {
        assert_eq!(states[BROKEN].1, "2 of 3 pieces are done, missing --array=2");
    }
    only
}
