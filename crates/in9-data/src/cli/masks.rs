//! `--masks`: where the masks of a build come from.

use std::path::PathBuf;
use std::str::FromStr;

use crate::{Error, Limits, MaskSource, NetworkMasks};

/// `grabcut`, `exact`, or `onnx:FILE.toml`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Masks {
    Known(MaskSource),
    Onnx(PathBuf),
}

impl FromStr for Masks {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some(("onnx", path)) if !path.is_empty() => Ok(Self::Onnx(path.into())),
            _ => text.parse().map(Self::Known).map_err(|_| Error::Unknown {
                what: "source of masks",
                known: "grabcut, exact, onnx:FILE.toml".into(),
                found: text.into(),
            }),
        }
    }
}

impl Masks {
    /// The source, and the network if it is one.
    pub(super) fn open(&self, limits: &Limits) -> crate::Result<(MaskSource, Option<NetworkMasks>)> {
        match self {
            Self::Known(source) => Ok((*source, None)),
            Self::Onnx(path) => Ok((MaskSource::Network, Some(open(path, limits)?))),
        }
    }
}

#[cfg(feature = "onnx")]
fn open(path: &std::path::Path, limits: &Limits) -> crate::Result<NetworkMasks> {
    NetworkMasks::open(path, limits)
}

#[cfg(not(feature = "onnx"))]
fn open(path: &std::path::Path, _: &Limits) -> crate::Result<NetworkMasks> {
    Err(Error::argument(
        "masks drawn by a network",
        "a program with the feature `onnx`",
        format!("one without it, and {}", path.display()),
        "compile it with `--features onnx`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_masks_are_named_and_networks_are_files() {
        assert_eq!("grabcut".parse::<Masks>().unwrap(), Masks::Known(MaskSource::Grabcut));
        assert_eq!("onnx:a/b:c.toml".parse::<Masks>().unwrap(), Masks::Onnx("a/b:c.toml".into()));
        for wrong in ["", "onnx", "onnx:", "network", "sam:x.toml"] {
            let text = wrong.parse::<Masks>().unwrap_err().to_string();
            assert!(text.contains("onnx:FILE.toml"), "{text}");
        }
    }
}
