//! The same photographs in two worlds: at ρ = 0 the scene says nothing of the object, at ρ = 1 everything.
//!
//! `cargo run -p in9-toy --example two_worlds -- out`
#![allow(clippy::print_stdout, reason = "an example's purpose")]

use std::path::PathBuf;

use in9_toy::{WorldConfig, render};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = PathBuf::from(std::env::args_os().nth(1).ok_or("which folder?")?);
    for (name, rho) in [("rho-0", 0.0), ("rho-1", 1.0)] {
        let config =
            WorldConfig { seed: 1, rho, train_per_class: 4, test_per_class: 4, ..WorldConfig::default() };
        let made = render(&config, &out.join(name), &|_, _| {})?;
        println!("{name}: {} photographs to train on, {} to test on", made.train, made.test);
    }
    println!("objects are the same in both; compare {0}/rho-*/toy-scenes.csv", out.display());
    Ok(())
}
