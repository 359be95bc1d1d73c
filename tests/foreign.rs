//! A classifier in an ONNX file goes all the way: its answers as Parquet, what probes find, and figures as PDF.

use std::fs;
use std::path::Path;
use std::process::Command;

use in9_tests::{expect, ground, program, root};

#[test]
fn a_network_in_an_onnx_file_is_predicted_with_probed_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    expect(&mut ground::render(here), 0);
    expect(&mut ground::build(here, here, "set"), 0);
    let network = root().join("crates/in9-models/tests/onnx/dynamic.onnx");
    let run = |arguments: &[&str], code: i32| {
        let mut command: Command = program("in9");
        expect(command.current_dir(here).args(arguments), code)
    };
    let asked = ["--onnx", network.to_str().unwrap(), "--normalization", "imagenet", "--data", "set"];
    for out in ["p.csv", "p.parquet"] {
        run(&[&["predict", "--views", "all", "--out", out], &asked[..]].concat(), 0);
    }
    let (of_text, _) = run(&["score", "p.csv"], 0);
    let (of_parquet, _) = run(&["score", "p.parquet"], 0);
    assert_eq!(of_text, of_parquet);
    assert!(of_text.contains("BG-gap in points") && of_text.contains("dynamic"), "{of_text}");
    let (compared, _) = run(&["compare", "p.csv", "p.parquet"], 0);
    assert!(compared.contains("only first right"), "{compared}");

    for probe in ["adversarial", "counterfactual", "saliency"] {
        run(&[&[probe, "--limit", "2", "--out", probe], &asked[..]].concat(), 0);
        let settings = fs::read_to_string(here.join(probe).join("settings.toml")).unwrap();
        let digest = blake3_of(&network);
        assert!(settings.contains(&digest) && settings.contains("origin = \"dynamic.onnx\""), "{settings}");
        assert!(settings.contains("normalization = \"request\""), "{settings}");
    }

    let list =
        "title = \"t\"\n[[dataset]]\nname = \"set\"\npath = \"set\"\n[[predictions]]\npath = \"p.parquet\"\n";
    fs::write(here.join("report.toml"), list).unwrap();
    run(&["report", "--spec", "report.toml", "--out", "report"], 0);
    let figures: Vec<_> =
        fs::read_dir(here.join("report/figures")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let drawn = |end: &str| figures.iter().filter(|path| path.extension().is_some_and(|e| e == end)).count();
    assert!(drawn("svg") > 0 && drawn("svg") == drawn("pdf"), "{figures:?}");
    let page = fs::read_to_string(here.join("report/index.html")).unwrap();
    assert!(page.contains("each figure as SVG and PDF"));
}

/// What the record of a network says of its file.
fn blake3_of(path: &Path) -> String {
    blake3::hash(&fs::read(path).unwrap()).to_hex().to_string()
}
