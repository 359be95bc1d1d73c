//! What a network's inputs are normalised with, by whoever knows.

use std::fmt;

use in9_data::Normalization;

use super::identify::Identified;
use crate::error::{Error, Result};
use crate::registry::pretrained_of;

/// How a normalisation is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NormalizationSource {
    /// The caller asked for it.
    Asked,
    /// The file's header says it.
    Header,
    /// The checkpoint holds the normaliser that it was trained with.
    Checkpoint,
    /// The file is published, with this preprocessing.
    Published(String),
    /// The configuration beside the weights says it.
    Config(String),
    /// All published weights of the architecture need the same.
    Architecture(String),
}

impl fmt::Display for NormalizationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("request"),
            Self::Header => f.write_str("the file's header"),
            Self::Checkpoint => f.write_str("the checkpoint's normaliser"),
            Self::Config(file) => f.write_str(file),
            Self::Published(name) => write!(f, "the publication of {name}"),
            Self::Architecture(arch) => write!(f, "all published weights of {arch}"),
        }
    }
}

/// What inputs of the network in `file` are normalised with, and how that is known.
///
/// # Errors
/// [`Error::NormalizationUnknown`] when the file does not say it, is not known, and published weights of its
/// architecture need different ones, or there are none.
pub fn choose(
    file: &Identified,
    asked: Option<Normalization>,
) -> Result<(Normalization, NormalizationSource)> {
    if let Some(asked) = asked {
        return Ok((asked, NormalizationSource::Asked));
    }
    if let Some(facts) = &file.facts {
        return Ok((facts.normalization(), NormalizationSource::Header));
    }
    if let Some(own) = file.file.normalization {
        return Ok((own, NormalizationSource::Checkpoint));
    }
    if let Some(published) = file.published {
        let name = NormalizationSource::Published(published.name());
        return Ok((published.preprocessing.normalization, name));
    }
    let arch = file.architecture.name;
    let mut all = pretrained_of(arch).map(|p| p.preprocessing.normalization);
    match all.next() {
        Some(first) if all.all(|other| other == first) => {
            Ok((first, NormalizationSource::Architecture(arch.to_owned())))
        }
        _ => Err(Error::NormalizationUnknown {
            path: file.path.clone(),
            arch: arch.to_owned(),
            candidates: pretrained_of(arch).map(|p| (p.name(), p.preprocessing.normalization)).collect(),
        }),
    }
}
