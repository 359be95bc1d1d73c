//! Probes in pieces: shares of the photographs, each measured by a process of its own, and merged.

pub(crate) mod effects;
pub(crate) mod maps;
pub(crate) mod pairs;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use in9_base::files::{self, Journal};
use in9_base::{Piece, check_whole, shell};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// No settings.toml is longer than this, in bytes.
const LONGEST: u64 = 1 << 20;

/// How a probe's photographs are divided.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pieces")]
pub(crate) struct Pieces {
    /// Measures only piece i of n of the photographs, for --merge: i/n with i from 1, or auto or auto/n where Slurm,
    /// HyperQueue or SkyPilot says which piece it is.
    #[arg(long, value_name = "I/N", value_parser = shell::piece)]
    pub(crate) shard: Option<Piece>,
    /// Merges these pieces' folders, with the other arguments as they had them, instead of measuring.
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with = "shard")]
    pub(crate) merge: Vec<PathBuf>,
}

/// What a piece's settings.toml says beside what a whole measurement's does.
#[derive(Deserialize)]
struct Written {
    shard: Piece,
    device: String,
}

impl Pieces {
    /// This piece's share of the photographs, which are all of them without `--shard`.
    pub(crate) fn share(&self, photographs: Vec<u32>) -> Vec<u32> {
        match self.shard {
            Some(piece) => piece.share(photographs).collect(),
            None => photographs,
        }
    }

    /// What settings.toml says: `text`, and of a piece also `of_pieces` and which piece it is. With `--merge`, the folders
    /// to merge must say the same, all on one kind of device, which then stands in the text: merging needs none.
    pub(crate) fn settings(&self, text: String, of_pieces: &str) -> Result<String> {
        if let Some(piece) = self.shard {
            return Ok(format!("{text}{of_pieces}shard = \"{piece}\"\n"));
        }
        let wanted = format!("{text}{of_pieces}");
        let mut devices: Vec<(&Path, String)> = Vec::new();
        for folder in &self.merge {
            let (path, text, written) = settings(folder)?;
            if whatever_the_piece(&text) != whatever_the_piece(&wanted) {
                bail!(
                    "{}: made with other settings, weights, normalisation, mapping or data; merge pieces of one measurement",
                    path.display()
                );
            }
            devices.push((folder, written.device));
        }
        let Some((first, device)) = devices.first() else { return Ok(text) };
        if let Some((other, found)) = devices.iter().find(|(_, other)| other != device) {
            bail!(
                "{} was made on {found} and {} on {device}, which round differently; make all pieces on one kind of device",
                other.display(),
                first.display()
            );
        }
        let line = |line: &str| match line.starts_with("device = ") {
            true => format!("device = {}\n", toml::Value::from(device.as_str())),
            false => format!("{line}\n"),
        };
        Ok(text.lines().map(line).collect())
    }

    /// Checks that the folders to merge are all pieces, each once.
    pub(crate) fn check_whole(&self) -> Result<()> {
        let piece = |folder: &PathBuf| Ok((folder.clone(), settings(folder)?.2.shard));
        let pieces = self.merge.iter().map(piece).collect::<Result<Vec<_>>>()?;
        Ok(check_whole(&pieces)?)
    }

    /// The rows of the tables called `name` of all pieces.
    pub(crate) fn rows<T>(
        &self,
        name: &str,
        read: impl Fn(&csv::StringRecord) -> Option<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        for folder in &self.merge {
            let path = folder.join(name);
            for record in csv::Reader::from_reader(files::open(&path)?).records() {
                let record = record.map_err(crate::Error::csv(&path))?;
                let line = record.position().map_or(0, csv::Position::line);
                let row = read(&record);
                rows.push(row.with_context(|| format!("{}, line {line}: is damaged", path.display()))?);
            }
        }
        Ok(rows)
    }
}

/// Opens or begins the journal beside `out` of measurements whose settings are `written`; hands what an earlier run has
/// measured to `replay`.
pub(crate) fn journal(
    out: &Path,
    written: &str,
    replay: impl FnMut(&[u8]) -> bool,
) -> in9_base::Result<Journal> {
    // Other code may measure otherwise, and keeps it in another way.
    let identity = blake3::hash(format!("{} {written}", crate::IDENTITY).as_bytes());
    Journal::open(&Journal::beside(out), identity, replay)
}

/// The path, text and piece of a folder's settings.
fn settings(folder: &Path) -> Result<(PathBuf, String, Written)> {
    let path = folder.join("settings.toml");
    let text = files::read_text(&path, LONGEST)?;
    let written = toml::from_str(&text);
    let written = written
        .map_err(|_| anyhow::anyhow!("{}: is no piece's (expected shard and device)", path.display()))?;
    Ok((path, text, written))
}

/// Settings without what may differ between the pieces of one measurement and the process that merges them.
fn whatever_the_piece(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("shard = ") && !line.starts_with("device = ")).collect()
}

/// A cell as a number; the texts that [`ToString`] gives are read back bit for bit.
fn cell<T: FromStr>(record: &csv::StringRecord, at: usize) -> Option<T> {
    record.get(at)?.parse().ok()
}

/// Checks that `found` are the photographs `wanted`, in any order.
fn check_photographs(mut found: Vec<u32>, wanted: &[u32]) -> Result<()> {
    found.sort_unstable();
    if found != wanted {
        bail!(
            "the pieces do not make a whole (expected {} photographs, found {}); they are damaged",
            wanted.len(),
            found.len()
        );
    }
    Ok(())
}
