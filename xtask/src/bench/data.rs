//! `cargo xtask bench data`: the loader beside a PyTorch DataLoader and memcpy, and whole builds beside OpenCV.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::peer::{Timing, build_release, median, python_with, release_dir, stdout_of};

pub(super) const WORKS: [&str; 4] = ["mixed-rand-f32", "mixed-rand-u8", "original-f32", "original-u8"];
pub(super) const LOADER_PEER: &str = "tests/oracles/data_loader_peer.py";
const BUILD_PEER: &str = "tests/oracles/data_build_peer.py";

/// Time loading and building datasets beside their peers
#[derive(Args)]
pub(crate) struct Data {
    /// Only one of the two
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// The folder of real photographs, for builds [default: $IN9_REAL_DATA, else ../shared/data]
    #[arg(long)]
    data: Option<PathBuf>,
    #[command(flatten)]
    timing: Timing,
    /// Photographs of the ILSVRC slice; of Tiny-ImageNet, per WordNet id
    #[arg(long, default_value_t = 48)]
    limit: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Loader,
    Build,
}

#[derive(Deserialize)]
pub(super) struct Rates {
    pub(super) pictures_per_s: f64,
    #[serde(default)]
    touched_gb_per_s: f64,
    #[serde(default)]
    memcpy_gb_per_s: f64,
}

#[derive(Deserialize)]
struct Built {
    seconds: f64,
    photographs: usize,
    kept: usize,
}

/// A photograph and its box, inclusive.
type Item = (PathBuf, String);

impl Data {
    pub(crate) fn run(self) -> Result<()> {
        std::fs::create_dir_all(&self.timing.out).with_context(|| self.timing.out.display().to_string())?;
        // Of the workspace, whose features are those of every other build: nothing is compiled a second time.
        build_release(&["--workspace", "--bin", "in9", "--example", "bench_loader"])?;
        if self.only != Some(Part::Build) {
            self.loader()?;
        }
        if self.only != Some(Part::Loader) {
            self.builds()?;
        }
        Ok(())
    }

    fn loader(&self) -> Result<()> {
        let (dataset, arrays) = world(&self.timing.out)?;
        let python = python_with(&["numpy", "torch"]);
        println!("work | ours pictures/s | DataLoader | ratio | touched GB/s | memcpy GB/s | share");
        println!("--- | --- | --- | --- | --- | --- | ---");
        let numbers = [self.timing.batch, self.timing.threads, self.timing.epochs].map(|n| n.to_string());
        for work in WORKS {
            let (mut mine, mut theirs) = ([const { Vec::new() }; 3], Vec::new());
            for _ in 0..self.timing.rounds {
                let mut command = Command::new(bench_loader());
                command.arg(&dataset).args(["train", work]).args(&numbers);
                let ours: Rates = serde_json::from_str(&stdout_of(&mut command)?)?;
                mine[0].push(ours.pictures_per_s);
                mine[1].push(ours.touched_gb_per_s);
                mine[2].push(ours.memcpy_gb_per_s);
                if let Some(python) = &python {
                    let mut peer = Command::new(python);
                    peer.arg(LOADER_PEER).arg(&arrays).arg(work).args(&numbers);
                    let peer: Rates = serde_json::from_str(&stdout_of(&mut peer)?)?;
                    theirs.push(peer.pictures_per_s);
                }
            }
            let [ours, touched, copied] = mine.map(|mut values| median(&mut values));
            let theirs = median(&mut theirs);
            println!(
                "{work} | {ours:.0} | {theirs:.0} | {:.1} | {touched:.2} | {copied:.2} | {:.2}",
                ours / theirs,
                touched / copied
            );
        }
        Ok(())
    }

    fn builds(&self) -> Result<()> {
        let data = self.data.clone().unwrap_or_else(|| {
            std::env::var_os("IN9_REAL_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from)
        });
        if !data.is_dir() {
            bail!("{}: no such folder; name the photographs with --data", data.display());
        }
        println!("source | photographs | kept (peer) | ours s | OpenCV s | ratio");
        println!("--- | --- | --- | --- | --- | ---");
        let (root, items) =
            ilsvrc(&data.join("ilsvrc-val-slice"), &self.timing.out.join("ilsvrc"), self.limit)?;
        self.build("ilsvrc", &root, &items, "224")?;
        let (root, items) = tiny(&data.join("tiny-imagenet-200"), &self.timing.out.join("tiny"), self.limit)?;
        self.build("tiny-imagenet", &root, &items, "64")
    }

    fn build(&self, source: &str, root: &Path, items: &[Item], size: &str) -> Result<()> {
        let list = self.timing.out.join(format!("{source}.tsv"));
        let lines = items.iter().fold(String::new(), |mut text, (photo, corners)| {
            let _ = writeln!(text, "{}\t{corners}", photo.display());
            text
        });
        std::fs::write(&list, lines).with_context(|| list.display().to_string())?;
        let (out, peer_out) = (self.timing.out.join("built"), self.timing.out.join("built-peer"));
        let python = python_with(&["cv2", "numpy"]);
        let (mut mine, mut theirs, mut kept, mut peer_kept) = (Vec::new(), Vec::new(), 0, 0);
        for _ in 0..self.timing.rounds {
            if out.exists() {
                std::fs::remove_dir_all(&out).with_context(|| out.display().to_string())?;
            }
            let mut command = in9();
            command.args(["build", "--quiet", "--source", source, "--size", size, "--root"]).arg(root);
            command.arg("--out").arg(&out).args(["--jobs", &self.timing.threads.to_string()]);
            let begun = Instant::now();
            let text = stdout_of(&mut command)?;
            mine.push(begun.elapsed().as_secs_f64());
            let samples = text.lines().filter_map(|line| line.strip_suffix(" samples")?.split(' ').nth(1));
            kept = samples.filter_map(|count| count.parse::<usize>().ok()).sum();
            if let Some(python) = &python {
                let mut peer = Command::new(python);
                peer.arg(BUILD_PEER).arg(&list).arg(size).arg(&peer_out).arg(self.timing.threads.to_string());
                let built: Built = serde_json::from_str(&stdout_of(&mut peer)?)?;
                if built.photographs != items.len() {
                    bail!("{BUILD_PEER} read {} of {} photographs", built.photographs, items.len());
                }
                theirs.push(built.seconds);
                peer_kept = built.kept;
            }
        }
        let (mine, theirs) = (median(&mut mine), median(&mut theirs));
        let photographs = items.len();
        println!(
            "{source} | {photographs} | {kept} ({peer_kept}) | {mine:.2} | {theirs:.2} | {:.1}",
            theirs / mine
        );
        Ok(())
    }
}

/// A toy world of 550 MB at 224, so that nothing stays in a cache, and the same as arrays.
pub(super) fn world(out: &Path) -> Result<(PathBuf, PathBuf)> {
    let (world, dataset, arrays) = (out.join("world"), out.join("toy-224"), out.join("arrays"));
    if !dataset.join("manifest.json").is_file() {
        let mut toy = in9();
        toy.args(["toy", "--train-per-class", "200", "--test-per-class", "1", "--out"]).arg(&world);
        stdout_of(&mut toy)?;
        let mut build = in9();
        build.args(["build", "--source", "toy", "--masks", "exact", "--size", "224", "--root"]);
        stdout_of(build.arg(&world).arg("--out").arg(&dataset))?;
    }
    if !arrays.join("label.npy").is_file() {
        stdout_of(Command::new(bench_loader()).arg("arrays").arg(&dataset).arg("train").arg(&arrays))?;
    }
    Ok((dataset, arrays))
}

fn in9() -> Command {
    Command::new(release_dir().join("in9"))
}

pub(super) fn bench_loader() -> PathBuf {
    release_dir().join("examples/bench_loader")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::copy(from, to).with_context(|| from.display().to_string())?;
    Ok(())
}

/// Both programs must see the same photographs: those of an earlier run with another limit are in the way.
fn clear(root: &Path) -> Result<()> {
    if root.exists() {
        std::fs::remove_dir_all(root).with_context(|| root.display().to_string())?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// The slice's first photographs with exactly one box, as an ILSVRC root of their own.
fn ilsvrc(slice: &Path, root: &Path, limit: usize) -> Result<(PathBuf, Vec<Item>)> {
    clear(root)?;
    let (mut items, mut table) = (Vec::new(), String::from("ImageId,PredictionString\n"));
    for line in read(&slice.join("LOC_val_solution.csv"))?.lines().skip(1) {
        let Some((name, rest)) = line.split_once(',') else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        if words.len() != 5 || items.len() == limit {
            continue;
        }
        let file = format!("ILSVRC/Data/CLS-LOC/val/{name}.JPEG");
        copy(&slice.join(&file), &root.join(&file))?;
        items.push((root.join(&file), words[1..].join("\t")));
        let _ = writeln!(table, "{line}");
    }
    std::fs::write(root.join("LOC_val_solution.csv"), table).with_context(|| root.display().to_string())?;
    Ok((root.into(), items))
}

/// The first training photographs of each WordNet id, as a Tiny-ImageNet root of their own.
fn tiny(whole: &Path, root: &Path, limit: usize) -> Result<(PathBuf, Vec<Item>)> {
    clear(root)?;
    let train = whole.join("train");
    let mut items = Vec::new();
    for entry in std::fs::read_dir(&train).with_context(|| train.display().to_string())? {
        let wnid = entry?.file_name().to_string_lossy().into_owned();
        let table = format!("train/{wnid}/{wnid}_boxes.txt");
        copy(&whole.join(&table), &root.join(&table))?;
        for line in read(&whole.join(&table))?.lines().take(limit) {
            let Some((name, corners)) = line.split_once('\t') else { continue };
            let file = format!("train/{wnid}/images/{name}");
            copy(&whole.join(&file), &root.join(&file))?;
            items.push((root.join(&file), corners.trim().to_string()));
        }
    }
    Ok((root.into(), items))
}
