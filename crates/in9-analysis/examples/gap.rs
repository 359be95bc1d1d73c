//! Accuracies and the BG-gap of every model in prediction tables, with 95 % intervals.
//!
//! `cargo run -p in9-analysis --example gap -- predictions.csv…`
#![allow(clippy::print_stdout, reason = "an example's purpose")]

use std::path::PathBuf;

use in9_analysis::Frame;
use in9_analysis::metrics::summarise;
use in9_analysis::stats::{Bootstrap, Interval};
use in9_data::predictions::Table;

fn percent(interval: &Interval) -> String {
    let Interval { value, low, high, .. } = interval.scaled(100.0);
    format!("{value:5.1} [{low:.1}, {high:.1}]")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths = std::env::args_os().skip(1).map(PathBuf::from);
    let tables = paths.map(|path| Table::read(&path)).collect::<Result<Vec<_>, _>>()?;
    for model in summarise(&Frame::new(&tables)?, &Bootstrap::default())? {
        println!("{} on {}", model.key.model, model.key.dataset);
        for (view, accuracy) in &model.views {
            println!("  {:12} {}", view.to_string(), percent(&accuracy.accuracy));
        }
        match model.gap {
            Some(gap) => println!("  {:12} {}", "BG-gap", percent(&gap.gap)),
            None => println!("  {:12} needs predictions on mixed-same and mixed-rand", "BG-gap"),
        }
    }
    Ok(())
}
