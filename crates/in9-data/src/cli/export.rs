//! `in9-data export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use in9_base::shell::{Outcome, Shell};
use in9_base::table::{Limits, Table};

use super::options;
use crate::{
    Dataset, ExportFormat, Pairs, PictureCode, Profile, Split, View, export, export_hub, export_pairs,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-data export in9 --view all --format folder --out bg_challenge\n  \
    in9-data export in9 --view mixed-rand --format npy --out arrays\n  \
    in9-data export in9 --view original --split train --format webdataset --out train.tar\n  \
    in9-data export in9 --view all --format hub --out hub           (for Hugging Face's datasets, with Croissant metadata)\n  \
    in9-data export in9 --pairs 8 --format folder --out pairs       (each object on eight backgrounds)")]
pub(super) struct Export {
    /// Dataset to read.
    dataset: PathBuf,
    /// View, all (fifteen, a folder each), paper (the eight of the paper and its release), or controls (six that separate
    /// what pasting does from what a background says).
    #[arg(long, required_unless_present = "pairs")]
    view: Option<String>,
    /// Instead of a view: objects on the backgrounds of other photographs, format folder. So many drawn backgrounds for
    /// each, or a CSV with the columns foreground and background (ids).
    #[arg(long, value_name = "N|CSV", conflicts_with = "view")]
    pairs: Option<String>,
    /// Seed of drawn pairs.
    #[arg(long, default_value_t = 0, requires = "pairs")]
    seed: u64,
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
    /// Image folders with a card and Croissant metadata, as Hugging Face's datasets load them; without --split all splits.
    Hub,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Encoding {
    Png,
    Jpeg,
}

impl Export {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let format = match self.format {
            Format::Folder => ExportFormat::Folder,
            Format::Npy => ExportFormat::Npy,
            Format::Webdataset => ExportFormat::WebDataset,
            Format::Hub => return self.hub(shell),
        };
        let (dataset, split) = options::open(&self.dataset, self.split.as_deref())?;
        let views = match self.view.as_deref() {
            Some("all" | "paper" | "controls") if self.format == Format::Webdataset => {
                anyhow::bail!("--format webdataset writes one file; choose one --view")
            }
            _ => self.views(split.has_layers())?,
        };
        let code = self.code(&dataset);
        let bar = shell.progress("pictures", "pictures", 0);
        if let Some(pairs) = &self.pairs {
            if self.format != Format::Folder {
                anyhow::bail!("--pairs needs --format folder");
            }
            let tell = |done, total| bar.tell("pairs", done, total);
            let count = export_pairs(&dataset, &split, &listed(pairs, self.seed)?, code, &self.out, &tell)?;
            shell.print(format_args!("{}: {count} pictures of pairs", self.out.display()))?;
        }
        let several = views.len() > 1;
        for view in views {
            let tell = |done, total| bar.tell(view.name(), done, total);
            // Arrays have the same names for every view, so that several views need a folder each.
            let apart = several && format == ExportFormat::Npy;
            let out = if apart { self.out.join(view.release_folder()) } else { self.out.clone() };
            let count = export(&dataset, &split, view, format, code, &out, &tell)?;
            shell.print(format_args!("{}: {count} pictures of {view}", out.display()))?;
        }
        Ok(Outcome::Done)
    }

    fn hub(&self, shell: &Shell) -> anyhow::Result<Outcome> {
        anyhow::ensure!(self.pairs.is_none(), "--pairs needs --format folder");
        let dataset = Dataset::open(&self.dataset)?;
        let names = self.split.as_deref().map_or_else(|| dataset.splits(), |split| vec![split]);
        let splits = names.into_iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>, _>>()?;
        let views = self.views(splits.iter().all(Split::has_layers))?;
        let bar = shell.progress("pictures", "pictures", 0);
        let tell = |done, total| bar.tell("pictures", done, total);
        let count = export_hub(&dataset, &splits, &views, self.code(&dataset), &self.out, &tell)?;
        bar.finish();
        shell.print(format_args!("{}: {count} pictures, README.md, croissant.json", self.out.display()))?;
        Ok(Outcome::Done)
    }

    fn views(&self, layers: bool) -> anyhow::Result<Vec<View>> {
        Ok(match self.view.as_deref() {
            None => Vec::new(),
            // A dataset of photographs only has no other view.
            Some("all" | "paper" | "controls") if !layers => vec![View::Original],
            Some("all") => View::ALL.to_vec(),
            Some("paper") => View::PAPER.to_vec(),
            Some("controls") => View::CONTROLS.to_vec(),
            Some(view) => vec![view.parse()?],
        })
    }

    fn code(&self, dataset: &Dataset) -> PictureCode {
        match self.encoding {
            Some(Encoding::Png) => PictureCode::Png,
            Some(Encoding::Jpeg) => PictureCode::Jpeg,
            None if dataset.manifest().settings.profile == Profile::Paper => PictureCode::Jpeg,
            None => PictureCode::Png,
        }
    }
}

/// Pairs as the flag names them.
fn listed(text: &str, seed: u64) -> anyhow::Result<Pairs> {
    if let Ok(each) = text.parse::<u32>() {
        anyhow::ensure!(each > 0, "--pairs: expected at least 1, found 0");
        return Ok(Pairs::Drawn { each, seed });
    }
    let path = PathBuf::from(text);
    let mut table = Table::open(&path, Limits { bytes: 1 << 30, ..Limits::default() })?;
    let columns = table.column("foreground").zip(table.column("background"));
    let mut pairs = Vec::new();
    while let (Some((_, row)), Some((fore, back))) = (table.next_row()?, columns) {
        pairs.push((row[fore].to_owned(), row[back].to_owned()));
    }
    table.finish()?;
    Ok(Pairs::Listed(pairs))
}
