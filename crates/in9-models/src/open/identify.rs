//! Which network a weight file holds: by its header, by its digest, or because somebody says so.

use std::path::{Path, PathBuf};

use candle_core::Device;
use in9_data::Normalization;
use in9_data::facts::NetworkFacts;

use super::normalization::{NormalizationSource, choose};
use super::source::Source;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::registry::{self, Architecture, DownloadProgress, Pretrained};
use crate::weights::{self, Head, Limits, WeightFile};

/// A weight file that was read, and what is known about it.
pub struct Identified {
    /// The file.
    pub path: PathBuf,
    /// Its architecture.
    pub architecture: &'static Architecture,
    /// Its tensors; digest, format and what was undone to read them.
    pub file: WeightFile,
    /// What its header says, if this project wrote it.
    pub facts: Option<NetworkFacts>,
    /// The published weights that it is, by its SHA-256 or because it came from the cache by their name.
    pub published: Option<&'static Pretrained>,
    run: bool,
}

impl Identified {
    /// Reads the file of `source`; `arch` is what the caller says about it. `progress` hears of the bytes of
    /// a download.
    ///
    /// # Errors
    /// [`Error::ArchitectureUnknown`] and [`Error::OtherArchitecture`]; those of the download and of
    /// [`weights::read`].
    pub fn read(
        source: &Source,
        arch: Option<&str>,
        progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<Self> {
        let path = source.path(progress)?;
        let file = weights::read(&path, &Limits::default())?;
        Self::known(source, path, file, arch)
    }

    /// As [`Identified::read`], of the file at `path`, which was read before.
    ///
    /// # Errors
    /// As [`Identified::read`].
    pub fn of(path: &Path, file: WeightFile, arch: Option<&str>) -> Result<Self> {
        Self::known(&Source::File(path.to_owned()), path.to_owned(), file, arch)
    }

    fn known(source: &Source, path: PathBuf, file: WeightFile, arch: Option<&str>) -> Result<Self> {
        let facts = facts(&path, &file)?;
        let published = match source {
            Source::Published(published) => Some(*published),
            Source::Run(_) | Source::File(_) => {
                // Converted files say what they were; the others are known by their digest.
                let origin =
                    facts.as_ref().map(|facts| facts.origin.as_str()).filter(|name| !name.is_empty());
                match origin {
                    Some(name) => registry::find_pretrained(name).ok(),
                    None => file.sha256.as_deref().and_then(registry::recognise),
                }
            }
        };
        let said = facts.as_ref().map(|facts| facts.arch.as_str()).filter(|arch| !arch.is_empty());
        let known = said.or(published.map(|published| published.arch));
        let name = match (arch, known) {
            (Some(asked), Some(found)) if asked != found => {
                // A misspelt name is a mistake of its own.
                registry::find(asked)?;
                let (asked, found) = (asked.to_owned(), found.to_owned());
                return Err(Error::OtherArchitecture { path, asked, found });
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(Error::ArchitectureUnknown(path)),
        };
        let architecture = registry::find(name)?;
        Ok(Self { path, architecture, file, facts, published, run: matches!(source, Source::Run(_)) })
    }

    /// What inputs are normalised with, and how that is known; `asked` goes before everything else.
    ///
    /// # Errors
    /// [`Error::NormalizationUnknown`].
    pub fn normalization(
        &self,
        asked: Option<Normalization>,
    ) -> Result<(Normalization, NormalizationSource)> {
        choose(self, asked)
    }

    /// The network, frozen or `trainable`.
    ///
    /// # Errors
    /// [`Error::File`] with the difference when names and shapes of the tensors do not fit.
    pub fn model(self, head: Head, trainable: bool, device: &Device) -> Result<Model> {
        let arch = self.architecture.name;
        let model = weights::load_from(arch, &self.path, self.file.tensors, head, trainable, device)?;
        let classes = self.facts.map_or(0, |facts| facts.classes.len());
        if head == Head::FromFile && classes > 0 && classes != model.classes() {
            let expected = format!("{classes} outputs, as its header names classes");
            return Err(Error::file(
                &self.path,
                "its header does not fit its tensors",
                expected,
                model.classes(),
            ));
        }
        Ok(model)
    }

    /// What to call the network in tables.
    pub(super) fn name(&self) -> String {
        let run = self.facts.as_ref().map(|facts| facts.name.as_str()).filter(|name| !name.is_empty());
        run.map_or_else(
            || {
                format!(
                    "{}-{}",
                    self.architecture.name,
                    self.path.file_stem().unwrap_or_default().to_string_lossy()
                )
            },
            str::to_owned,
        )
    }

    /// The file in a few words, without its folder.
    pub(super) fn origin(&self) -> String {
        match (self.published, &self.facts) {
            (Some(published), _) => published.name(),
            (None, Some(facts)) if self.run => format!("run {}", facts.name),
            _ => file_name(&self.path),
        }
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.file.notes.clone();
        if self.published.is_none() && self.facts.is_none() {
            let name = file_name(&self.path);
            let namesake = registry::PRETRAINED.iter().find(|p| p.file == name);
            notes.extend(
                namesake.map(|p| format!("is called as the published {} but is not that file", p.name())),
            );
            notes.extend(twin(self.architecture.name).map(|twin| {
                format!(
                    "its tensors fit {twin} too, which pads and normalises otherwise; taken for {} because that was asked for",
                    self.architecture.name
                )
            }));
        }
        notes
    }
}

/// The architecture whose tensors have the same names and shapes, but whose convolutions pad otherwise: TensorFlow's form
/// of timm's networks, and the other way round. Taken for each other they answer, and worse than they should.
fn twin(arch: &str) -> Option<&'static str> {
    let found = registry::ARCHITECTURES.iter().map(|other| other.name);
    let is_twin = |other: &&str| {
        other.strip_prefix("tf_").is_some_and(|plain| plain == arch)
            || arch.strip_prefix("tf_").is_some_and(|plain| plain == *other)
    };
    found.into_iter().find(is_twin)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the header says, if this project wrote the file.
pub(crate) fn facts(path: &Path, file: &WeightFile) -> Result<Option<NetworkFacts>> {
    let Some(metadata) = &file.metadata else { return Ok(None) };
    let facts: NetworkFacts = serde_json::from_str(&metadata.text).map_err(|e| {
        let what = format!("its header is not that of a network's weights ({e})");
        Error::file(path, what, "architecture and normalisation", "something else")
    })?;
    if !facts.normalization().is_usable() {
        let found = format!("mean {:?}, std {:?}", facts.mean, facts.std);
        return Err(Error::file(
            path,
            "its header's normalisation is not usable",
            "deviations above 0",
            found,
        ));
    }
    Ok(Some(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_differ_in_their_padding_only_are_known_as_twins() {
        assert_eq!(twin("efficientnet_lite0"), Some("tf_efficientnet_lite0"));
        assert_eq!(twin("tf_mobilenetv3_small_100"), Some("mobilenetv3_small_100"));
        assert_eq!(twin("resnet50"), None);
    }
}
