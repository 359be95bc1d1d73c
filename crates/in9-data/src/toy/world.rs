//! A whole world: which photographs there are, taken in parallel and written as one folder.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use super::files::{self, Place};
use super::layout::Flaw;
use super::objects::{KINDS, wnid};
use super::photograph::Key;
use crate::atomic;
use crate::error::{Error, Result};

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
        flawed: photo.flaw != Flaw::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::scenes::Scene;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn tiny() -> ToyConfig {
        ToyConfig { seed: 5, rho: 0.5, train_per_class: 3, test_per_class: 1 }
    }

    /// Every file of a folder with its bytes.
    fn files_of(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.strip_prefix(root).unwrap().into(), std::fs::read(&path).unwrap());
                }
            }
        }
        found
    }

    #[test]
    fn thread_count_changes_no_byte_and_a_larger_world_begins_with_a_smaller() {
        let dir = tempfile::tempdir().unwrap();
        let world = |name: &str, threads: usize, config: ToyConfig| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let out = dir.path().join(name);
            let report = pool.install(|| render(&config, &out, &|_, _| ())).unwrap();
            assert_eq!(report.train, 9 * u64::from(config.train_per_class));
            files_of(&out)
        };
        let one = world("one", 1, tiny());
        assert_eq!(one, world("two", 2, tiny()));
        let larger = world("larger", 2, ToyConfig { train_per_class: 4, test_per_class: 2, ..tiny() });
        for (path, bytes) in one.iter().filter(|(path, _)| path.components().count() > 1) {
            assert!(larger[path] == *bytes, "{}", path.display());
        }
        // Each photograph has its mask; all but the unannotated their XML; the tables are there.
        let ending = |what: &str| one.keys().filter(|p| p.extension().is_some_and(|e| e == what)).count();
        assert_eq!((ending("JPEG"), ending("png")), (36, 36));
        assert!((33..=36).contains(&ending("xml")));
        assert_eq!(one.len(), 36 * 2 + ending("xml") + 4);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "nothing is left behind");
    }

    #[test]
    fn the_progress_reaches_its_total() {
        let dir = tempfile::tempdir().unwrap();
        let most = AtomicU64::new(0);
        let config = ToyConfig { train_per_class: 1, ..tiny() };
        render(&config, &dir.path().join("w"), &|done, total| {
            assert_eq!(total, 18);
            most.fetch_max(done, Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!(most.into_inner(), 18);
    }

    #[test]
    fn rho_sets_how_often_an_object_is_at_home() {
        for rho in [0.0, 0.5, 0.9, 1.0] {
            let config = ToyConfig { rho, train_per_class: 1000, ..tiny() };
            let jobs = jobs(&config);
            let mut counts = [0u32; 9];
            let mut home = 0;
            for job in &jobs {
                let scene = job.key.scene();
                counts[Scene::ALL.iter().position(|&s| s == scene).unwrap()] += 1;
                home += u32::from(scene == KINDS[job.key.class].home);
            }
            let (n, p) = (jobs.len() as f64, rho + (1.0 - rho) / 9.0);
            // Four standard deviations.
            let spread = 4.0 * (n * p * (1.0 - p)).sqrt();
            assert!((f64::from(home) - n * p).abs() <= spread, "rho {rho}: {home} of {n}");
            assert!(
                counts.iter().all(|&c| (f64::from(c) - n / 9.0).abs() < 4.0 * (n / 9.0).sqrt()),
                "{counts:?}"
            );
        }
    }

    #[test]
    fn the_taxonomy_file_lists_these_kinds() {
        let text = include_str!("../../../../data-manifests/taxonomies/toy.toml");
        let taxonomy = crate::Taxonomy::parse(text, Path::new("toy.toml")).unwrap();
        assert_eq!(taxonomy.classes.len(), KINDS.len());
        for (class, (listed, kind)) in taxonomy.classes.iter().zip(&KINDS).enumerate() {
            assert_eq!(listed.name, kind.name);
            assert_eq!(listed.synsets, [0, 1, 2].map(|fine| wnid(class, fine)));
        }
    }

    #[test]
    fn bad_requests_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let fail = |config: ToyConfig, out: &Path| render(&config, out, &|_, _| ()).unwrap_err().to_string();
        let fresh = dir.path().join("fresh");
        assert!(fail(ToyConfig { rho: f64::NAN, ..tiny() }, &fresh).contains("expected 0 to 1, found NaN"));
        assert!(fail(ToyConfig { train_per_class: 0, ..tiny() }, &fresh).contains("training photographs"));
        std::fs::write(dir.path().join("file"), "mine").unwrap();
        assert!(fail(tiny(), dir.path()).contains("is not empty"));
        assert!(fail(tiny(), &dir.path().join("file")).contains("file: cannot write"));
        assert!(fail(tiny(), &dir.path().join("file/below")).contains("cannot write"));
        assert_eq!(std::fs::read(dir.path().join("file")).unwrap(), b"mine");
        assert!(!fresh.exists());
    }
}
