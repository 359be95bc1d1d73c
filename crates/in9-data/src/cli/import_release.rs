//! `in9-data import-release`.

use std::path::PathBuf;

use clap::Args;
use in9_base::shell::{Outcome, Shell};

use super::options;
use crate::{BuildConfig, SourceKind, build};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data import-release --root bg_challenge --out in9-release")]
pub(super) struct ImportRelease {
    /// Folder bg_challenge of the release.
    #[arg(long)]
    root: PathBuf,
    /// Dataset to make.
    #[arg(long)]
    out: PathBuf,
    /// imagenet-9, or a TOML file whose class folders are those of the release.
    #[arg(long, default_value = "imagenet-9")]
    taxonomy: String,
    /// A rehearsal: import this share of the photographs of each class.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    scale: f64,
    /// Pixels of a side of the released pictures.
    #[arg(long, default_value_t = 224)]
    size: u32,
}

impl ImportRelease {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let config = BuildConfig {
            taxonomy: Some(options::taxonomy(&self.taxonomy)?),
            size: self.size,
            scale: self.scale,
            ..BuildConfig::new(SourceKind::Release, &self.root, &self.out)
        };
        let bar = shell.progress("listing pictures", "pictures", 0);
        let report = super::build::with_faults(build(&config, &|p| {
            bar.tell(super::build::stage(p.stage), p.done, p.total)
        }))?;
        bar.finish();
        for d in &report.differences {
            let far = 100.0 * d.beyond_32;
            shell.print(format_args!(
                "{}: {} pictures, mean difference {:.3}, {far:.3} % beyond 32",
                d.view, d.pictures, d.mean
            ))?;
        }
        super::build::tell(shell, &self.out, &report)
    }
}
