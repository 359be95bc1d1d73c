//! `in9-data toy`.

use std::path::PathBuf;

use clap::Args;
use in9_data::toy::{ToyConfig, render};

use super::progress::Bar;
use super::{Context, Outcome, say};

/// Example: in9-data toy --out world --seed 1 --rho 0.9
#[derive(Args)]
#[command(after_help = "Example:\n  in9-data toy --out world --seed 1 --rho 0.9")]
pub(super) struct Toy {
    /// New folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often an object stands in its own kind of scene, 0 to 1.
    #[arg(long, default_value_t = 0.9)]
    rho: f64,
    /// Training photographs of each class.
    #[arg(long, default_value_t = 300)]
    train_per_class: u32,
    /// Test photographs of each class.
    #[arg(long, default_value_t = 100)]
    test_per_class: u32,
}

impl Toy {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let config = ToyConfig {
            seed: self.seed,
            rho: self.rho,
            train_per_class: self.train_per_class,
            test_per_class: self.test_per_class,
        };
        let bar = Bar::new(context.quiet);
        let made = render(&config, &self.out, &|done, total| bar.tell("rendering", done, total))?;
        bar.finish();
        let out = self.out.display();
        say(format_args!("{out}: {} training and {} test photographs", made.train, made.test))?;
        Ok(Outcome::Done)
    }
}
