//! A change of a crate's sources makes the results of that crate out of date, and of no other that does not use it.

use std::path::Path;

use in9_tests::{copy, root};

/// The crates whose identity is part of the keys of stages.
const CRATES: [&str; 5] = ["in9-toy", "in9-data", "in9-models", "in9-analysis", "in9-report"];

/// The crates whose identity changes with a line at the end of the root of crate NAME's sources.
fn reached(workspace: &Path, name: &str) -> Vec<&'static str> {
    let identities = || {
        CRATES.map(|name| {
            in9_identity::digest_of_sources(
                &workspace.join("crates").join(name),
                &workspace.join("Cargo.lock"),
            )
        })
    };
    let sources = workspace.join("crates").join(name).join("src");
    let path =
        ["lib.rs", "main.rs"].map(|file| sources.join(file)).into_iter().find(|path| path.exists()).unwrap();
    let before = identities();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n// changed\n")).unwrap();
    let after = identities();
    std::fs::write(&path, text).unwrap();
    (0..CRATES.len()).filter(|at| before[*at] != after[*at]).map(|at| CRATES[at]).collect()
}

#[test]
fn a_change_of_the_report_makes_only_the_report_out_of_date() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let entry = entry.unwrap();
        let to = workspace.join("crates").join(entry.file_name());
        std::fs::create_dir_all(&to).unwrap();
        for part in ["src", "templates", "Cargo.toml"] {
            let from = entry.path().join(part);
            if from.exists() {
                copy(&from, &to.join(part));
            }
        }
    }
    copy(&root().join("Cargo.lock"), &workspace.join("Cargo.lock"));
    assert_eq!(reached(workspace, "in9-report"), ["in9-report"]);
    assert_eq!(reached(workspace, "in9-toy"), ["in9-toy"]);
    assert_eq!(reached(workspace, "in9-analysis"), ["in9-analysis", "in9-report"]);
    assert_eq!(reached(workspace, "in9-pipeline"), [""; 0]);
    assert_eq!(reached(workspace, "in9"), [""; 0]);
    assert_eq!(reached(workspace, "grabcut"), ["in9-data", "in9-models", "in9-analysis", "in9-report"]);
    assert_eq!(reached(workspace, "in9-base"), CRATES);
}
