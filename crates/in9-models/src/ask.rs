//! What predictions and probes ask of a classifier, whoever computes its answers.

use in9_data::{Normalization, Split, View};

use crate::classifier::{Classifier, NetworkRecord};
use crate::error::Result;
use crate::mapping::Answer;
use crate::scorer::Foreign;

/// A classifier that answers in the classes of a dataset.
pub trait Ask {
    /// What outputs say about it.
    fn record(&self) -> NetworkRecord;

    /// Number of classes of the answers.
    fn classes(&self) -> usize;

    /// What its inputs are normalised with.
    fn normalization(&self) -> Normalization;

    /// The answers on `n` normalised pictures, one a picture.
    ///
    /// # Shapes
    /// - `planes`: `n · 3 · size · size` values, picture by picture, channel by channel, row by row
    ///
    /// # Errors
    /// If the classifier fails, or its scores are not finite numbers.
    fn ask(&self, planes: &[f32], n: usize, size: usize) -> Result<Vec<Answer>>;

    /// Whether [`Ask::ask_on`] composes `view` of `split` itself, which a GPU does that keeps its layers
    /// ([`Classifier::keep_layers`]).
    fn composes(&self, _split: &Split, _view: View) -> bool {
        false
    }

    /// The answers on pictures of `view`, each a sample and the one that lends its background, `batch` at a time; none
    /// where it does not compose them itself ([`Ask::composes`]).
    ///
    /// # Errors
    /// As for [`Ask::ask`].
    fn ask_on(
        &self,
        _view: View,
        _pictures: &[(u32, Option<u32>)],
        _batch: usize,
    ) -> Result<Option<Vec<Answer>>> {
        Ok(None)
    }
}

impl Ask for Classifier {
    fn record(&self) -> NetworkRecord {
        Classifier::record(self)
    }

    fn classes(&self) -> usize {
        Classifier::classes(self)
    }

    fn normalization(&self) -> Normalization {
        Classifier::normalization(self)
    }

    fn ask(&self, planes: &[f32], n: usize, size: usize) -> Result<Vec<Answer>> {
        self.answers(&self.input(planes, n, size)?)
    }

    fn composes(&self, split: &Split, view: View) -> bool {
        Classifier::composes(self, split, view)
    }

    fn ask_on(
        &self,
        view: View,
        pictures: &[(u32, Option<u32>)],
        batch: usize,
    ) -> Result<Option<Vec<Answer>>> {
        self.answers_on(view, pictures, batch)
    }
}

/// A network of this crate, or a classifier from elsewhere.
pub enum Asked {
    /// Its layers are here, so that its insides and gradients are too.
    Own(Box<Classifier>),
    /// A program or a file that gives scores and nothing else.
    Foreign(Box<Foreign>),
}

impl Asked {
    /// The network whose insides can be looked at, if there is one.
    pub fn own(&self) -> Option<&Classifier> {
        match self {
            Self::Own(classifier) => Some(classifier),
            Self::Foreign(_) => None,
        }
    }

    /// As [`Asked::own`], to change it.
    pub fn own_mut(&mut self) -> Option<&mut Classifier> {
        match self {
            Self::Own(classifier) => Some(classifier),
            Self::Foreign(_) => None,
        }
    }

    fn inner(&self) -> &dyn Ask {
        match self {
            Self::Own(classifier) => &**classifier,
            Self::Foreign(foreign) => &**foreign,
        }
    }
}

impl Ask for Asked {
    fn record(&self) -> NetworkRecord {
        self.inner().record()
    }

    fn classes(&self) -> usize {
        self.inner().classes()
    }

    fn normalization(&self) -> Normalization {
        self.inner().normalization()
    }

    fn ask(&self, planes: &[f32], n: usize, size: usize) -> Result<Vec<Answer>> {
        self.inner().ask(planes, n, size)
    }

    fn composes(&self, split: &Split, view: View) -> bool {
        self.inner().composes(split, view)
    }

    fn ask_on(
        &self,
        view: View,
        pictures: &[(u32, Option<u32>)],
        batch: usize,
    ) -> Result<Option<Vec<Answer>>> {
        self.inner().ask_on(view, pictures, batch)
    }
}
