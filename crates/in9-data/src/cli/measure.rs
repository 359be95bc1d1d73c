//! `in9-data measure-build`: how fast photographs are taken apart on this machine.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use in9_base::files;
use in9_base::shell::{Outcome, Shell};

use crate::{BuildConfig, Dataset, SourceKind, build};

/// Measures how many pixels of photographs a build takes apart a second, on some that it draws: one line of JSON.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data measure-build")]
pub(super) struct MeasureBuild {
    /// Photographs of each of nine classes.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_class: u32,
}

impl MeasureBuild {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let place = std::env::temp_dir().join(format!("in9-measure-{}", std::process::id()));
        files::create_folder(&place)?;
        let speeds = self.measured(&place);
        files::remove_folder(&place)?;
        let (cut, plain) = speeds?;
        shell
            .print(format_args!("{{\"pixels_per_second\": {cut}, \"plain_pixels_per_second\": {plain}}}"))?;
        Ok(Outcome::Done)
    }

    /// Pixels a second with GrabCut, and of photographs alone.
    fn measured(&self, place: &Path) -> anyhow::Result<(f64, f64)> {
        let photographs = place.join("photographs");
        let world =
            in9_toy::WorldConfig { seed: 0, rho: 0.9, train_per_class: self.per_class, test_per_class: 1 };
        in9_toy::render(&world, &photographs, &|_, _| ())?;
        let mut speeds = [0.0; 2];
        for (speed, photos_only) in speeds.iter_mut().zip([false, true]) {
            let out = place.join(if photos_only { "plain" } else { "cut" });
            let config = BuildConfig { photos_only, ..BuildConfig::new(SourceKind::Toy, &photographs, &out) };
            let started = Instant::now();
            let report = build(&config, &|_| ())?;
            let seconds = started.elapsed().as_secs_f64();
            let (mut kept, mut pixels) = (0u64, 0u64);
            let dataset = Dataset::open(&out)?;
            for name in dataset.splits() {
                for sample in dataset.split(name)?.samples() {
                    kept += 1;
                    pixels += u64::from(sample.width) * u64::from(sample.height);
                }
            }
            let rejected: u64 = report.rejected.iter().map(|(.., count)| count).sum();
            // Those that were rejected were read too, and are as large as the others.
            let all = pixels as f64 * (kept + rejected) as f64 / kept.max(1) as f64;
            *speed = all / seconds.max(1e-9);
            remove(&out)?;
        }
        remove(&photographs)?;
        let [cut, plain] = speeds;
        Ok((cut, plain))
    }
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    Ok(files::remove_owned(folder)?)
}
