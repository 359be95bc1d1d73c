//! `cargo xtask bench grabcut`: GrabCut beside OpenCV's, on the same photographs and boxes.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::peer::{build_release, median, python_with, release_dir, stdout_of};

const SCORE: &str = "tests/oracles/grabcut_score.py";
const PEER: &str = "tests/oracles/grabcut_peer.py";

/// Time and score GrabCut beside OpenCV's.
#[derive(Args)]
pub(crate) struct GrabCut {
    /// The folder of real photographs [default: $IN9_REAL_DATA, else ../shared/data]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where lists, masks and raw times are written
    #[arg(long, default_value = "out/bench/grabcut")]
    out: PathBuf,
    /// At most this many photographs of each set
    #[arg(long)]
    limit: Option<usize>,
    /// Alternating rounds of both programs; the least time of each photograph counts
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Leave out the quality against ground truth
    #[arg(long)]
    no_quality: bool,
}

/// A photograph with its box; right and bottom exclusive.
struct Item {
    photo: PathBuf,
    rect: [u32; 4],
}

impl GrabCut {
    pub(crate) fn run(self) -> Result<()> {
        let data = self.data.clone().unwrap_or_else(|| {
            std::env::var_os("IN9_REAL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from)
        });
        if !data.is_dir() {
            bail!("{}: no such folder; name the photographs with --data", data.display());
        }
        std::fs::create_dir_all(&self.out).with_context(|| self.out.display().to_string())?;
        build_release(&["-p", "grabcut", "--example", "segment"])?;
        let python = python_with(&["cv2", "numpy"]);
        println!(
            "{:8} {:>6} {:>21} {:>21} {:>8} {:>8}",
            "set", "photos", "ms median (total s)", "OpenCV", "median", "total"
        );
        for (name, items) in [("ilsvrc", ilsvrc(&data)?), ("tiny", tiny(&data)?)] {
            self.speed(name, &items, python.as_deref())?;
        }
        if let Some(python) = python_with(&["cv2", "numpy", "PIL"])
            && !self.no_quality
        {
            for kind in ["msr", "sod"] {
                self.quality(kind, &data, &python)?;
            }
        }
        Ok(())
    }

    fn speed(&self, name: &str, items: &[Item], python: Option<&Path>) -> Result<()> {
        let items = &items[..items.len().min(self.limit.unwrap_or(usize::MAX))];
        let ours = self.list(&format!("{name}-ours"), items)?;
        let theirs = self.list(&format!("{name}-opencv"), items)?;
        let mut best = [HashMap::new(), HashMap::new()];
        for _ in 0..self.rounds.max(1) {
            keep_least(&mut best[0], &stdout_of(Command::new(segment()).arg(&ours))?);
            if let Some(python) = python {
                keep_least(&mut best[1], &stdout_of(Command::new(python).arg(PEER).arg(&theirs))?);
            }
        }
        let [mine, peer] = best.map(|times| times.into_values().collect::<Vec<f64>>());
        let summary = |mut times: Vec<f64>| (median(&mut times), times.iter().sum::<f64>());
        let (mine, peer) = (summary(mine), summary(peer));
        println!(
            "{name:8} {:>6} {:>12.2} ({:>6.2}) {:>12.2} ({:>6.2}) {:>7.1}x {:>7.1}x",
            items.len(),
            mine.0 * 1e3,
            mine.1,
            peer.0 * 1e3,
            peer.1,
            peer.0 / mine.0,
            peer.1 / mine.1
        );
        let walls = [1, 2].map(|jobs| wall(&ours, jobs, self.rounds));
        if let [Ok(one), Ok(two)] = walls {
            println!("{name:8} two threads over photographs: {:.2}x of one", one / two);
        }
        Ok(())
    }

    /// Writes a list for the programs, with masks going to a folder of the same name.
    fn list(&self, name: &str, items: &[Item]) -> Result<PathBuf> {
        let masks = self.out.join(name);
        std::fs::create_dir_all(&masks).with_context(|| masks.display().to_string())?;
        let mut text = String::new();
        for Item { photo, rect: [x0, y0, x1, y1] } in items {
            let stem = photo.file_stem().unwrap_or_default().to_string_lossy();
            let mask = masks.join(format!("{stem}.png"));
            writeln!(text, "{}\t{x0}\t{y0}\t{x1}\t{y1}\t{}", photo.display(), mask.display())?;
        }
        let path = self.out.join(format!("{name}.tsv"));
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    fn quality(&self, kind: &str, data: &Path, python: &Path) -> Result<()> {
        let mut folders = Vec::new();
        for program in ["opencv", "ours"] {
            let folder = self.out.join(format!("{kind}-{program}"));
            let list = self.out.join(format!("{kind}-{program}.tsv"));
            let mut make = Command::new(python);
            make.args([SCORE, "--list", kind]).arg(data).arg(&folder).arg(&list);
            if let Some(limit) = self.limit {
                make.arg("--limit").arg(limit.to_string());
            }
            stdout_of(&mut make)?;
            let mut run = if program == "ours" { Command::new(segment()) } else { Command::new(python) };
            if program == "opencv" {
                run.arg(PEER);
            }
            stdout_of(run.arg(&list))?;
            folders.push(folder);
        }
        let mut score = Command::new(python);
        score.args([SCORE, "--score", kind]).arg(data).args(&folders);
        if let Some(limit) = self.limit {
            score.arg("--limit").arg(limit.to_string());
        }
        print!("{}", stdout_of(&mut score)?);
        Ok(())
    }
}

fn segment() -> PathBuf {
    release_dir().join("examples/segment")
}

/// Least wall time in seconds of segmenting the list with `jobs` threads.
fn wall(list: &Path, jobs: usize, rounds: usize) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..rounds.max(1) {
        let output = Command::new(segment()).arg(list).args(["--jobs", &jobs.to_string()]).output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find_map(|line| line.strip_prefix("wall\t"));
        let seconds = line.and_then(|line| line.split('\t').next()?.parse().ok());
        least = least.min(seconds.context("the segment example printed no wall time")?);
    }
    Ok(least)
}

/// Takes over `photo TAB seconds` lines, keeping the least of each photograph.
fn keep_least(times: &mut HashMap<String, f64>, output: &str) {
    for line in output.lines() {
        if let Some((photo, seconds)) = line.split_once('\t')
            && let Ok(seconds) = seconds.parse::<f64>()
        {
            let least = times.entry(photo.to_owned()).or_insert(f64::INFINITY);
            *least = least.min(seconds);
        }
    }
}

/// The photographs of the ILSVRC slice that have exactly one box.
fn ilsvrc(data: &Path) -> Result<Vec<Item>> {
    let folder = data.join("ilsvrc-val-slice");
    let table = folder.join("LOC_val_solution.csv");
    let text = std::fs::read_to_string(&table).with_context(|| table.display().to_string())?;
    let item = |line: &str| {
        let (id, boxes) = line.split_once(',')?;
        let fields: Vec<&str> = boxes.split_whitespace().collect();
        let photo = folder.join(format!("ILSVRC/Data/CLS-LOC/val/{id}.JPEG"));
        (fields.len() == 5 && photo.exists()).then_some(())?;
        Some(Item { photo, rect: rect(&fields[1..])? })
    };
    Ok(text.lines().skip(1).filter_map(item).collect())
}

/// Tiny-ImageNet's validation photographs.
fn tiny(data: &Path) -> Result<Vec<Item>> {
    let folder = data.join("tiny-imagenet-200/val");
    let table = folder.join("val_annotations.txt");
    let text = std::fs::read_to_string(&table).with_context(|| table.display().to_string())?;
    let item = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let rect = rect(fields.get(2..6)?)?;
        // OpenCV refuses a box over everything and an empty one; so do we.
        let all = rect[0] == 0 && rect[1] == 0 && rect[2] >= 64 && rect[3] >= 64;
        let empty = rect[0] >= rect[2] || rect[1] >= rect[3];
        (!all && !empty).then(|| Item { photo: folder.join("images").join(fields[0]), rect })
    };
    Ok(text.lines().filter_map(item).collect())
}

fn rect(fields: &[&str]) -> Option<[u32; 4]> {
    let numbers: Vec<u32> = fields.iter().map_while(|f| f.parse().ok()).collect();
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_time_of_each_photograph_is_kept() {
        let mut times = HashMap::new();
        keep_least(&mut times, "a.jpg\t0.5\nb.jpg\t0.25\nnonsense\n");
        keep_least(&mut times, "a.jpg\t0.75\nb.jpg\t0.125\n");
        assert_eq!((times["a.jpg"], times["b.jpg"], times.len()), (0.5, 0.125, 2));
    }

    #[test]
    fn boxes_need_four_numbers() {
        assert_eq!(rect(&["1", "2", "3", "4"]), Some([1, 2, 3, 4]));
        assert_eq!(rect(&["1", "2", "x", "4"]), None);
    }
}
