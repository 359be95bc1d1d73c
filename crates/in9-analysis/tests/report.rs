//! The report from drawn predictions: what it says, and that it says it in the same bytes.

mod support;

use in9_analysis::report::make;
use std::fs;
use std::path::Path;
use support::{World, draw};

fn inputs(dir: &Path) {
    let all: Vec<&str> = in9_data::View::PAPER.iter().map(|v| v.name()).collect();
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 1.0, seed: 0 };
    draw(&world, &all).write_atomic(&dir.join("test.csv")).unwrap();
    let still = World { dataset: "still", reliance: 0.0, ..world };
    draw(&still, &["original", "mixed-rand"]).write_atomic(&dir.join("still.csv")).unwrap();
    fs::create_dir(dir.join("run")).unwrap();
    fs::write(dir.join("run/log.csv"), "epoch,train_loss,train_accuracy\n0,2.1,0.2\n1,1.5,0.4\n").unwrap();
    let spec = r#"title = "Drawn & judged"
recipe = "test"
[[dataset]]
name = "d"
path = "d"
rho = 0.9
main = true
[[dataset]]
name = "still"
path = "still"
rho = 0.0
[[predictions]]
path = "test.csv"
[[predictions]]
path = "still.csv"
[[run]]
name = "run"
path = "run"
"#;
    fs::write(dir.join("report.toml"), spec).unwrap();
}

#[test]
fn a_world_like_the_papers_shows_the_papers_claims() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let (spec, out) = (dir.path().join("report.toml"), dir.path().join("report"));
    make(&spec, &out).unwrap();
    let csv = fs::read_to_string(out.join("claims.csv")).unwrap();
    for claim in ["background-own-test", "gap-original", "mixed-rand-training-helps", "gap-grows-with-rho"] {
        let mut lines = csv.lines().filter(|l| l.starts_with(claim)).peekable();
        assert!(lines.peek().is_some(), "{claim} is missing");
        assert!(lines.all(|l| l.split(',').nth(2) == Some("seen")), "{claim}:\n{csv}");
    }
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("<title>Drawn &#38; judged</title>"));
    for id in ["claims", "matrix", "gaps", "figures", "categories", "dial", "progress", "training", "methods"]
    {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    // Nothing is fetched from elsewhere and nothing of this machine is told.
    assert!(!page.contains("http://") || page.matches("http://").all(|_| page.contains("www.w3.org")));
    assert!(!page.contains("https://") && !page.contains(dir.path().to_str().unwrap()));
    let results: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["models"].as_array().unwrap().len(), 10);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    inputs(dir.path());
    let spec = dir.path().join("report.toml");
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    make(&spec, &a).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| make(&spec, &b)).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(&a).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(fs::read(a.join(&name)).unwrap() == fs::read(b.join(&name)).unwrap(), "{name:?}");
        files += 1;
    }
    assert_eq!(files, 9);
}
