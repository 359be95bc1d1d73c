//! `in9-data show`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use in9_base::shell::{Outcome, Shell};

use super::options;
use crate::{Dataset, View, contact_sheet, rejected_sheet};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  in9-data show in9\n  in9-data show in9 --id n02497673_05944 --png views.png\n  \
    in9-data show in9 --split train --count 12 --png sheet.png\n  \
    in9-data show in9 --rejected --root my-photos --png rejected.png"
)]
pub(super) struct Show {
    /// Dataset to look at.
    dataset: PathBuf,
    /// Split; by default test, else the only one.
    #[arg(long)]
    split: Option<String>,
    /// Sample to show; without it the dataset is summarised.
    #[arg(long)]
    id: Option<String>,
    /// Write a contact sheet: one row a sample, one column a view.
    #[arg(long)]
    png: Option<PathBuf>,
    /// Samples of the contact sheet, spread over the split, if no id is given.
    #[arg(long, default_value_t = 9)]
    count: usize,
    /// Instead of samples: a sheet of the photographs that were rejected, a row a rule.
    #[arg(long, requires_all = ["root", "png"], conflicts_with = "id")]
    rejected: bool,
    /// With --rejected: the folder that the dataset was built from.
    #[arg(long, requires = "rejected")]
    root: Option<PathBuf>,
}

impl Show {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        if let (Some(root), Some(png)) = (&self.root, &self.png) {
            return self.rejected(root, png, shell);
        }
        let (dataset, split) = options::open(&self.dataset, self.split.as_deref())?;
        let mut out = String::new();
        let rows = match &self.id {
            Some(id) => {
                let index = split.find(id).ok_or_else(|| {
                    anyhow::anyhow!(
                        "no sample {id} in split {} (see samples.csv); give another --id",
                        split.name()
                    )
                })?;
                let sample = split.sample(index);
                writeln!(out, "id          {}", sample.id)?;
                writeln!(out, "split       {}, number {index} of {}", split.name(), split.len())?;
                let class = &dataset.taxonomy().classes[usize::from(sample.class)];
                writeln!(out, "class       {} ({})", class.name, sample.class)?;
                writeln!(out, "fine label  {}", sample.fine)?;
                writeln!(out, "photograph  {}, {}x{}", sample.source, sample.width, sample.height)?;
                writeln!(
                    out,
                    "box         {:?} in the photograph, {:?} in the crop",
                    sample.photo_box, sample.crop_box
                )?;
                let pixels = (split.size() * split.size()) as f64;
                let share = |area: u32| 100.0 * f64::from(area) / pixels;
                writeln!(out, "foreground  {:.1} % of the crop", share(sample.mask_area))?;
                writeln!(out, "box area    {:.1} % of the crop", share(sample.box_area))?;
                vec![index]
            }
            None => {
                let manifest = dataset.manifest();
                let settings = &manifest.settings;
                writeln!(
                    out,
                    "source {}, profile {}, size {}",
                    settings.source, settings.profile, settings.size
                )?;
                for info in &manifest.splits {
                    writeln!(out, "{}: {} samples in {} shards", info.name, info.samples, info.shards.len())?;
                    for kept in &info.kept {
                        writeln!(out, "  {:>8}  {}", kept.count, kept.class)?;
                    }
                    for rule in &info.rejected {
                        writeln!(out, "  {:>8}  rejected by {}", rule.count, rule.rule)?;
                    }
                }
                writeln!(out, "digest {}", dataset.digest())?;
                let count = self.count.min(split.len());
                (0..count).map(|k| k * split.len() / count).collect()
            }
        };
        if let Some(png) = &self.png {
            let views: &[View] = if split.has_layers() { &View::ALL } else { &[View::Original] };
            contact_sheet(&dataset, &split, &rows, views, png)?;
            writeln!(out, "contact sheet {} ({} rows: {})", png.display(), rows.len(), names(views))?;
        }
        shell.print(out.trim_end())?;
        Ok(Outcome::Done)
    }
}

impl Show {
    /// A split of which everything was rejected can be looked at too, so the split is only a name here.
    fn rejected(&self, root: &Path, png: &Path, shell: &Shell) -> anyhow::Result<Outcome> {
        let dataset = Dataset::open(&self.dataset)?;
        let names = dataset.splits();
        let usual = if names.contains(&"test") || names.is_empty() { "test" } else { names[0] };
        let split = self.split.as_deref().unwrap_or(usual);
        let sheet = rejected_sheet(&dataset, split, root, png)?;
        for line in &sheet.unread {
            shell.say(line);
        }
        for (rule, count) in &sheet.rules {
            shell.print(format_args!("{split}: {count} rejected by {rule}"))?;
        }
        shell.print(format_args!("{}: {} photographs", png.display(), sheet.shown))?;
        Ok(if sheet.unread.is_empty() { Outcome::Done } else { Outcome::Skips })
    }
}

fn names(views: &[View]) -> String {
    views.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ")
}
