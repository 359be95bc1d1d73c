//! What a name of weights means: a run's folder, a file, or published weights.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::registry::{DownloadProgress, Pretrained, find_pretrained};

/// Where weights are.
#[derive(Debug, Clone)]
pub enum Source {
    /// In `model.safetensors` of a run's folder.
    Run(PathBuf),
    /// In a file of any kind that [`weights::read`](crate::weights::read) knows.
    File(PathBuf),
    /// Published.
    Published(&'static Pretrained),
}

impl Source {
    /// What `weights` names. What is there comes first; what looks like a path is one, whether something is
    /// there or not; then `tag` of the architecture `arch`, `arch.tag`, and `arch` for its first.
    ///
    /// # Errors
    /// [`Error::UnknownWeights`].
    pub fn find(weights: &str, arch: Option<&str>) -> Result<Self> {
        let path = PathBuf::from(weights);
        if path.is_dir() {
            return Ok(Self::Run(path));
        }
        let ends = ["pth", "pt", "safetensors"];
        let looks_like_a_file = weights.contains(std::path::MAIN_SEPARATOR)
            || path.extension().is_some_and(|end| ends.iter().any(|known| end == *known));
        if path.exists() || looks_like_a_file {
            return Ok(Self::File(path));
        }
        if let Some(arch) = arch
            && let Ok(published) = find_pretrained(&format!("{arch}.{weights}"))
        {
            return Ok(Self::Published(published));
        }
        match find_pretrained(weights) {
            Ok(published) => Ok(Self::Published(published)),
            // Whoever meant a file or a run is not helped by a list of architectures.
            Err(Error::UnknownArchitecture { name, close }) => {
                Err(Error::UnknownWeights { name, known: close })
            }
            Err(other) => Err(other),
        }
    }

    /// The file, downloaded into the user's cache if it is published and not there yet.
    ///
    /// # Errors
    /// Those of the download; [`Error::MissingFeature`] without the feature `download`.
    pub fn path(&self, progress: &mut dyn FnMut(DownloadProgress)) -> Result<PathBuf> {
        match self {
            Self::Run(folder) => Ok(folder.join("model.safetensors")),
            Self::File(path) => Ok(path.clone()),
            Self::Published(published) => fetch(published, progress),
        }
    }
}

#[cfg(feature = "download")]
fn fetch(published: &Pretrained, progress: &mut dyn FnMut(DownloadProgress)) -> Result<PathBuf> {
    crate::registry::Cache::of_user()?.fetch(published, progress)
}

#[cfg(not(feature = "download"))]
fn fetch(published: &Pretrained, _: &mut dyn FnMut(DownloadProgress)) -> Result<PathBuf> {
    let what = format!("published weights {}", published.name());
    Err(Error::MissingFeature { what, feature: "download" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_is_there_then_paths_then_published_weights() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_str().unwrap();
        assert!(matches!(Source::find(folder, None), Ok(Source::Run(_))));
        assert!(matches!(Source::find("nowhere/w", None), Ok(Source::File(_))));
        assert!(matches!(Source::find("w.pth", Some("resnet50")), Ok(Source::File(_))));
        let tag = |name: &str, arch| match Source::find(name, arch) {
            Ok(Source::Published(published)) => published.name(),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(tag("gluon", Some("resnet50")), "resnet50.gluon");
        assert_eq!(tag("resnet50.imagenet1k-v2", None), "resnet50.imagenet1k-v2");
        assert_eq!(tag("mobilenet_v2", None), "mobilenet_v2.imagenet1k-v1");
        let error = Source::find("resnet50.v9", None).unwrap_err().to_string();
        assert!(error.contains("resnet50.gluon"), "{error}");
        let error = Source::find("no-such-run", None).unwrap_err().to_string();
        assert!(error.starts_with("no-such-run: neither"), "{error}");
    }
}
