//! One command under simulated faults: whatever goes wrong, the same command ends in the same bytes and the same
//! list of files, or names the cause and fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::copy;

/// How a process ends that a simulated crash stopped, and one that the power left.
const CRASHED: i32 = 97;
const POWERLESS: i32 = 98;

/// Files that people write, or may write: nobody can say what should stand in them.
const BY_PEOPLE: [&str; 2] = ["/report.toml", "/faults.toml"];

/// A command that writes into a folder, and what counts of what it leaves there.
pub struct Scenario<'s> {
    /// For messages.
    pub name: &'s str,
    /// What the command reads: files and folders of one folder. Each seed gets a copy, because rot changes it.
    pub inputs: (PathBuf, &'s [&'s str]),
    /// The command that reads the copy of the inputs (first) and works in a folder (second); one thread, so that a
    /// seed means the same every time.
    pub command: &'s dyn Fn(&Path, &Path) -> Command,
    /// Files that may differ between runs.
    pub differs: &'s dyn Fn(&str) -> Differs,
    /// A bug that is planted on purpose.
    pub planted: Option<&'s str>,
}

/// In what a file may differ between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// In nothing.
    Nowhere,
    /// In its bytes, as a log that holds times.
    InBytes,
    /// In its name too, as a file that is called by the time of its making.
    InName,
}

/// What a seed brought to light.
#[derive(Debug)]
pub struct Finding {
    /// The seed that shows it again.
    pub seed: u64,
    /// What was seen.
    pub what: String,
}

/// Files by name, as they lie below the output, and folders, whose names end with a slash.
type Files = Vec<(String, Vec<u8>)>;

impl Scenario<'_> {
    /// Runs the seeds one after the other, each in a folder of its own, and returns what they found.
    ///
    /// # Panics
    /// If the command fails although nothing goes wrong: then there is nothing to compare with.
    pub fn run(&self, seeds: std::ops::Range<u64>) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Every run has the same folder, so that paths in error messages are no difference.
        let place = folder.path().join("place");
        self.fill(&place);
        let count = place.join("operations");
        let mut command = (self.command)(&place.join("in"), &place.join("out"));
        command.env("IN9_FAULTS", format!("count {}", count.display()));
        let (code, said) = self.call(&mut command);
        assert_eq!(code, Some(0), "{}: fails by itself: {said}", self.name);
        let operations = fs::metadata(&count).map_or(0, |about| about.len());
        assert!(
            operations > 3,
            "{}: {operations} operations; is the program built with the simulator?",
            self.name
        );
        let reference = self.files(&place.join("out"));
        let mut findings = Vec::new();
        for seed in seeds {
            fs::remove_dir_all(&place).expect("our own folder");
            self.fill(&place);
            if let Some(what) = self.seed(seed, operations, &place, &reference) {
                findings.push(Finding { seed, what: format!("{}: {what}", self.name) });
            }
        }
        findings
    }

    /// A folder with a copy of the inputs and room for the outputs.
    fn fill(&self, place: &Path) {
        fs::create_dir_all(place.join("out")).expect("a folder");
        fs::create_dir_all(place.join("in")).expect("a folder");
        let (folder, names) = &self.inputs;
        for name in *names {
            copy(&folder.join(name), &place.join("in").join(name));
        }
    }

    /// What `seed` brings to light, if anything.
    fn seed(&self, seed: u64, operations: u64, place: &Path, reference: &Files) -> Option<String> {
        let bug = self.planted.map_or(String::new(), |bug| format!(" {bug}"));
        let count = place.join("operations");
        let mut command = (self.command)(&place.join("in"), &place.join("out"));
        command.env("IN9_FAULTS", format!("seed {seed} of {operations}{bug} counted {}", count.display()));
        let (first, said) = self.call(&mut command);
        let rotten = fs::read_to_string(place.join("operations.flipped")).ok();
        if rotten.as_ref().is_some_and(|path| BY_PEOPLE.iter().any(|name| path.ends_with(name))) {
            return None;
        }
        match first {
            // Nothing went wrong for the program, or it helped itself.
            Some(0 | CRASHED | POWERLESS) => {}
            Some(1) if said.contains("error: ") => {}
            other => return Some(format!("ended with {other:?}: {said}")),
        }
        if first == Some(0) && self.files(&place.join("out")) != *reference {
            return Some(format!("ended well with other files: {}", self.differences(place, reference)));
        }
        // The same command once more. The planted bug stays; nothing else goes wrong.
        let mut again = (self.command)(&place.join("in"), &place.join("out"));
        again.env("IN9_FAULTS", format!("seed 0 of 4000000000{bug}"));
        match self.call(&mut again) {
            (Some(0), _) if self.files(&place.join("out")) == *reference => None,
            (Some(0), _) => Some(format!("went on to other files: {}", self.differences(place, reference))),
            // A damaged file that no rerun can mend is an honest end, if it is named.
            (Some(1), said) if rotten.is_some_and(|path| names(&said, Path::new(&path))) => None,
            (code, said) => Some(format!("does not go on ({code:?}): {said}")),
        }
    }

    fn call(&self, command: &mut Command) -> (Option<i32>, String) {
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn files(&self, folder: &Path) -> Files {
        let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(&at).expect("a readable folder") {
                let path = entry.expect("an entry").path();
                let name =
                    path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
                if path.is_dir() {
                    found.push((name + "/", Vec::new()));
                    open.push(path);
                    continue;
                }
                match (self.differs)(&name) {
                    Differs::InName => {}
                    Differs::InBytes => found.push((name, Vec::new())),
                    Differs::Nowhere => found.push((name, fs::read(&path).expect("a readable file"))),
                }
            }
        }
        found.sort();
        found
    }

    fn differences(&self, place: &Path, reference: &Files) -> String {
        let here = self.files(&place.join("out"));
        let mut lines = Vec::new();
        for (name, bytes) in &here {
            match reference.iter().find(|(other, _)| other == name) {
                None => lines.push(format!("{name} is too many")),
                Some((_, other)) if other != bytes => lines.push(format!("{name} differs")),
                Some(_) => {}
            }
        }
        let missing = reference.iter().filter(|(name, _)| !here.iter().any(|(other, _)| other == name));
        lines.extend(missing.map(|(name, _)| format!("{name} is missing")));
        lines.join(", ")
    }
}

/// Whether an error names a damaged file, or one beside it.
fn names(said: &str, path: &Path) -> bool {
    let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned());
    said.contains("error: ") && folder.is_some_and(|folder| said.contains(&folder))
}
