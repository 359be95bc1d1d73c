//! How sure an interval is to be, as every command that prints intervals is told.

// For readers of the documentation only: clap would print it in the place of what the program is for.
#[cfg_attr(doc, doc = "Settings of every interval.")]
#[allow(missing_docs, reason = "see the line above")]
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Statistics {
    /// Confidence level of every interval
    #[arg(long, default_value_t = 0.95, value_parser = level)]
    pub level: f64,
    /// Bootstrap resamples
    #[arg(long, default_value_t = 2000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub replicates: u32,
    /// Seed of the resamples
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err(format!("expected a number between 0 and 1, such as 0.95, found {text}")),
    }
}
