//! `in9-data export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use in9_base::shell::{Outcome, Shell};

use super::options;
use crate::{ExportFormat, PictureCode, Profile, View, export};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-data export in9 --view all --format folder --out bg_challenge\n  \
    in9-data export in9 --view mixed-rand --format npy --out arrays\n  \
    in9-data export in9 --view original --split train --format webdataset --out train.tar")]
pub(super) struct Export {
    /// Dataset to read.
    dataset: PathBuf,
    /// View, or all (format folder only).
    #[arg(long)]
    view: String,
    /// What to write.
    #[arg(long, value_enum)]
    format: Format,
    /// Folder to write (webdataset: the .tar file).
    #[arg(long)]
    out: PathBuf,
    /// Split; by default test, else the only one.
    #[arg(long)]
    split: Option<String>,
    /// png or jpeg; by default jpeg for profile paper, png otherwise.
    #[arg(long, value_enum)]
    encoding: Option<Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Folder,
    Npy,
    Webdataset,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Encoding {
    Png,
    Jpeg,
}

impl Export {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let (dataset, split) = options::open(&self.dataset, self.split.as_deref())?;
        let views = match self.view.as_str() {
            "all" if self.format == Format::Folder => View::PAPER.to_vec(),
            "all" => anyhow::bail!("--view all needs --format folder; choose one view"),
            view => vec![view.parse()?],
        };
        let code = match self.encoding {
            Some(Encoding::Png) => PictureCode::Png,
            Some(Encoding::Jpeg) => PictureCode::Jpeg,
            None if dataset.manifest().settings.profile == Profile::Paper => PictureCode::Jpeg,
            None => PictureCode::Png,
        };
        let format = match self.format {
            Format::Folder => ExportFormat::Folder,
            Format::Npy => ExportFormat::Npy,
            Format::Webdataset => ExportFormat::WebDataset,
        };
        let bar = shell.progress("pictures", "pictures", 0);
        for view in views {
            let tell = |done, total| bar.tell(view.name(), done, total);
            let count = export(&dataset, &split, view, format, code, &self.out, &tell)?;
            shell.print(format_args!("{}: {count} pictures of {view}", self.out.display()))?;
        }
        Ok(Outcome::Done)
    }
}
