//! Layers of a split, and which photograph gives each mixed view its background.

use in9_data::{Dataset, Layers, Pairing, Split, Taxonomy, View, compose};

use crate::error::{Error, Result};

/// The pictures of one split.
pub(crate) struct Pictures {
    split: Split,
    digest: String,
    taxonomy: Taxonomy,
    /// The frozen pairings of [`View::MIXED`], as far as the dataset has them.
    pairings: [Option<Vec<u32>>; 3],
}

impl Pictures {
    /// Opens a split and its pairings; what is wrong with a pairing is told to `notice`.
    pub(super) fn open(dataset: &Dataset, split: &str, mut notice: impl FnMut(String)) -> Result<Self> {
        let split = dataset.split(split)?;
        let pairings = View::MIXED.map(|view| {
            if !split.has_layers() || split.is_empty() {
                return None;
            }
            match Pairing::frozen(dataset, &split, view) {
                Ok(pairing) => Some(pairing.0),
                Err(error) => {
                    notice(format!("the pairing of {view} is left out: {error}"));
                    None
                }
            }
        });
        Ok(Self { split, digest: dataset.digest(), taxonomy: dataset.taxonomy().clone(), pairings })
    }

    /// BLAKE3 of what the dataset holds: a picture never changes as long as this does not.
    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    pub(crate) fn split(&self) -> &Split {
        &self.split
    }

    pub(crate) fn size(&self) -> usize {
        self.split.size()
    }

    /// The background that a view takes by its frozen pairing.
    pub(crate) fn background(&self, view: View, photograph: usize) -> Option<u32> {
        let at = View::MIXED.iter().position(|&mixed| mixed == view)?;
        self.pairings[at].as_ref().map(|pairing| pairing[photograph])
    }

    /// The foregrounds that take this photograph's background in a mixed view.
    pub(crate) fn foregrounds_on(&self, view: View, background: u32) -> Vec<u32> {
        let at = View::MIXED.iter().position(|&mixed| mixed == view);
        let pairing = at.and_then(|at| self.pairings[at].as_deref()).unwrap_or(&[]);
        (0..).zip(pairing).filter(|&(_, &b)| b == background).map(|(foreground, _)| foreground).collect()
    }

    /// The stored layers of a photograph.
    pub(crate) fn layers(&self, photograph: usize) -> Result<Layers<'_>> {
        Ok(self.split.layers(photograph)?)
    }

    /// A view of a photograph as `size · size · 3` RGB bytes. A mixed view is put on `background`, or on that of
    /// its frozen pairing.
    pub(crate) fn compose(&self, view: View, photograph: usize, background: Option<u32>) -> Result<Vec<u8>> {
        let split = &self.split;
        let missing = |what: String| Err(Error::NoPicture { what });
        if photograph >= split.len() {
            return missing(format!("photograph {photograph} of {}", split.len()));
        }
        split.check_view(view)?;
        let mixed = view.needs_background();
        let paired = background.or_else(|| self.background(view, photograph));
        let tiled = match paired.filter(|_| mixed).map(|b| b as usize) {
            Some(background) if background >= split.len() => {
                return missing(format!("background {background} of {}", split.len()));
            }
            Some(background) => Some(self.layers(background)?.tiled),
            None if mixed => return missing(format!("photograph {photograph} has no background in {view}")),
            None => None,
        };
        let size = split.size();
        let mut out = vec![0; size * size * 3];
        let crop_box = split.sample(photograph).crop_box;
        compose(view, &self.layers(photograph)?, crop_box, tiled, size, &mut out);
        Ok(out)
    }
}
