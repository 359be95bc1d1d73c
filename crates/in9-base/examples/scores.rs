//! A program's output folder: it appears whole, a second run replaces it, and a file of somebody else stops both.
//!
//! `cargo run -p in9-base --example scores -- out`
#![allow(clippy::print_stdout, reason = "an example's purpose")]

use in9_base::files::{OutputFolder, Owner};

const OWNER: Owner = Owner { made_by: "example scores", names: &["scores.csv"] };

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("which folder?")?;
    let output = OutputFolder::begin(path.as_ref(), &OWNER, &[])?;
    // Until `finish`, all of this stands beside the folder, and goes if the program ends early.
    output.write("scores.csv", "model,accuracy\nmine,0.875\n")?;
    output.finish()?;
    println!("put a file of your own into the folder, and the next run names it instead of removing it");
    Ok(())
}
