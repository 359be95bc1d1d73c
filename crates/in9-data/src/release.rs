//! Importing the official test release: its pairings, and how far its published variants are from
//! views recomposed from its own originals and masks.

use std::collections::HashMap;
use std::path::Path;

use in9_base::files;
use rayon::prelude::*;
use serde::Serialize;

use crate::build::save_pairing;
use crate::dataset::{Dataset, MANIFEST};
use crate::error::Result;
use crate::limits::Limits;
use crate::pairing::{BackgroundClasses, Pairing, pairing_name, pairing_path};
use crate::photo::{self, Header};
use crate::show::view_of;
use crate::sources::{Locator, Unread, entries, is_photo, stem};
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
///
/// Returns the differences, and one line for each published picture that cannot be compared.
pub(crate) fn settle(dataset: &Path, root: &Path, limits: &Limits) -> Result<(Vec<Difference>, Vec<String>)> {
    let open = Dataset::open(dataset)?;
    let split = open.split("test")?;
    let index: HashMap<&str, u32> = split.samples().zip(0..).map(|(s, i)| (s.id.as_str(), i)).collect();
    let classes = BackgroundClasses::of(&split);
    let ids: Vec<&str> = split.samples().map(|s| s.id.as_str()).collect();
    let mut manifest = open.manifest().clone();
    let (mut differences, mut faults) = (Vec::new(), Vec::new());
    for view in View::PAPER {
        let folder = root.join(view.release_folder()).join("val");
        if !folder.is_dir() {
            continue;
        }
        let mut files = Vec::new();
        for class in entries(&folder, &mut faults)? {
            let names = entries(&folder.join(&class), &mut faults)?;
            for name in names.into_iter().filter(|name| is_photo(name)) {
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
            files.retain(|(fg, bg, path)| {
                let bg = bg.unwrap_or(*fg);
                let [own, other] = [*fg, bg].map(|i| split.sample(i as usize).class);
                if !classes.allow(view, own, other) {
                    let path = path.strip_prefix(root).unwrap_or(path).display();
                    faults.push(format!(
                        "{path}: not compared (expected a background of a class that {view} allows for class \
                         {own}, found one of class {other}); copy the release again"
                    ));
                    return false;
                }
                pairs.0[*fg as usize] = bg;
                true
            });
            let hash = save_pairing(&pairs, &ids, &pairing_path(dataset, "test", view))?;
            manifest.pairings.insert(pairing_name("test", view), hash);
            pairing = Some(pairs);
        }
        let compared = files
            .par_iter()
            .map(|(fg, _, path)| {
                let ours = view_of(&split, *fg as usize, view, pairing.as_ref())?;
                match compare(path, &ours, split.size(), limits) {
                    Ok(found) => Ok(Ok(found)),
                    Err(Unread::Input(what)) => Ok(Err((path, what))),
                    Err(Unread::Machine(error)) => Err(error.into()),
                }
            })
            .collect::<Result<Vec<_>>>()?;
        let (mut pictures, mut sum, mut beyond) = (0u64, 0u64, 0u64);
        for result in compared {
            match result {
                Ok((of_sum, of_beyond)) => {
                    (pictures, sum, beyond) = (pictures + 1, sum + of_sum, beyond + of_beyond);
                }
                Err((path, what)) => {
                    let path = path.strip_prefix(root).unwrap_or(path).display();
                    faults.push(format!("{path}: not compared ({what}); copy the release again"));
                }
            }
        }
        let values = pictures * (split.size() * split.size() * 3) as u64;
        let share = |count: u64| if values == 0 { 0.0 } else { count as f64 / values as f64 };
        differences.push(Difference { view, pictures, mean: share(sum), beyond_32: share(beyond) });
    }
    manifest.write(&dataset.join(MANIFEST))?;
    let path = dataset.join("differences.csv");
    files::write(&path, |file| {
        let mut writer = csv::Writer::from_writer(file);
        for difference in &differences {
            writer.serialize(difference)?;
        }
        writer.flush()
    })?;
    Ok((differences, faults))
}

/// Sum of the absolute differences of a published picture's channel values from `ours`, and how many are
/// beyond 32; the error says in a few words what is wrong.
fn compare(
    path: &Path,
    ours: &[u8],
    size: usize,
    limits: &Limits,
) -> std::result::Result<(u64, u64), Unread> {
    let bytes = Locator::File(path.into()).read(limits.photo_bytes)?;
    let other_size = |width: u32, height: u32| {
        let found = format!("expected {size}x{size}, found {width}x{height}");
        if (width as usize, height as usize) == (size, size) { Ok(()) } else { Err(found) }
    };
    // Before it is decoded: a picture of another size could take any memory.
    if let Some(header) = Header::read(&bytes) {
        other_size(header.width, header.height)?;
    }
    let published = photo::decode(&bytes, limits)?;
    other_size(published.width, published.height)?;
    let differences = published.rgb.iter().zip(ours).map(|(a, b)| a.abs_diff(*b));
    Ok(differences.fold((0, 0), |(sum, beyond), d| (sum + u64::from(d), beyond + u64::from(d > 32))))
}
