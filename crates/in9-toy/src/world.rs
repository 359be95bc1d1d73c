//! A whole world: which photographs there are, taken in parallel and written as one folder.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use in9_base::files::{
    OutputFolder, Owner, clear_finished, create_folder, parent, read_text, remove_leftovers, sync_tree,
};
use rayon::prelude::*;

use crate::config::WorldConfig;
use crate::error::{Error, Result};
use crate::ilsvrc::{self, Place};
use crate::layout::Flaw;
use crate::objects::{KINDS, wnid};
use crate::photograph::Key;

/// The tables of a world beside ILSVRC's own: its settings, and the truth of every photograph.
const SETTINGS: &str = "toy.toml";
const SCENES: &str = "toy-scenes.csv";

/// Which files belong to a world.
const OWNER: Owner = Owner {
    made_by: "in9-toy",
    names: &[
        "ILSVRC/Data/CLS-LOC/train/*/*.JPEG",
        "ILSVRC/Data/CLS-LOC/val/*.JPEG",
        "ILSVRC/Annotations/CLS-LOC/train/*/*.xml",
        "ILSVRC/Annotations/CLS-LOC/val/*.xml",
        "masks/train/*/*.png",
        "masks/val/*.png",
        "LOC_synset_mapping.txt",
        "LOC_val_solution.csv",
        SCENES,
        SETTINGS,
    ],
};

/// What was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorldReport {
    /// Training photographs.
    pub train: u64,
    /// Test photographs.
    pub test: u64,
    /// Photographs, of both splits, that stand in their own kind of scene.
    pub at_home: u64,
    /// Photographs, of both splits, that carry a deliberate flaw.
    pub flawed: u64,
    /// Whether the same world was there already, so that nothing was drawn.
    pub already_there: bool,
}

/// Draws a toy world into the folder `out`, in the ILSVRC layout (see the crate's text), on the current
/// rayon pool. `progress` is called from any thread with the number of photographs done and their total.
///
/// The folder appears whole or not at all; what killed runs left beside it is cleared. Where the same world
/// stands already, nothing is drawn ([`WorldReport::already_there`]).
///
/// # Errors
/// If ρ or a count is out of range, if `out` holds anything else than the same world, or if a file cannot
/// be written.
pub fn render(config: &WorldConfig, out: &Path, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<WorldReport> {
    config.check()?;
    if let Some(report) = standing(config, out)? {
        clear_finished(out)?;
        return Ok(report);
    }
    create_folder(parent(out))?;
    // What others left in a folder that is not ours alone may not be ours to remove.
    let _ = remove_leftovers(parent(out));
    let folder = OutputFolder::begin(out, &OWNER, &[])?;
    let report = fill(config, folder.path(), progress)?;
    sync_tree(folder.path())?;
    folder.finish()?;
    Ok(report)
}

/// What is told of the same world if it stands at `out` already.
fn standing(config: &WorldConfig, out: &Path) -> Result<Option<WorldReport>> {
    let settings = out.join(SETTINGS);
    if !settings.exists() {
        return Ok(None);
    }
    let (expected, found) = (config.to_toml(), read_text(&settings, 1 << 16)?);
    if found != expected {
        let one_line = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join(", ");
        let (expected, found) = (one_line(&expected), one_line(&found));
        return Err(Error::OtherWorld { path: out.into(), expected, found });
    }
    let scenes = read_text(&out.join(SCENES), 1 << 33)?;
    let mut report = WorldReport { already_there: true, ..WorldReport::default() };
    for line in scenes.lines().skip(1) {
        let mut fields = line.rsplit(',');
        report.flawed += u64::from(fields.next() != Some(""));
        report.at_home += u64::from(fields.next() == Some("true"));
    }
    report.train = KINDS.len() as u64 * u64::from(config.train_per_class);
    report.test = KINDS.len() as u64 * u64::from(config.test_per_class);
    Ok(Some(report))
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

fn jobs(config: &WorldConfig) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (train, count) in [(true, config.train_per_class), (false, config.test_per_class)] {
        for number in 0..u64::from(count) {
            for class in 0..KINDS.len() {
                let fine = (number % 3) as usize;
                let key = Key {
                    seed: config.seed,
                    rho: config.rho,
                    size_leak: config.size_leak,
                    place_leak: config.place_leak,
                    train,
                    class,
                    fine,
                    number,
                    colours: None,
                };
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

fn fill(config: &WorldConfig, root: &Path, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<WorldReport> {
    for tree in [ilsvrc::DATA, ilsvrc::ANNOTATIONS, ilsvrc::MASKS] {
        for class in 0..KINDS.len() {
            for fine in 0..3 {
                create_folder(&root.join(tree).join("train").join(wnid(class, fine)))?;
            }
        }
        create_folder(&root.join(tree).join("val"))?;
    }
    let jobs = jobs(config);
    let (done, total) = (AtomicU64::new(0), jobs.len() as u64);
    let lines: Vec<Line> = jobs
        .par_iter()
        .map(|job| {
            // Before the work too: whoever unwinds from here to stop it is not kept waiting for one more photograph
            // of every part that rayon still has.
            progress(done.load(Ordering::Relaxed), total);
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
    ilsvrc::save(&root.join("LOC_synset_mapping.txt"), synsets.as_bytes())?;
    let mut solution = String::from("ImageId,PredictionString\n");
    let mut scenes = String::from("image,split,class,fine,scene,at_home,flaw\n");
    for (job, line) in jobs.iter().zip(&lines) {
        scenes += &line.scene;
        if !job.key.train {
            solution += &line.solution;
        }
    }
    ilsvrc::save(&root.join("LOC_val_solution.csv"), solution.as_bytes())?;
    ilsvrc::save(&root.join(SCENES), scenes.as_bytes())?;
    ilsvrc::save(&root.join(SETTINGS), config.to_toml().as_bytes())?;
    let count = |of: fn(&Line) -> bool| lines.iter().filter(|l| of(l)).count() as u64;
    Ok(WorldReport {
        train: jobs.iter().filter(|j| j.key.train).count() as u64,
        test: jobs.iter().filter(|j| !j.key.train).count() as u64,
        at_home: count(|l| l.at_home),
        flawed: count(|l| l.flawed),
        already_there: false,
    })
}

/// Takes, writes and describes one photograph.
fn take(job: &Job, root: &Path) -> Result<Line> {
    let Job { key, place } = job;
    let photo = key.take();
    let (id, kind) = (wnid(key.class, key.fine), &KINDS[key.class]);
    ilsvrc::write(root, place, &id, &photo)?;
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
        solution: ilsvrc::solution(&place.stem, &id, &photo),
        at_home,
        flawed: photo.flaw != Flaw::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn tiny() -> WorldConfig {
        WorldConfig { seed: 5, rho: 0.5, train_per_class: 3, test_per_class: 1, ..WorldConfig::default() }
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
        let world = |name: &str, threads: usize, config: WorldConfig| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let out = dir.path().join(name);
            let report = pool.install(|| render(&config, &out, &|_, _| ())).unwrap();
            assert_eq!(report.train, 9 * u64::from(config.train_per_class));
            files_of(&out)
        };
        let one = world("one", 1, tiny());
        assert_eq!(one, world("two", 2, tiny()));
        let larger = world("larger", 2, WorldConfig { train_per_class: 4, test_per_class: 2, ..tiny() });
        for (path, bytes) in one.iter().filter(|(path, _)| path.components().count() > 1) {
            assert!(larger[path] == *bytes, "{}", path.display());
        }
        // Each photograph has its mask; all but the unannotated their XML; the tables are there.
        let ending = |what: &str| one.keys().filter(|p| p.extension().is_some_and(|e| e == what)).count();
        assert_eq!((ending("JPEG"), ending("png")), (36, 36));
        assert!((33..=36).contains(&ending("xml")));
        assert_eq!(one.len(), 36 * 2 + ending("xml") + 5, "four tables and the mark");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3, "nothing is left behind");
    }

    #[test]
    fn the_progress_reaches_its_total() {
        let dir = tempfile::tempdir().unwrap();
        let most = AtomicU64::new(0);
        let config = WorldConfig { train_per_class: 1, ..tiny() };
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
            let config = WorldConfig { rho, train_per_class: 1000, ..tiny() };
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
        let text = include_str!("../taxonomy.toml");
        let taxonomy: toml::Table = toml::from_str(text).unwrap();
        let classes = taxonomy["class"].as_array().unwrap();
        assert_eq!(classes.len(), KINDS.len());
        for (class, (listed, kind)) in classes.iter().zip(&KINDS).enumerate() {
            assert_eq!(listed["name"].as_str(), Some(kind.name));
            let synsets =
                listed["synsets"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_string());
            assert!(synsets.eq([0, 1, 2].map(|fine| wnid(class, fine))));
        }
    }

    #[test]
    fn the_same_world_is_left_alone_and_another_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("world");
        let made = render(&tiny(), &out, &|_, _| ()).unwrap();
        let before = files_of(&out);
        let again = render(&tiny(), &out, &|_, _| panic!("nothing is drawn")).unwrap();
        assert_eq!(again, WorldReport { already_there: true, ..made });
        let other = WorldConfig { seed: 6, ..tiny() };
        assert!(matches!(render(&other, &out, &|_, _| ()), Err(Error::OtherWorld { .. })));
        assert_eq!(files_of(&out), before);
    }

    #[test]
    fn what_killed_renderings_left_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".in9-toy-Ab3dEf.partial", ".in9-xyz.partial"] {
            let left = dir.path().join(name).join(ilsvrc::DATA).join("val");
            std::fs::create_dir_all(&left).unwrap();
            std::fs::write(left.join("half.JPEG"), "half").unwrap();
        }
        std::fs::write(dir.path().join("mine"), "mine").unwrap();
        render(&tiny(), &dir.path().join("world"), &|_, _| ()).unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["mine", "world"]);
    }

    #[test]
    fn bad_requests_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let fail =
            |config: WorldConfig, out: &Path| render(&config, out, &|_, _| ()).unwrap_err().to_string();
        let fresh = dir.path().join("fresh");
        assert!(fail(WorldConfig { rho: f64::NAN, ..tiny() }, &fresh).contains("expected 0 to 1, found NaN"));
        assert!(fail(WorldConfig { train_per_class: 0, ..tiny() }, &fresh).contains("training photographs"));
        std::fs::write(dir.path().join("file"), "mine").unwrap();
        assert!(fail(tiny(), dir.path()).contains("file: stands where in9-toy would write"));
        assert!(fail(tiny(), &dir.path().join("file")).contains("file: stands where in9-toy would write"));
        assert!(fail(tiny(), &dir.path().join("file/below")).contains("cannot write"));
        assert_eq!(std::fs::read(dir.path().join("file")).unwrap(), b"mine");
        assert!(!fresh.exists());
    }
}
