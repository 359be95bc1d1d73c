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
    /// How often each photograph is segmented by both programs; its least times count
    #[arg(long, default_value_t = 2)]
    rounds: usize,
    /// Only this part: speed on one set (ilsvrc, tiny), scale or quality [default: all of them]
    #[arg(long)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Ilsvrc,
    Tiny,
    Scale,
    Quality,
}

/// Photographs after which the programs take turns, so that both meet the same machine.
const TURN: usize = 15;

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
        build_release(&["-p", "grabcut", "--example", "segment", "--example", "scale"])?;
        let wanted = |part| self.only.is_none_or(|only| only == part);
        let python = python_with(&["cv2", "numpy"]);
        if wanted(Part::Ilsvrc) {
            self.speed("ilsvrc", ilsvrc(&data)?, python.as_deref())?;
        }
        if wanted(Part::Tiny) {
            self.speed("tiny", tiny(&data)?, python.as_deref())?;
        }
        if wanted(Part::Scale) {
            println!("time and memory by size, on a drawn scene:");
            print!("{}", stdout_of(&mut Command::new(example("scale")))?);
        }
        if wanted(Part::Quality)
            && let Some(python) = python_with(&["cv2", "numpy", "PIL"])
        {
            println!("intersection over union with the ground truth:");
            for kind in ["msr", "sod"] {
                self.quality(kind, &data, &python)?;
            }
        }
        Ok(())
    }

    fn speed(&self, name: &str, mut items: Vec<Item>, python: Option<&Path>) -> Result<()> {
        items.truncate(self.limit.unwrap_or(usize::MAX));
        let mut times: [HashMap<String, f64>; 2] = Default::default();
        for turn in items.chunks(TURN) {
            let ours = self.list(&format!("{name}-ours"), turn)?;
            let theirs = self.list(&format!("{name}-opencv"), turn)?;
            for _ in 0..self.rounds.max(1) {
                keep_least(&mut times[0], &stdout_of(Command::new(example("segment")).arg(&ours))?);
                if let Some(python) = python {
                    keep_least(&mut times[1], &stdout_of(Command::new(python).arg(PEER).arg(&theirs))?);
                }
            }
        }
        let [mine, peer] = &times;
        println!("{name}: {} photographs, one thread, without decoding", mine.len());
        println!("{:12} {:>10} {:>10}", "", "median ms", "total s");
        let summary = |label: &str, times: &HashMap<String, f64>| {
            let mut times: Vec<f64> = times.values().copied().collect();
            let (median, total) = (median(&mut times), times.iter().sum::<f64>());
            println!("{label:12} {:>10.2} {total:>10.3}", median * 1e3);
            (median, total)
        };
        let ours = summary("grabcut", mine);
        if !peer.is_empty() {
            let theirs = summary("OpenCV", peer);
            let mut ratios: Vec<f64> = mine.iter().filter_map(|(k, t)| Some(peer.get(k)? / t)).collect();
            println!("{:12} {:>9.1}x {:>9.1}x", "ratio", theirs.0 / ours.0, theirs.1 / ours.1);
            let middle = median(&mut ratios);
            let at = |part: f64| ratios[((ratios.len() - 1) as f64 * part).round() as usize];
            println!(
                "ratio of each photograph: median {middle:.1}x, from {:.1}x (10 % are below {:.1}x) to {:.1}x",
                at(0.0),
                at(0.1),
                at(1.0)
            );
        }
        let all = self.list(&format!("{name}-ours"), &items)?;
        let (mut one, mut two) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..=self.rounds {
            one = one.min(wall(&all, 1)?);
            two = two.min(wall(&all, 2)?);
        }
        println!("two threads over photographs: {one:.2} s to {two:.2} s, {:.2}x of one", one / two);
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
            let mut run =
                if program == "ours" { Command::new(example("segment")) } else { Command::new(python) };
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

fn example(name: &str) -> PathBuf {
    release_dir().join("examples").join(name)
}

/// Wall time in seconds of segmenting the list with `jobs` threads.
fn wall(list: &Path, jobs: usize) -> Result<f64> {
    let mut command = Command::new(example("segment"));
    let output = command.arg(list).args(["--jobs", &jobs.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find_map(|line| line.strip_prefix("wall\t"));
    let seconds = line.and_then(|line| line.split('\t').next()?.parse().ok());
    seconds.with_context(|| format!("{command:?} printed no wall time"))
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
