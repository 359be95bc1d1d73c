//! The report from drawn predictions.

mod faulty_inputs;
mod page;
mod probes;
mod trainings;

use in9_analysis::paper_world::{World, draw};
use std::fs;
use std::path::Path;

/// Predictions of a world like the paper's and of one where backgrounds do not matter, a run, and their list.
fn inputs(dir: &Path) {
    let all: Vec<&str> = in9_data::View::PAPER.iter().map(|v| v.name()).collect();
    let world = World { dataset: "d", split: "test", per_class: 60, reliance: 1.0, seed: 0 };
    draw(&world, &all).unwrap().write_atomic(&dir.join("test.csv")).unwrap();
    let still = World { dataset: "still", reliance: 0.0, ..world };
    draw(&still, &["original", "mixed-rand"]).unwrap().write_atomic(&dir.join("still.csv")).unwrap();
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

/// A section of a page.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let length = page[start..].find("</section>").unwrap();
    &page[start..start + length]
}
