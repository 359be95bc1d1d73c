//! What is attacked, and what is seen.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use in9_tests::{copy, expect, ground, program, programs, root};

/// The most memory that an attacked program may take, in kilobytes.
const MEMORY: u64 = 1 << 20;
/// The longest that it may take.
const TIME: Duration = Duration::from_secs(60);

/// A folder of its own with a copy of a world (`photos`), its dataset (`data`), a trained network (`run`) and its
/// answers (`pred.csv`).
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["photos", "data", "run", "pred.csv"] {
            copy(&ground().join(name), &folder.path().join(name));
        }
        Self { folder }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `program` with words, of which those that begin with `@` are paths in this world.
    pub(crate) fn call(&self, name: &str, words: &str) -> Command {
        let mut command = program(name);
        for word in words.split_whitespace() {
            match word.strip_prefix('@') {
                Some(path) => command.arg(self.at(path)),
                None => command.arg(word),
            };
        }
        command
    }

    /// A run of `recipe` into `out`, by a stand-in for the stages' programs that writes as they do; by themselves where
    /// programs built elsewhere are tried, which have none.
    pub(crate) fn reproduce(&self, recipe: &Path, out: &Path) -> Command {
        let mut stand_in = self.at("programs");
        let own = programs().join("in9-stand-in");
        if !own.exists() {
            stand_in = programs().to_owned();
        } else if !stand_in.exists() {
            fs::create_dir(&stand_in).unwrap();
            std::os::unix::fs::symlink(own, stand_in.join("in9")).unwrap();
        }
        let mut command = program("xtask");
        command
            .args(["reproduce", "--recipe"])
            .arg(recipe)
            .arg("--programs")
            .arg(stand_in)
            .arg("--out")
            .arg(out);
        command
    }

    /// The text of a recipe of seconds.
    pub(crate) fn recipe(&self) -> String {
        fs::read_to_string(root().join("tests/smoke.toml")).unwrap()
    }
}

fn ground() -> &'static Path {
    static GROUND: OnceLock<tempfile::TempDir> = OnceLock::new();
    let ground = GROUND.get_or_init(|| {
        let ground = tempfile::tempdir().unwrap();
        let at = ground.path();
        let commands = [
            ground::render(at),
            ground::build(at, at, "data"),
            ground::train(at, at, 1),
            ground::predict(at, at),
        ];
        commands.into_iter().for_each(|mut command| drop(expect(&mut command, 0)));
        fs::rename(at.join("predictions.csv"), at.join("pred.csv")).unwrap();
        ground
    });
    ground.path()
}

/// What a program did.
pub(crate) struct Seen {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) said: String,
}

/// Runs an attacked program and shows what is seen. It must neither hang, panic, nor take the memory of the machine.
#[track_caller]
pub(crate) fn seen(what: &str, command: &mut Command) -> Seen {
    let started = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let listen = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let out = listen(Box::new(child.stdout.take().unwrap()));
    let said = listen(Box::new(child.stderr.take().unwrap()));
    let mut peak = 0;
    let status = loop {
        peak = peak.max(memory(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > TIME {
            child.kill().unwrap();
            panic!("{what}: hangs: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let (out, said) = (out.join().unwrap(), said.join().unwrap());
    let last = said.lines().last().unwrap_or_default();
    println!(
        "{what}: exit {:?} after {:.1} s, {} MB: {last}",
        status.code(),
        started.elapsed().as_secs_f64(),
        peak >> 10
    );
    assert!(!said.contains("panicked"), "{what}: {said}");
    assert!(peak < MEMORY, "{what}: {peak} kB");
    Seen { code: status.code(), out, said }
}

/// Runs an attacked program that must refuse: exit code 1 and one line that says each of `words`.
#[track_caller]
pub(crate) fn refused(what: &str, command: &mut Command, words: &[&str]) -> Seen {
    let seen = seen(what, command);
    assert_eq!(seen.code, Some(1), "{what}: {command:?}\n{}", seen.said);
    let last = seen.said.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{what}: {}", seen.said);
    for word in words {
        assert!(last.contains(word), "{what}: {word:?} is not in: {last}");
    }
    seen
}

/// Runs a program that must do its work.
#[track_caller]
pub(crate) fn done(what: &str, command: &mut Command) -> Seen {
    let seen = seen(what, command);
    assert_eq!(seen.code, Some(0), "{what}: {command:?}\n{}", seen.said);
    seen
}

/// The most memory that a living process has taken, in kilobytes.
fn memory(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Flips a bit of a file.
pub(crate) fn flip(path: &Path, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bit / 8 % bytes.len();
    bytes[at] ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

pub(crate) fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
