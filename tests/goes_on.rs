//! What takes long and is killed goes on where it was: answers that it gave before are kept, used, and not asked for again.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use in9_base::files::Journal;
use in9_tests::{contents, expect, ground, program};

/// The commands, what they are called in this test, and the kilobytes or half kilobytes of a file with whose first byte
/// beyond the system ends them: more than a few records of their journals, and far less than all.
const COMMANDS: [(&str, &[&str], u32); 3] = [
    ("predict", &["--views", "original,mixed-rand", "--pairings", "2", "--batch-size", "4"], 2),
    ("counterfactual", &["--partners", "2", "--batch-size", "4"], 2),
    (
        "saliency",
        &["--methods", "grad-cam,input-gradient", "--steps", "0", "--overlays", "1", "--batch-size", "2"],
        20,
    ),
];

fn command(folder: &Path, name: &str, options: &[&str], out: &Path) -> Command {
    let mut command = program("in9");
    command.arg(name).arg("--weights").arg(folder.join("run")).arg("--data").arg(folder.join("data"));
    command.args(options).arg("--out").arg(out);
    command
}

/// Every file of an output, which is a file or a folder.
fn bytes(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if out.is_dir() { contents(out) } else { vec![(PathBuf::new(), std::fs::read(out).unwrap())] }
}

/// Writes the journal again with the last number of each answer changed, as if the network had answered otherwise.
fn change_answers(path: &Path) -> usize {
    let identity = std::fs::read(path).unwrap()[..32].try_into().unwrap();
    let mut records = Vec::new();
    drop(Journal::open(path, blake3::Hash::from_bytes(identity), |record| {
        records.push(record.to_vec());
        true
    }));
    std::fs::remove_file(path).unwrap();
    let mut journal = Journal::open(path, blake3::Hash::from_bytes(identity), |_| true).unwrap();
    for record in &mut records {
        // Of a number in binary the least digit, of one in words one digit.
        let last = record.len() - 1;
        match record[last] {
            b'\n' => record[last - 1] = if record[last - 1] == b'3' { b'4' } else { b'3' },
            _ => record[last - 3] ^= 1,
        }
        journal.append(record).unwrap();
    }
    records.len()
}

#[test]
fn what_was_killed_goes_on_with_the_answers_that_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut toy = program("in9-data");
    toy.args(["toy", "--seed", "1", "--train-per-class", "2", "--test-per-class", "12", "--out"]);
    expect(toy.arg(folder.join("photos")), 0);
    expect(&mut ground::build(folder, folder, "data"), 0);
    expect(&mut ground::train(folder, folder, 1), 0);
    for (name, options, limit) in COMMANDS {
        for piece in [None, Some("1/2")] {
            let mut options = options.to_vec();
            options.extend(piece.iter().flat_map(|piece| ["--shard", piece]));
            let at = |what: &str| folder.join(format!("{name}-{}-{what}", piece.is_some()));
            let run = |out: &Path| command(folder, name, &options, out);
            expect(&mut run(&at("whole")), 0);
            let killed = |out: &Path| {
                let mut limited = Command::new("sh");
                limited.args(["-c", &format!("ulimit -f {limit} && exec \"$@\""), "sh"]);
                let command = run(out);
                limited.arg(command.get_program()).args(command.get_args());
                let status = limited.output().unwrap().status;
                assert_eq!(status.code(), None, "{name} was not ended by the system: {status}");
            };
            let (out, journal) = (at("killed"), Journal::beside(&at("killed")));
            killed(&out);
            let before = std::fs::read(&journal).unwrap();
            assert!(before.len() > 400, "{name}: {} bytes of answers", before.len());

            // Not with other settings, and the answers are not touched.
            let mut other = run(&out);
            let (_, said) = expect(other.args(["--normalization", "imagenet"]), 1);
            assert!(said.contains("finish that work as it was begun"), "{said}");
            assert!(std::fs::read(&journal).unwrap() == before, "{name}: the journal was touched");

            expect(&mut run(&out), 0);
            assert!(!journal.exists(), "{name}");
            assert!(bytes(&out) == bytes(&at("whole")), "{name} {piece:?}: other bytes");

            // Answers that were kept are not asked for again: changed ones stand in the output.
            let (out, journal) = (at("changed"), Journal::beside(&at("changed")));
            killed(&out);
            assert!(change_answers(&journal) > 1, "{name}: a trivial case");
            expect(&mut run(&out), 0);
            assert!(bytes(&out) != bytes(&at("whole")), "{name}: answered again");
        }
    }
    let left = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}
