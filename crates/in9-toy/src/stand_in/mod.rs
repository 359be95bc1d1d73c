//! A stand-in for ILSVRC-2012: the toy world's objects under the WordNet ids of ImageNet-9, in every layout that people
//! have, with the dirt that the real photographs have.
//!
//! What is told apart is what the toy world tells apart, so nothing that is measured on it says anything of ImageNet; it
//! shows that everything that will be done with ImageNet can be done. A fine label is a sub-kind of its class's kind in
//! colours of its own.

mod dirt;
mod labels;
mod sink;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use in9_base::files::{OutputFolder, Owner, clear_finished, create_folder, parent, read_text, sync_tree};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::ilsvrc;
use crate::layout::Flaw;
use crate::photograph::Key;
use dirt::{Dirt, soil};
use labels::{Label, labels};
use sink::{Entry, write_archives, write_folders};

/// Settings of a stand-in, in its folder.
const SETTINGS: &str = "stand-in.toml";

/// What was done to which photograph.
const DIRT: &str = "stand-in-dirt.csv";

const OWNER: Owner = Owner {
    made_by: "in9-toy (stand-in)",
    names: &[
        "ILSVRC/Data/CLS-LOC/train/*/*.JPEG",
        "ILSVRC/Data/CLS-LOC/val/*.JPEG",
        "ILSVRC/Annotations/CLS-LOC/train/*/*.xml",
        "ILSVRC/Annotations/CLS-LOC/val/*.xml",
        "ILSVRC2012_img_*.tar",
        "ILSVRC2012_bbox_*",
        "LOC_synset_mapping.txt",
        "LOC_*_solution.csv",
        DIRT,
        SETTINGS,
    ],
};

/// How the photographs are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Kaggle's folders, `ILSVRC/Data/CLS-LOC/…`.
    Folders,
    /// The archives of image-net.org: `ILSVRC2012_img_train.tar`, of one archive an id, and `ILSVRC2012_img_val.tar`.
    Archives,
}

/// How the boxes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum BoxForm {
    /// PASCAL-VOC files, in folders or archives like the photographs.
    Xml,
    /// Kaggle's `LOC_train_solution.csv` and `LOC_val_solution.csv`.
    Csv,
    /// Both.
    Both,
}

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StandIn {
    /// Seed of everything random.
    pub seed: u64,
    /// ρ, 0…1: how often an object stands in its own kind of scene.
    pub rho: f64,
    /// Training photographs of each of the 370 ids, at least 1.
    pub train_per_label: u32,
    /// Validation photographs of each id, 1 to 100 (names have five digits that count).
    pub val_per_label: u32,
    /// Layout of the photographs.
    pub form: Form,
    /// Layout of the boxes.
    pub boxes: BoxForm,
}

/// What was drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StandInReport {
    /// Training photographs.
    pub train: u64,
    /// Validation photographs.
    pub val: u64,
    /// Whether the same stand-in was there already, so that nothing was drawn.
    pub already_there: bool,
}

impl StandIn {
    fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.rho) {
            return Err(Error::Rho { found: self.rho });
        }
        for (split, most, found) in
            [("training", 1_000_000, self.train_per_label), ("validation", 100, self.val_per_label)]
        {
            if !(1..=most).contains(&found) {
                return Err(Error::PhotographsPerClass { split, most, found });
            }
        }
        Ok(())
    }

    fn to_toml(self) -> String {
        // Plain numbers and words always have a TOML form.
        format!(
            "# Settings of this stand-in for ILSVRC-2012.\n{}",
            toml::to_string(&self).unwrap_or_default()
        )
    }
}

/// Draws a stand-in into the folder `out`, on the current rayon pool. `progress` is called from any thread with the
/// number of photographs done and their total. The folder appears whole or not at all.
///
/// # Errors
/// If a setting is out of range, if `out` holds anything else, or if a file cannot be written.
pub fn render_stand_in(
    settings: &StandIn,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<StandInReport> {
    settings.check()?;
    let known = labels();
    let count = known.len() as u64;
    let mut report = StandInReport {
        train: count * u64::from(settings.train_per_label),
        val: count * u64::from(settings.val_per_label),
        already_there: false,
    };
    let (place, expected) = (out.join(SETTINGS), settings.to_toml());
    if place.exists() {
        let found = read_text(&place, 1 << 16)?;
        if found != expected {
            let one_line = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join(", ");
            let (expected, found) = (one_line(&expected), one_line(&found));
            return Err(Error::OtherWorld { path: out.into(), expected, found });
        }
        clear_finished(out)?;
        report.already_there = true;
        return Ok(report);
    }
    create_folder(parent(out))?;
    let folder = OutputFolder::begin(out, &OWNER, &[])?;
    fill(settings, &known, folder.path(), progress)?;
    sync_tree(folder.path())?;
    folder.finish()?;
    Ok(report)
}

fn fill(
    settings: &StandIn,
    known: &[Label],
    root: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<()> {
    let mut table = String::from("image,split,dirt\n");
    let done = AtomicU64::new(0);
    let total =
        known.len() as u64 * (u64::from(settings.train_per_label) + u64::from(settings.val_per_label));
    for train in [true, false] {
        let mut solution = String::from("ImageId,PredictionString\n");
        let mut draw = |part: &[Label]| -> Result<Vec<Entry>> {
            let jobs = jobs(settings, part, known.len(), train);
            let entries: Vec<Entry> = jobs
                .par_iter()
                .map(|job| {
                    let entry = job.take()?;
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    Ok(entry)
                })
                .collect::<Result<_>>()?;
            for entry in &entries {
                let split = if train { "train" } else { "val" };
                if !entry.dirt.is_empty() {
                    table += &format!("{},{split},{}\n", entry.stem, entry.dirt);
                }
                solution.extend(entry.solution.iter().map(String::as_str));
            }
            Ok(entries)
        };
        match settings.form {
            Form::Folders => write_folders(root, train, settings.boxes, known, &mut draw)?,
            Form::Archives => write_archives(root, train, settings.boxes, known, &mut draw)?,
        }
        if settings.boxes != BoxForm::Xml {
            let name = if train { "LOC_train_solution.csv" } else { "LOC_val_solution.csv" };
            ilsvrc::save(&root.join(name), solution.as_bytes())?;
        }
    }
    let synsets: String = known.iter().map(|label| format!("{} {}\n", label.wnid, label.words())).collect();
    ilsvrc::save(&root.join("LOC_synset_mapping.txt"), synsets.as_bytes())?;
    ilsvrc::save(&root.join(DIRT), table.as_bytes())?;
    ilsvrc::save(&root.join(SETTINGS), settings.to_toml().as_bytes())
}

/// One photograph to take.
struct Job<'a> {
    label: &'a Label,
    key: Key,
    folder: String,
    stem: String,
}

fn jobs<'a>(settings: &StandIn, part: &'a [Label], all: usize, train: bool) -> Vec<Job<'a>> {
    let each = u64::from(if train { settings.train_per_label } else { settings.val_per_label });
    let job = |label: &'a Label, nth: u64| {
        let key = Key {
            seed: settings.seed,
            rho: settings.rho,
            size_leak: 0.0,
            place_leak: 0.0,
            train,
            class: label.class,
            fine: label.within % 3,
            number: nth * label.of_class as u64 + label.within as u64,
            colours: Some(label.place as u64),
        };
        let (folder, stem) = match train {
            true => (format!("train/{}", label.wnid), format!("{}_{nth}", label.wnid)),
            // As in the real set, the order of the numbers says nothing of the labels.
            false => {
                let number = nth * all as u64 + (label.place as u64 * 197) % all as u64 + 1;
                ("val".into(), format!("ILSVRC2012_val_{number:08}"))
            }
        };
        Job { label, key, folder, stem }
    };
    part.iter().flat_map(|label| (0..each).map(move |nth| job(label, nth))).collect()
}

impl Job<'_> {
    fn take(&self) -> Result<Entry> {
        let (Job { label, key, folder, stem }, mut photo) = (self, self.key.take());
        let dirt = Dirt::draw(key);
        let photograph = soil(&mut photo, dirt, stem)?;
        let boxed = photo.flaw != Flaw::Unannotated && !(key.train && dirt == Dirt::Unboxed);
        let told = match (dirt, photo.flaw) {
            (Dirt::None, flaw) => flaw.name(),
            (Dirt::Unboxed, _) if !key.train => "",
            (dirt, _) => dirt.name(),
        };
        Ok(Entry {
            folder: folder.clone(),
            stem: stem.clone(),
            wnid: label.wnid.clone(),
            xml: boxed.then(|| ilsvrc::annotation(folder, stem, &label.wnid, &photo)),
            solution: boxed.then(|| ilsvrc::solution(stem, &label.wnid, &photo)),
            photograph,
            dirt: told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_are_those_of_the_taxonomy_and_names_do_not_repeat() {
        let known = labels();
        assert_eq!(known.len(), 372, "370, and two that are of none of the nine classes");
        let settings = StandIn {
            seed: 1,
            rho: 0.9,
            train_per_label: 2,
            val_per_label: 3,
            form: Form::Folders,
            boxes: BoxForm::Both,
        };
        for (train, each) in [(true, 2), (false, 3)] {
            let jobs = jobs(&settings, &known, known.len(), train);
            let names: std::collections::BTreeSet<_> = jobs.iter().map(|job| &job.stem).collect();
            assert_eq!((jobs.len(), names.len()), (372 * each, 372 * each));
            let drawn: std::collections::BTreeSet<_> =
                jobs.iter().map(|job| (job.key.class, job.key.number)).collect();
            assert_eq!(drawn.len(), jobs.len(), "no photograph is drawn twice");
        }
        let wrong = StandIn { val_per_label: 101, ..settings };
        assert!(wrong.check().unwrap_err().to_string().contains("validation photographs"));
    }
}
