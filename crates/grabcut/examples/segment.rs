//! Segments the photographs of a list and writes their masks.
//!
//! ```text
//! cargo run --release -p grabcut --example segment -- LIST.tsv
//! ```
//!
//! Each line of LIST.tsv holds, separated by tabs: photograph, x0, y0, x1, y1, mask to write (PNG,
//! 0 or 255). The box covers columns `x0..x1` and rows `y0..y1`. For every line the program prints
//! the photograph and the seconds that segmenting took, without decoding, separated by a tab.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use grabcut::{Init, Params, Rect, RgbView, Workspace, segment};

struct Job {
    photo: PathBuf,
    rect: Rect,
    mask: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let list = std::env::args_os()
        .nth(1)
        .context("usage: segment LIST.tsv")?;
    let text = std::fs::read_to_string(&list).with_context(|| format!("{}", list.display()))?;
    let mut workspace = Workspace::new();
    let mut failures = 0;
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let job = parse(line).with_context(|| format!("{}:{}", list.display(), number + 1))?;
        match run(&job, &mut workspace) {
            Ok(seconds) => println!("{}\t{seconds:.6}", job.photo.display()),
            Err(error) => {
                eprintln!("{}: {error:#}", job.photo.display());
                failures += 1;
            }
        }
    }
    if failures > 0 {
        bail!("{failures} photographs failed");
    }
    Ok(())
}

fn parse(line: &str) -> anyhow::Result<Job> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[photo, x0, y0, x1, y1, mask] = fields.as_slice() else {
        bail!(
            "expected 6 fields separated by tabs, found {}",
            fields.len()
        );
    };
    let number = |text: &str| {
        text.trim()
            .parse()
            .with_context(|| format!("not a number: {text}"))
    };
    let rect = Rect {
        x0: number(x0)?,
        y0: number(y0)?,
        x1: number(x1)?,
        y1: number(y1)?,
    };
    Ok(Job {
        photo: photo.into(),
        rect,
        mask: mask.into(),
    })
}

fn run(job: &Job, workspace: &mut Workspace) -> anyhow::Result<f64> {
    let photo = image::open(&job.photo)?.into_rgb8();
    let (width, height) = photo.dimensions();
    let start = Instant::now();
    let view = RgbView::new(photo.as_raw(), width as usize, height as usize)?;
    let result = segment(view, Init::Box(job.rect), &Params::default(), workspace)?;
    let seconds = start.elapsed().as_secs_f64();
    let mask = result.mask().iter().map(|&m| m * 255).collect();
    let mask = image::GrayImage::from_raw(width, height, mask).context("mask has another size")?;
    mask.save(&job.mask)
        .with_context(|| format!("{}", job.mask.display()))?;
    Ok(seconds)
}
