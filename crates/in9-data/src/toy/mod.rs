//! The toy world: photographs that the program draws itself.
//!
//! The real photographs of the paper cannot be shipped, and their truth is not known exactly. So
//! the default run paints its own: nine kinds of object, nine kinds of scene, exact masks and
//! boxes, and a dial ρ for how strongly the two go together. They are stored as ILSVRC-2012 stores
//! its photographs, so everything after this module treats them as it treats ImageNet.
//!
//! | class | own scene | sub-kinds (fine labels) |
//! | --- | --- | --- |
//! | butterfly | meadow | monarch, swallowtail, moth |
//! | fish | sea | trout, reef fish, angelfish |
//! | cactus | desert | saguaro, barrel cactus, prickly pear |
//! | mushroom | forest | toadstool, chanterelle, ink cap |
//! | car | city | saloon car, bus, lorry |
//! | penguin | snow | emperor penguin, penguin chick, rockhopper |
//! | vessel | room | teapot, mug, jug |
//! | rocket | night | slim rocket, stout rocket, booster rocket |
//! | balloon | mountain | hot-air balloon, airship, party balloon |
//!
//! # What carries the class, and what does not
//!
//! With probability ρ an object stands in its own kind of scene, otherwise in one of all nine
//! drawn uniformly (its own included). At ρ = 0 the scene says nothing of the class; at ρ = 1 it
//! says everything that can be seen of it. Besides the scene, **shape alone** carries the class:
//! colours, patterns, light, dapple, pose, stretch, size and place of the box, shadow, blur and
//! noise come from the same distributions for all kinds. The box's proportions are nearly the same
//! for all kinds, because figures are stretched (by at most 1.5 to 1) towards a common one.
//!
//! # The same world at another ρ
//!
//! Every choice is drawn from a stream keyed by (seed, purpose, photograph). ρ enters only the
//! choice of the scene, so worlds of one seed show the same objects in the same poses under the
//! same camera at every ρ: differences between them are paired. A larger world begins with the
//! photographs of a smaller one. Thread count changes no byte, and the drawing uses only
//! arithmetic that every platform rounds alike (see `maths.rs`).
//!
//! # Flaws
//!
//! A few percent of the photographs fail one of the protocol's filters on purpose (two objects, a
//! close-up over 90 %, a box cut off by the central square, an annotation of another size, no
//! annotation at all); `toy-scenes.csv` says which.
//!
//! # Example
//!
//! ```
//! # fn main() -> in9_data::Result<()> {
//! use in9_data::toy::{ToyConfig, render};
//!
//! let folder = tempfile::tempdir().expect("a temporary folder");
//! let config = ToyConfig { seed: 7, rho: 0.5, train_per_class: 2, test_per_class: 1 };
//! let made = render(&config, &folder.path().join("world"), &|_, _| ())?;
//! assert_eq!((made.train, made.test), (18, 9));
//! assert!(folder.path().join("world/ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG").exists());
//! # Ok(())
//! # }
//! ```

mod colour;
mod dice;
mod figure;
mod files;
mod layout;
mod maths;
mod noise;
mod objects;
mod outline;
mod paint;
mod photograph;
mod raster;
mod scenes;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::atomic;
use crate::error::{Error, Result};
use files::Place;
use objects::{KINDS, wnid};
use photograph::Key;

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ToyConfig {
    /// Seed of everything random.
    pub seed: u64,
    /// ρ, 0…1: how often an object stands in its own kind of scene; otherwise any of the nine is
    /// drawn uniformly.
    pub rho: f64,
    /// Training photographs of each class, before the protocol's filters; at least 1.
    pub train_per_class: u32,
    /// Test photographs of each class, before the protocol's filters; at least 1.
    pub test_per_class: u32,
}

impl Default for ToyConfig {
    fn default() -> Self {
        ToyConfig { seed: 0, rho: 0.9, train_per_class: 300, test_per_class: 100 }
    }
}

/// The most photographs of one class in one split: names number all nine classes with eight digits.
pub const MAX_PER_CLASS: u32 = 10_000_000;

/// What was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToyReport {
    /// Training photographs.
    pub train: u64,
    /// Test photographs.
    pub test: u64,
    /// Photographs, of both splits, that stand in their own kind of scene.
    pub at_home: u64,
    /// Photographs, of both splits, that carry a deliberate flaw.
    pub flawed: u64,
}

/// Draws a toy world into the new folder `out`, in the ILSVRC layout (see the module's text), on
/// the current rayon pool. `progress` is called from any thread with the number of photographs
/// done and their total.
///
/// The folder appears whole or not at all.
///
/// # Errors
/// If ρ or a count is out of range, if `out` exists and is not an empty folder, or if a file
/// cannot be written.
pub fn render(config: &ToyConfig, out: &Path, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<ToyReport> {
    check(config, out)?;
    let parent = atomic::parent(out);
    atomic::create_folder(parent)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".in9-toy-").suffix(".partial");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    let staging = builder.tempdir_in(parent).map_err(|e| Error::write(out, e))?;
    let report = fill(config, staging.path(), progress)?;
    // An empty folder is replaced; rename does that by itself only on some systems.
    if out.exists() {
        std::fs::remove_dir(out).map_err(|e| Error::write(out, e))?;
    }
    std::fs::rename(staging.path(), out).map_err(|e| Error::write(out, e))?;
    // Nothing is left at the old name for the guard to remove.
    let _ = staging.keep();
    atomic::sync_folder(parent)?;
    Ok(report)
}

fn check(config: &ToyConfig, out: &Path) -> Result<()> {
    if !(0.0..=1.0).contains(&config.rho) {
        return Err(Error::argument(
            "rho out of range",
            "0 to 1",
            config.rho.to_string(),
            "give a share between 0 and 1",
        ));
    }
    for (what, n) in [("training", config.train_per_class), ("test", config.test_per_class)] {
        if n == 0 || n > MAX_PER_CLASS {
            return Err(Error::argument(
                format!("{what} photographs per class"),
                format!("1 to {MAX_PER_CLASS}"),
                n.to_string(),
                "choose another number",
            ));
        }
    }
    let occupied = match std::fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_some(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(e) => return Err(Error::write(out, e)),
    };
    if occupied {
        return Err(Error::argument(
            format!("{} is not empty", out.display()),
            "a new or empty folder",
            "files",
            "remove it or choose another folder",
        ));
    }
    Ok(())
}

/// One photograph to take.
struct Job {
    key: Key,
    place: Place,
}

/// What the tables say of one photograph.
struct Line {
    scene: String,
    solution: String,
    at_home: bool,
    flawed: bool,
}

fn jobs(config: &ToyConfig) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (train, count) in [(true, config.train_per_class), (false, config.test_per_class)] {
        for number in 0..u64::from(count) {
            for class in 0..KINDS.len() {
                let fine = (number % 3) as usize;
                let key = Key { seed: config.seed, rho: config.rho, train, class, fine, number };
                let id = wnid(class, fine);
                let place = if train {
                    Place { folder: format!("train/{id}"), stem: format!("{id}_{number}") }
                } else {
                    Place {
                        folder: "val".into(),
                        stem: format!("ILSVRC2012_val_{:08}", number * 9 + class as u64 + 1),
                    }
                };
                jobs.push(Job { key, place });
            }
        }
    }
    jobs
}

fn fill(config: &ToyConfig, root: &Path, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<ToyReport> {
    for tree in [files::DATA, files::ANNOTATIONS, files::MASKS] {
        for class in 0..KINDS.len() {
            for fine in 0..3 {
                atomic::create_folder(&root.join(tree).join("train").join(wnid(class, fine)))?;
            }
        }
        atomic::create_folder(&root.join(tree).join("val"))?;
    }
    let jobs = jobs(config);
    let (done, total) = (AtomicU64::new(0), jobs.len() as u64);
    let lines: Vec<Line> = jobs
        .par_iter()
        .map(|job| {
            let line = take(job, root)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            Ok(line)
        })
        .collect::<Result<_>>()?;

    let synsets: String = KINDS
        .iter()
        .enumerate()
        .flat_map(|(class, kind)| {
            (0..3).map(move |fine| format!("{} {}\n", wnid(class, fine), kind.fine[fine]))
        })
        .collect();
    files::save(&root.join("LOC_synset_mapping.txt"), synsets.as_bytes())?;
    let mut solution = String::from("ImageId,PredictionString\n");
    let mut scenes = String::from("image,split,class,fine,scene,at_home,flaw\n");
    for (job, line) in jobs.iter().zip(&lines) {
        scenes += &line.scene;
        if !job.key.train {
            solution += &line.solution;
        }
    }
    files::save(&root.join("LOC_val_solution.csv"), solution.as_bytes())?;
    files::save(&root.join("toy-scenes.csv"), scenes.as_bytes())?;
    let settings = toml::to_string(config).map_err(|e| {
        Error::argument("cannot write settings", "TOML", e.to_string(), "report this as a bug")
    })?;
    files::save(
        &root.join("toy.toml"),
        format!("# Settings of this toy world; boxes are pixel indices from 0, inclusive.\n{settings}")
            .as_bytes(),
    )?;
    let count = |of: fn(&Line) -> bool| lines.iter().filter(|l| of(l)).count() as u64;
    Ok(ToyReport {
        train: jobs.iter().filter(|j| j.key.train).count() as u64,
        test: jobs.iter().filter(|j| !j.key.train).count() as u64,
        at_home: count(|l| l.at_home),
        flawed: count(|l| l.flawed),
    })
}

/// Takes, writes and describes one photograph.
fn take(job: &Job, root: &Path) -> Result<Line> {
    let Job { key, place } = job;
    let photo = key.take();
    let (id, kind) = (wnid(key.class, key.fine), &KINDS[key.class]);
    files::write(root, place, &id, &photo)?;
    let at_home = photo.scene == kind.home;
    let split = if key.train { "train" } else { "test" };
    let scene = format!(
        "{},{split},{},{id},{},{at_home},{}\n",
        place.stem,
        kind.name,
        photo.scene.name(),
        photo.flaw.name()
    );
    Ok(Line {
        scene,
        solution: files::solution(&place.stem, &id, &photo),
        at_home,
        flawed: photo.flaw != layout::Flaw::None,
    })
}
