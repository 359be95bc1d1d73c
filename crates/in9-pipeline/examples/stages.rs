//! The stages of a recipe, each with what it reads.
//!
//! `cargo run -p in9-pipeline --example stages -- toy`
#![allow(clippy::print_stdout, reason = "an example's purpose")]

use in9_pipeline::{Recipe, plan};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recipe = std::env::args().nth(1).unwrap_or_else(|| "toy".to_owned());
    let (name, recipe) = Recipe::load(&recipe, "".as_ref())?;
    let graph = plan(&name, &recipe, "cpu");
    for stage in &graph.stages {
        let reads: Vec<_> = stage.inputs().iter().map(|&input| graph.stages[input].id.as_str()).collect();
        println!(
            "{} <- {}",
            stage.id,
            if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") }
        );
    }
    Ok(())
}
