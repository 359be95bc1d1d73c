//! Running the program under limits of memory and time.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What the program may map, in KiB: far below what the lies in the tables ask for.
const MEMORY: u64 = 2 << 20;
/// Far above what any case takes, also on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A shell that sets `limits`, then becomes the program with the arguments that are added.
pub(crate) fn program(limits: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {MEMORY}; {limits} exec \"$0\" \"$@\"")]);
    command.arg(env!("CARGO_BIN_EXE_in9-data")).args(["--quiet", "--jobs", "2"]);
    command
}

/// Runs to the end, or kills what hangs and fails.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let begun = Instant::now();
    let Ok(output) = receiver.recv_timeout(PATIENCE) else {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        panic!("{command:?} hangs after {:?}", begun.elapsed());
    };
    let Output { status, stdout, stderr } = output.unwrap();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    let code = status.code().unwrap_or_else(|| panic!("{command:?} ended with {status}: {stderr}"));
    assert!([0, 1, 3].contains(&code) && !stderr.contains("panicked"), "{command:?}: {code}\n{stderr}");
    (code, String::from_utf8_lossy(&stdout).into_owned(), stderr)
}

/// Whether an error line says what was expected and what was found, or what the system refused.
#[track_caller]
pub(crate) fn assert_informative(line: &str, names: &str) {
    let says = line.contains("expected") && (line.contains("found") || line.contains(": is a "))
        || ["cannot ", "was not written by", "the system refused"].iter().any(|part| line.contains(part));
    assert!(says && line.contains(names), "not naming {names:?}, expected and found: {line}");
}

/// Runs a command that must fail with one informative line that names `names`.
#[track_caller]
pub(crate) fn fails(command: &mut Command, names: &str) -> String {
    let (code, _, stderr) = run(command);
    assert_eq!(code, 1, "{command:?}\n{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert_informative(errors[0], names);
    errors[0].into()
}

/// What became of each photograph of a dataset: file name to "kept" or the rule.
pub(crate) fn outcomes(dataset: &Path) -> BTreeMap<String, String> {
    let mut outcomes = BTreeMap::new();
    for (table, column) in [("samples.csv", None), ("rejected.csv", Some("rule"))] {
        let mut reader = csv::Reader::from_path(dataset.join(table)).unwrap();
        let header = reader.headers().unwrap().clone();
        let at = |name: &str| header.iter().position(|field| field == name).unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            let name = record[at("source")].rsplit('/').next().unwrap().to_string();
            let outcome = column.map_or("kept", |column| &record[at(column)]).to_string();
            assert_eq!(outcomes.insert(name, outcome), None, "a photograph is counted twice");
        }
    }
    outcomes
}

/// Builds `source` below `root` into `out`, where faults are expected: each of `faulty` (file names) costs
/// one informative line, nothing else does.
#[track_caller]
pub(crate) fn build_with_faults(source: &str, root: &Path, out: &Path, more: &[&str], faulty: &[&str]) {
    let mut command = program("");
    command.args(["build", "--source", source, "--size", "32", "--root"]).arg(root);
    let (code, _, stderr) = run(command.arg("--out").arg(out).args(more));
    assert_eq!(code, if faulty.is_empty() { 0 } else { 3 }, "{stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    for name in faulty {
        let stem = name.rsplit_once('.').map_or(*name, |(stem, _)| stem);
        let of_it: Vec<_> =
            errors.iter().filter(|line| line.contains(&format!("/{stem}.")) || line.contains(name)).collect();
        assert_eq!(of_it.len(), 1, "lines about {name} in\n{stderr}");
        assert_informative(of_it[0], stem);
    }
    assert_eq!(errors.len(), faulty.len(), "{stderr}");
}
