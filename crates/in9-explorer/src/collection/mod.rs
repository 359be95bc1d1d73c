//! Everything that is shown, read once and kept as flat arrays.

mod answers;
mod fooling;
mod load;
mod model;
mod photographs;
mod pictures;
mod probe;
mod saliency;

use std::path::PathBuf;

use in9_analysis::stats::Bootstrap;
use in9_data::Taxonomy;

use crate::error::{Error, Result};
use crate::inputs::Inputs;

pub(crate) use answers::{Answers, NO_CLASS, NOBODY};
pub(crate) use model::Model;
pub(crate) use photographs::Photographs;
pub(crate) use pictures::Pictures;

/// Test sets with their photographs, the models that were tested on them, and what probes found.
pub struct Collection {
    pub(crate) title: String,
    pub(crate) sets: Vec<TestSet>,
    pub(crate) notices: Vec<String>,
    pub(crate) report: Option<PathBuf>,
    pub(crate) bootstrap: Bootstrap,
}

/// One split of one dataset.
pub(crate) struct TestSet {
    pub(crate) dataset: String,
    pub(crate) split: String,
    pub(crate) classes: Vec<String>,
    pub(crate) photographs: Photographs,
    /// Layers of the photographs; `None` if there is no dataset or it cannot be read.
    pub(crate) pictures: Option<Pictures>,
    pub(crate) models: Vec<Model>,
}

impl Collection {
    /// Reads everything that `inputs` names. What cannot be read is left out and named in
    /// [`Collection::notices`], so that one broken file does not hide the others.
    ///
    /// # Errors
    /// [`Error::Empty`] if nothing is left to show.
    pub fn load(inputs: &Inputs, bootstrap: &Bootstrap) -> Result<Self> {
        load::load(inputs, bootstrap)
    }

    /// What was left out and why, a sentence each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Number of test sets (datasets' splits), photographs and models, for people.
    pub fn counts(&self) -> (usize, usize, usize) {
        let photographs = self.sets.iter().map(|set| set.photographs.len()).sum();
        let mut names: Vec<&str> =
            self.sets.iter().flat_map(|set| set.models.iter().map(|model| model.id.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        (self.sets.len(), photographs, names.len())
    }

    /// The classes of the first dataset with masks, which composites can be made of.
    pub fn taxonomy(&self) -> Option<&Taxonomy> {
        self.sets
            .iter()
            .find_map(|set| Some(set.pictures.as_ref().filter(|p| p.split().has_layers())?.taxonomy()))
    }

    pub(crate) fn set(&self, set: usize) -> Result<&TestSet> {
        self.sets.get(set).ok_or(Error::OutOfRange { what: "test set", limit: self.sets.len(), found: set })
    }
}

impl TestSet {
    /// Name of the test set in addresses.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.dataset, self.split)
    }

    /// Refuses the number of a photograph that is not there.
    pub(crate) fn check(&self, photograph: usize) -> Result<()> {
        let limit = self.photographs.len();
        if photograph < limit {
            return Ok(());
        }
        Err(Error::OutOfRange { what: "photograph", limit, found: photograph })
    }

    pub(crate) fn model(&self, model: usize) -> Result<&Model> {
        let limit = self.models.len();
        self.models.get(model).ok_or(Error::OutOfRange { what: "model", limit, found: model })
    }

    pub(crate) fn pictures(&self) -> Result<&Pictures> {
        self.pictures.as_ref().ok_or_else(|| Error::NoPicture { what: format!("{} has none", self.name()) })
    }
}
