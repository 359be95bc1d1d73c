//! `--masks`: where the masks of a build come from.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

use crate::{Error, Limits, MaskSource, NetworkMasks};

/// Opens the network of a file of weights, to draw masks within the limits.
pub type OpenMasks = fn(&Path, &Limits) -> anyhow::Result<NetworkMasks>;

/// What opens a SAM: this crate knows no framework that could.
static SAM: OnceLock<OpenMasks> = OnceLock::new();

/// Notes what opens the networks of `--masks sam:WEIGHTS`. A program that has such networks calls it before it reads its
/// arguments; in others the flag is an error that says so.
pub fn sam_is_opened_by(open: OpenMasks) {
    // A process is one program: whoever says it twice says the same.
    let _ = SAM.set(open);
}

/// `grabcut`, `exact`, `onnx:FILE.toml`, or `sam:WEIGHTS`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Masks {
    Known(MaskSource),
    Onnx(PathBuf),
    Sam(PathBuf),
}

impl FromStr for Masks {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some(("onnx", path)) if !path.is_empty() => Ok(Self::Onnx(path.into())),
            Some(("sam", path)) if !path.is_empty() => Ok(Self::Sam(path.into())),
            _ => text.parse().map(Self::Known).map_err(|_| Error::Unknown {
                what: "source of masks",
                known: "grabcut, exact, onnx:FILE.toml, sam:WEIGHTS".into(),
                found: text.into(),
            }),
        }
    }
}

impl Masks {
    /// The source, and the network if it is one.
    pub(super) fn open(&self, limits: &Limits) -> anyhow::Result<(MaskSource, Option<NetworkMasks>)> {
        match self {
            Self::Known(source) => Ok((*source, None)),
            Self::Onnx(path) => Ok((MaskSource::Network, Some(open(path, limits)?))),
            Self::Sam(path) => match SAM.get() {
                Some(open) => Ok((MaskSource::Network, Some(open(path, limits)?))),
                None => Err(missing("transformers", "in9", path).into()),
            },
        }
    }
}

/// What a program says that was compiled without networks of a kind.
fn missing(feature: &str, of: &str, path: &Path) -> Error {
    Error::argument(
        "masks drawn by a network",
        format!("a program with the feature `{feature}`"),
        format!("one without it, and {}", path.display()),
        format!("compile {of} with `--features {feature}`"),
    )
}

#[cfg(feature = "onnx")]
fn open(path: &Path, limits: &Limits) -> crate::Result<NetworkMasks> {
    NetworkMasks::open(path, limits)
}

#[cfg(not(feature = "onnx"))]
fn open(path: &Path, _: &Limits) -> crate::Result<NetworkMasks> {
    Err(missing("onnx", "it", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_masks_are_named_and_networks_are_files() {
        assert_eq!("grabcut".parse::<Masks>().unwrap(), Masks::Known(MaskSource::Grabcut));
        assert_eq!("onnx:a/b:c.toml".parse::<Masks>().unwrap(), Masks::Onnx("a/b:c.toml".into()));
        assert_eq!("sam:w.safetensors".parse::<Masks>().unwrap(), Masks::Sam("w.safetensors".into()));
        for wrong in ["", "onnx", "onnx:", "network", "sam", "sam:"] {
            let text = wrong.parse::<Masks>().unwrap_err().to_string();
            assert!(text.contains("onnx:FILE.toml, sam:WEIGHTS"), "{text}");
        }
    }

    #[test]
    fn a_program_without_networks_says_so_in_one_line() {
        let text = Masks::Sam("w.pth".into()).open(&Limits::default()).unwrap_err().to_string();
        assert!(text.contains("`transformers`") && text.contains("w.pth") && !text.contains('\n'), "{text}");
    }
}
