//! Writes prediction tables drawn from the paper's Table 5 and a list for `in9-report report`,
//! to try the statistics and the report without any network.
//!
//! usage: cargo run -p in9-report --example paper_world -- DIR

use in9_analysis::paper_world::{World, draw};
use std::fs;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "paper-world".into()));
    fs::create_dir_all(&dir)?;
    let all: Vec<&str> = in9_data::View::PAPER.iter().map(|v| v.name()).collect();
    let world = World { dataset: "table-5", split: "test", per_class: 150, reliance: 1.0, seed: 0 };
    draw(&world, &all)?.write_atomic(&dir.join("test.csv"))?;
    let val = World { split: "val", per_class: 40, seed: 1, ..world.clone() };
    draw(&val, &all)?.write_atomic(&dir.join("val.csv"))?;
    let mut spec = String::from(
        "title = \"A world drawn from the paper's Table 5\"\nrecipe = \"example\"\n\
         [[predictions]]\npath = \"test.csv\"\n[[predictions]]\npath = \"val.csv\"\n\
         [[dataset]]\nname = \"table-5\"\npath = \"none\"\nmain = true\nrho = 0.9\n",
    );
    for (name, rho, reliance) in [("half", 0.5, 0.5), ("none", 0.0, 0.0)] {
        let sweep = World { dataset: name, reliance, seed: 2, ..world.clone() };
        draw(&sweep, &["original", "mixed-rand"])?.write_atomic(&dir.join(format!("{name}.csv")))?;
        spec += &format!(
            "[[predictions]]\npath = \"{name}.csv\"\n[[dataset]]\nname = \"{name}\"\npath = \"none\"\nrho = {rho:?}\n"
        );
    }
    fs::write(dir.join("report.toml"), spec)?;
    Ok(())
}
