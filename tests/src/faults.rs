//! One command under simulated faults: whatever goes wrong, the same command ends in the same bytes and the same
//! list of files, or names the cause and fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::contents;

/// How a process ends that a simulated crash stopped.
const CRASHED: i32 = 97;

/// A command that writes into a folder, and what counts of what it leaves there.
pub struct Scenario<'s> {
    /// For messages.
    pub name: &'s str,
    /// What the command reads; each seed gets a copy, because rot changes it.
    pub inputs: &'s Path,
    /// The command that reads the copy of the inputs (first) and works in a folder (second); one thread, so that a
    /// seed means the same every time.
    pub command: &'s dyn Fn(&Path, &Path) -> Command,
    /// Files that may differ between runs, such as logs that hold times.
    pub free: &'s dyn Fn(&str) -> bool,
    /// A bug that is planted on purpose.
    pub planted: Option<&'s str>,
}

/// What a seed brought to light.
#[derive(Debug)]
pub struct Finding {
    /// The seed that shows it again.
    pub seed: u64,
    /// What was seen.
    pub what: String,
}

/// Files by name, as they lie below the output.
type Files = Vec<(String, Vec<u8>)>;

impl Scenario<'_> {
    /// Runs the seeds one after the other, each in a folder of its own, and returns what they found.
    ///
    /// # Panics
    /// If the command fails although nothing goes wrong: then there is nothing to compare with.
    pub fn run(&self, seeds: std::ops::Range<u64>) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let whole = self.place(folder.path(), "whole");
        let count = folder.path().join("operations");
        let mut command = (self.command)(&whole.join("in"), &whole.join("out"));
        command.env("IN9_FAULTS", format!("count {}", count.display()));
        let (code, said) = self.call(&mut command);
        assert_eq!(code, Some(0), "{}: fails by itself: {said}", self.name);
        let operations = std::fs::metadata(&count).map_or(0, |about| about.len());
        assert!(
            operations > 3,
            "{}: {operations} operations; is the program built with the simulator?",
            self.name
        );
        let reference = self.files(&whole.join("out"));
        let mut findings = Vec::new();
        for seed in seeds {
            let place = self.place(folder.path(), &format!("seed-{seed}"));
            if let Some(what) = self.seed(seed, operations, &place, &reference) {
                findings.push(Finding { seed, what: format!("{}: {what}", self.name) });
            }
            std::fs::remove_dir_all(&place).expect("our own folder");
        }
        findings
    }

    /// A folder with a copy of the inputs and room for the outputs.
    fn place(&self, folder: &Path, name: &str) -> PathBuf {
        let place = folder.join(name);
        std::fs::create_dir_all(place.join("out")).expect("a folder");
        for (name, bytes) in contents(self.inputs) {
            let path = place.join("in").join(name);
            std::fs::create_dir_all(path.parent().expect("below the inputs")).expect("a folder");
            std::fs::write(path, bytes).expect("room for a copy");
        }
        place
    }

    /// What `seed` brings to light, if anything.
    fn seed(&self, seed: u64, operations: u64, place: &Path, reference: &Files) -> Option<String> {
        let bug = self.planted.map_or(String::new(), |bug| format!(" {bug}"));
        let mut command = (self.command)(&place.join("in"), &place.join("out"));
        command.env("IN9_FAULTS", format!("seed {seed} of {operations}{bug}"));
        let (first, said) = self.call(&mut command);
        match first {
            // Nothing went wrong for the program, or it helped itself.
            Some(0 | CRASHED) => {}
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
            // A damaged input or output that is named is not silently used.
            (Some(1), said) if said.contains("error: ") && self.is_rot(&said) => None,
            (code, said) => Some(format!("does not go on ({code:?}): {said}")),
        }
    }

    /// Whether the program names damage that no rerun can mend, which is an honest end.
    fn is_rot(&self, said: &str) -> bool {
        ["checksum", "digest", "damaged", "not a whole", "sealed", "does not match"]
            .iter()
            .any(|word| said.contains(word))
    }

    fn call(&self, command: &mut Command) -> (Option<i32>, String) {
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn files(&self, folder: &Path) -> Files {
        let named = contents(folder).into_iter().map(|(path, bytes)| (text(path), bytes));
        named.filter(|(name, _)| !(self.free)(name)).collect()
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

fn text(path: PathBuf) -> String {
    path.to_string_lossy().into_owned()
}
