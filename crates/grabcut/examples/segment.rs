//! Segments the photographs of a list and writes their masks.
//!
//! ```text
//! cargo run --release -p grabcut --example segment -- LIST.tsv [--jobs N]
//! ```
//!
//! Each line of LIST.tsv holds, separated by tabs: photograph, x0, y0, x1, y1, mask to write (PNG,
//! 0 or 255). The box covers columns `x0..x1` and rows `y0..y1`. For every line the program prints
//! the photograph and the seconds that segmenting took, without decoding, separated by a tab.
//!
//! `--jobs N` segments N photographs at a time (one without it) and prints, at the end on standard
//! error, the wall time of all segmenting, which shows what the threads gain.
//!
//! Exit codes: 0 all done, 1 failed, 2 usage, 3 some photographs were skipped.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};
use image::{GrayImage, RgbImage};
use rayon::prelude::*;

/// Photographs held in memory at a time.
const CHUNK: usize = 64;

struct Job {
    photo: PathBuf,
    rect: Rect,
    mask: PathBuf,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (list, jobs) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [list] => (list, Some(None)),
        [list, "--jobs", jobs] | ["--jobs", jobs, list] => (list, jobs.parse().ok().map(Some)),
        _ => ("", None),
    };
    let Some(jobs) = jobs.filter(|jobs| *jobs != Some(0)) else {
        eprintln!("usage: segment LIST.tsv [--jobs N]");
        return ExitCode::from(2);
    };
    match run(list, jobs) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(skipped) => {
            eprintln!("{skipped} photographs skipped");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many photographs were skipped.
fn run(list: &str, jobs: Option<usize>) -> anyhow::Result<usize> {
    let text = std::fs::read_to_string(list).with_context(|| list.to_owned())?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let items: Vec<Job> = lines
        .map(|(number, line)| parse(line).with_context(|| format!("{list}:{}", number + 1)))
        .collect::<anyhow::Result<_>>()?;
    let threads = jobs.unwrap_or(1);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut wall = Duration::ZERO;
    let mut skipped = 0;
    for items in items.chunks(CHUNK) {
        let photos: Vec<_> = items.iter().map(|job| image::open(&job.photo)).collect();
        let start = Instant::now();
        let results: Vec<_> = pool.install(|| {
            let pairs = items.par_iter().zip(photos).with_max_len(1);
            pairs
                .map_init(Workspace::new, |workspace, (job, photo)| {
                    mask(&photo?.into_rgb8(), job.rect, workspace)
                })
                .collect()
        });
        wall += start.elapsed();
        for (job, result) in items.iter().zip(results) {
            let done = result.and_then(|(mask, seconds)| {
                mask.save(&job.mask).with_context(|| format!("{}", job.mask.display()))?;
                Ok(seconds)
            });
            match done {
                Ok(seconds) => println!("{}\t{seconds:.6}", job.photo.display()),
                Err(error) => {
                    eprintln!("{}: {error:#}", job.photo.display());
                    skipped += 1;
                }
            }
        }
    }
    if jobs.is_some() {
        eprintln!("wall\t{:.6}\tthreads\t{threads}", wall.as_secs_f64());
    }
    Ok(skipped)
}

fn parse(line: &str) -> anyhow::Result<Job> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[photo, x0, y0, x1, y1, mask] = fields.as_slice() else {
        bail!("expected 6 fields separated by tabs, found {}", fields.len());
    };
    let number = |text: &str| text.trim().parse().with_context(|| format!("not a number: {text}"));
    let rect = Rect { x0: number(x0)?, y0: number(y0)?, x1: number(x1)?, y1: number(y1)? };
    Ok(Job { photo: photo.into(), rect, mask: mask.into() })
}

/// The mask as a picture and the seconds that it took.
fn mask(photo: &RgbImage, rect: Rect, workspace: &mut Workspace) -> anyhow::Result<(GrayImage, f64)> {
    let (width, height) = photo.dimensions();
    let start = Instant::now();
    let view = RgbView::new(photo.as_raw(), width as usize, height as usize)?;
    let result = segment(view, Init::Box(rect), &Params::default(), workspace)?;
    let seconds = start.elapsed().as_secs_f64();
    let mask = result.mask().iter().map(|&m| m * 255).collect();
    Ok((GrayImage::from_raw(width, height, mask).context("mask has another size")?, seconds))
}
