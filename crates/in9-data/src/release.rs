//! Importing the official test release: its pairings, and how far its published variants are from
//! views recomposed from its own originals and masks.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use crate::atomic;
use crate::build::save_pairing;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pairing::{Pairing, pairing_path};
use crate::photo;
use crate::show::view_of;
use crate::sources::{entries, is_photo, stem};
use crate::view::View;

/// How one published variant differs from our view of the same samples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The view.
    pub view: View,
    /// Pictures compared; those whose background cannot be known from the name are left out.
    pub pictures: u64,
    /// Mean absolute difference of a channel value, 0..=255.
    pub mean: f64,
    /// Share of channel values that differ by more than 32, 0..=1.
    pub beyond_32: f64,
}

/// Replaces drawn pairings by those that the release's file names tell (`fg_<id>_bg_<id>`), and
/// compares. The names of mixed_rand repeat those of mixed_next, so its pairing stays ours.
pub(crate) fn settle(dataset: &Path, root: &Path, limits: &Limits) -> Result<Vec<Difference>> {
    let open = Dataset::open(dataset)?;
    let split = open.split("test")?;
    let index: HashMap<&str, u32> = split.samples().zip(0..).map(|(s, i)| (s.id.as_str(), i)).collect();
    let ids: Vec<&str> = split.samples().map(|s| s.id.as_str()).collect();
    let mut manifest = open.manifest().clone();
    let mut differences = Vec::new();
    for view in View::PAPER {
        let folder = root.join(view.release_folder()).join("val");
        if !folder.is_dir() {
            continue;
        }
        let mut files = Vec::new();
        for class in entries(&folder)? {
            for name in entries(&folder.join(&class))?.into_iter().filter(|name| is_photo(name)) {
                let pair = match stem(&name).strip_prefix("fg_").and_then(|rest| rest.split_once("_bg_")) {
                    Some((fg, bg)) => index.get(fg).zip(index.get(bg).map(Some)),
                    None => index.get(stem(&name)).zip(Some(None)),
                };
                files.extend(pair.map(|(&fg, bg)| (fg, bg.copied(), folder.join(&class).join(&name))));
            }
        }
        let mut pairing = None;
        if view.needs_background() {
            let mut pairs = Pairing::frozen(&open, &split, view)?;
            if view == View::MixedRand {
                // The foreground is known, the background is not.
                files.clear();
            }
            files.iter().for_each(|(fg, bg, _)| pairs.0[*fg as usize] = bg.unwrap_or(*fg));
            let hash = save_pairing(&pairs, &ids, &pairing_path(dataset, "test", view))?;
            manifest.pairings.insert(format!("test-{view}.csv"), hash);
            pairing = Some(pairs);
        }
        let (mut pictures, mut sum, mut beyond, mut values) = (0u64, 0u64, 0u64, 0u64);
        for (fg, _, path) in &files {
            let bytes = std::fs::read(path).map_err(|e| Error::read(path, e))?;
            let Ok(published) = photo::decode(&bytes, limits) else { continue };
            let ours = view_of(&split, *fg as usize, view, pairing.as_ref());
            if published.rgb.len() != ours.len() {
                continue;
            }
            pictures += 1;
            values += ours.len() as u64;
            for (a, b) in published.rgb.iter().zip(&ours) {
                sum += u64::from(a.abs_diff(*b));
                beyond += u64::from(a.abs_diff(*b) > 32);
            }
        }
        let share = |count: u64| if values == 0 { 0.0 } else { count as f64 / values as f64 };
        differences.push(Difference { view, pictures, mean: share(sum), beyond_32: share(beyond) });
    }
    manifest.write(&dataset.join("manifest.json"))?;
    let path = dataset.join("differences.csv");
    atomic::write(&path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for difference in &differences {
            writer.serialize(difference)?;
        }
        writer.flush()
    })?;
    Ok(differences)
}
