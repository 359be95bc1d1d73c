//! The official test release's own pictures, as they are.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::dataset::Split;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::photo::{self, Header};
use crate::sources::{Locator, Unread, entries, is_photo, stem};
use crate::view::View;

/// The pictures that the release publishes of each view, for the photographs of a split that was imported from it.
///
/// The dataset recomposes its views from photographs, backgrounds and masks, with pairings of its own where the release
/// does not tell them; what others report was measured on these.
#[derive(Debug)]
pub struct PublishedPictures {
    root: PathBuf,
    size: usize,
    limits: Limits,
    /// Of each view that there is, the file of each photograph, and which photograph lends its background, if the name
    /// of the file says so.
    files: BTreeMap<View, Vec<(PathBuf, Option<u32>)>>,
}

impl PublishedPictures {
    /// Finds the pictures of `split` in the release's folder `root` (`bg_challenge`).
    ///
    /// # Errors
    /// If a folder cannot be read, or lacks the picture of a photograph, or there is no view at all.
    pub fn open(root: &Path, split: &Split) -> Result<Self> {
        let index: HashMap<&str, u32> = split.samples().zip(0..).map(|(s, i)| (s.id.as_str(), i)).collect();
        let mut files = BTreeMap::new();
        for view in View::ALL {
            let folder = root.join(view.release_folder()).join("val");
            if folder.is_dir() {
                files.insert(view, of_view(view, &folder, split, &index)?);
            }
        }
        if files.is_empty() {
            let expected = "original/val/CLASS/ID.JPEG, mixed_rand/val/… and so on".into();
            return Err(Error::NoPhotographs { path: root.into(), expected });
        }
        Ok(Self { root: root.into(), size: split.size(), limits: Limits::default(), files })
    }

    /// The views that are published.
    pub fn views(&self) -> Vec<View> {
        self.files.keys().copied().collect()
    }

    /// Which photograph lends the background of photograph `index` in a view, where the release says so: the names of
    /// `mixed_rand` repeat those of `mixed_next`, so that its backgrounds are unknown.
    pub fn background(&self, view: View, index: usize) -> Option<u32> {
        self.files.get(&view)?.get(index)?.1
    }

    /// The published picture of photograph `index` in a view: `size · size · 3` RGB bytes, row by row.
    ///
    /// # Errors
    /// If there is no such view or the file is damaged or of another size.
    pub fn picture(&self, view: View, index: usize) -> Result<Vec<u8>> {
        let file = self.files.get(&view).and_then(|files| files.get(index));
        let Some((path, _)) = file else {
            let known = self.views().iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
            return Err(Error::Unknown { what: "published view", known, found: view.name().into() });
        };
        self.decode(path).map_err(|unread| match unread {
            Unread::Machine(error) => error.into(),
            Unread::Input(found) => {
                let expected = format!("a picture of {0}x{0}", self.size);
                Error::malformed(path, "published picture", expected, found, "copy the release again")
            }
        })
    }

    fn decode(&self, path: &Path) -> std::result::Result<Vec<u8>, Unread> {
        let bytes = Locator::File(path.into()).read(self.limits.photo_bytes)?;
        let sized =
            |width: u32, height: u32| match (width as usize, height as usize) == (self.size, self.size) {
                true => Ok(()),
                false => Err(format!("{width}x{height}")),
            };
        // Before it is decoded: a picture of another size could take any memory.
        if let Some(header) = Header::read(&bytes) {
            sized(header.width, header.height)?;
        }
        let picture = photo::decode(&bytes, &self.limits)?;
        sized(picture.width, picture.height)?;
        Ok(picture.rgb)
    }

    /// The release's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The file of each photograph of a split in the folder of one view.
fn of_view(
    view: View,
    folder: &Path,
    split: &Split,
    index: &HashMap<&str, u32>,
) -> Result<Vec<(PathBuf, Option<u32>)>> {
    let mut found: Vec<Option<(PathBuf, Option<u32>)>> = vec![None; split.len()];
    let mut faults = Vec::new();
    for class in entries(folder, &mut faults)? {
        let names = entries(&folder.join(&class), &mut faults)?;
        for name in names.into_iter().filter(|name| is_photo(name)) {
            let pair = stem(&name).strip_prefix("fg_").and_then(|rest| rest.split_once("_bg_"));
            let (own, behind) = match pair {
                Some((own, behind)) => (own, Some(behind)),
                None => (stem(&name), None),
            };
            let Some(&own) = index.get(own) else { continue };
            let known = behind.filter(|_| view != View::MixedRand).and_then(|id| index.get(id).copied());
            found[own as usize] = Some((folder.join(&class).join(&name), known));
        }
    }
    let complete = found.into_iter().enumerate().map(|(at, file)| {
        file.ok_or_else(|| {
            let (what, id) = (format!("no picture of {view}"), &split.sample(at).id);
            Error::malformed(
                folder,
                what,
                format!("one of each photograph, {id} too"),
                "none",
                "copy the release again",
            )
        })
    });
    complete.collect()
}
