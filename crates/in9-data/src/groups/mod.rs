//! Groups of photographs: a class on one kind of background, by which a network is judged and mended where its classes lean on
//! their backgrounds.
//!
//! Which kind of background a photograph has stands in a metadata table ([`Labels`]), in the layout of Waterbirds and WILDS or
//! with words of one's own; or it is the class of the photograph that gave the background, in the views that have one.

mod labels;
mod of_pictures;

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::view::View;

pub use labels::{Label, Labels};
pub use of_pictures::{Group, Groups};

/// What tells groups apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Grouping {
    /// A metadata table.
    Metadata(Labels),
    /// The class of the photograph that gave the background.
    Backgrounds,
}

impl Grouping {
    /// The word that stands for [`Grouping::Backgrounds`] where a metadata table could be named.
    pub const BACKGROUNDS: &str = "backgrounds";

    /// The metadata table at `path`, or [`Grouping::Backgrounds`] for the word `backgrounds` (a file of that name is
    /// `./backgrounds`).
    ///
    /// # Errors
    /// Those of [`Labels::read`].
    pub fn read(path: &Path) -> Result<Self> {
        match path.as_os_str() == Self::BACKGROUNDS {
            true => Ok(Self::Backgrounds),
            false => Ok(Self::Metadata(Labels::read(path)?)),
        }
    }

    /// Whether pictures of `view` are of groups: where the background tells them, it must be another photograph's.
    pub fn tells(&self, view: View) -> bool {
        matches!(self, Self::Metadata(_)) || view.needs_background()
    }

    /// The group of a picture of the photograph `id` on a background of the class `background`.
    ///
    /// # Errors
    /// [`Error::NoGroup`] if the metadata do not say it, [`Error::NoBackground`] if there is no background that could.
    pub fn of<'a>(&'a self, id: &str, background: Option<&'a str>) -> Result<&'a str> {
        match (self, background) {
            (Self::Metadata(labels), _) => Ok(&labels.of(id)?.group),
            (Self::Backgrounds, Some(class)) => Ok(class),
            (Self::Backgrounds, None) => Err(Error::NoBackground { photograph: id.to_owned() }),
        }
    }
}

/// Which class each word of a metadata table stands for, as far as photographs have told it.
#[derive(Debug, Clone, Default)]
pub struct Words<'a>(BTreeMap<&'a str, u16>);

impl<'a> Words<'a> {
    /// Takes note that the photograph `id`, of which `grouping` says a class in its words, is of `class`; `classes` are the
    /// names for errors.
    ///
    /// # Errors
    /// [`Error::GroupClass`] if the same word stood for another class before.
    pub fn note(&mut self, grouping: &'a Grouping, id: &str, class: u16, classes: &[String]) -> Result<()> {
        let Grouping::Metadata(labels) = grouping else { return Ok(()) };
        let word = labels.of(id)?.class.as_str();
        let known = *self.0.entry(word).or_insert(class);
        if word.is_empty() || known == class {
            return Ok(());
        }
        let name = |class: u16| classes.get(usize::from(class)).map_or("", String::as_str).into();
        Err(Error::GroupClass {
            path: labels.path().to_owned(),
            photograph: id.to_owned(),
            word: word.into(),
            expected: name(known),
            found: name(class),
        })
    }

    /// The class that a word stands for, if a photograph told it.
    pub fn class(&self, word: &str) -> Option<u16> {
        self.0.get(word).copied()
    }
}
