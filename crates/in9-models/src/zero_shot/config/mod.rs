//! What tensors do not say about a two-tower network, from the configuration beside its weights: heads, nonlinearity,
//! what layer norms add, how pictures are normalised and texts cleaned.
//!
//! Sizes are taken from the tensors; a configuration that contradicts them belongs to other weights and is refused.

mod open_clip;
mod transformers;

use std::path::Path;

use in9_data::Normalization;
use serde_json::Value;

use super::Family;
use super::names::Scheme;
use super::tokenizer::Cleaning;
use crate::arch::transformer::Nonlinearity;
use crate::error::{Error, Result};

/// Longest configuration, in bytes.
const LONGEST: u64 = 1 << 20;

/// What a configuration says about one tower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tower {
    /// Channels of a token, to be compared with the tensors', if it is said.
    pub(super) width: Option<usize>,
    /// Blocks, likewise.
    pub(super) layers: Option<usize>,
    pub(super) heads: usize,
    pub(super) nonlinearity: Nonlinearity,
    pub(super) epsilon: f64,
}

/// What a configuration says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Config {
    pub(super) image: Tower,
    pub(super) text: Tower,
    /// Side of pictures and of patches in pixels, to be compared with the tensors', if they are said.
    pub(super) size: Option<usize>,
    pub(super) patch: Option<usize>,
    /// What pictures are normalised with, and the file that says so.
    pub(super) normalization: Option<(Normalization, String)>,
    /// How texts are cleaned before they are cut into tokens, if it is said.
    pub(super) cleaning: Option<Cleaning>,
    /// The token that short texts are filled up with, if it is said.
    pub(super) pad: Option<u32>,
    /// BLAKE3 of the configuration.
    pub(super) digest: String,
}

/// What a reader of one library's configurations is given.
pub(super) struct Given<'a> {
    path: &'a Path,
    family: Family,
    /// The tensors' widths of the image and the text tower.
    widths: [usize; 2],
}

impl Config {
    /// The configuration of the network of `family` in `folder`, whose tensors have `scheme`'s names and these widths.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that is not there or too large, [`Error::File`] for one that says something else.
    pub(super) fn read(folder: &Path, scheme: Scheme, family: Family, widths: [usize; 2]) -> Result<Self> {
        let path = folder.join(scheme.config());
        let (json, digest) = json(&path)?;
        let given = Given { path: &path, family, widths };
        let mut config = match scheme {
            Scheme::OpenClip => open_clip::config(&given, &json)?,
            Scheme::Transformers => transformers::config(&given, &json)?,
        };
        config.digest = digest;
        Ok(config)
    }
}

impl Given<'_> {
    /// A configuration that does not fit.
    fn refused(&self, what: &str, expected: impl ToString, found: impl ToString) -> Error {
        Error::file(self.path, what, expected, found)
    }

    /// The object under `key`, or an empty one.
    fn object<'v>(&self, json: &'v Value, key: &str) -> Result<Option<&'v Value>> {
        match json.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ Value::Object(_)) => Ok(Some(value)),
            Some(other) => Err(self.refused(&format!("`{key}`"), "an object", kind(other))),
        }
    }

    /// The number under `key` of an object that may be missing.
    fn number(&self, json: Option<&Value>, key: &str) -> Result<Option<usize>> {
        let Some(value) = json.and_then(|json| json.get(key)).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let number = value.as_u64().and_then(|n| usize::try_from(n).ok());
        number.map(Some).ok_or_else(|| self.refused(&format!("`{key}`"), "a whole number", kind(value)))
    }

    /// The number under `key`, not necessarily whole.
    fn real(&self, json: Option<&Value>, key: &str) -> Result<Option<f64>> {
        let Some(value) = json.and_then(|json| json.get(key)).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        value.as_f64().map(Some).ok_or_else(|| self.refused(&format!("`{key}`"), "a number", kind(value)))
    }
}

/// The JSON of a file, and the BLAKE3 of its bytes.
fn json(path: &Path) -> Result<(Value, String)> {
    let text = in9_base::files::read_text(path, LONGEST)?;
    let json = serde_json::from_str(&text)
        .map_err(|error| Error::file(path, "no configuration", "a JSON object", error))?;
    Ok((json, blake3::hash(text.as_bytes()).to_hex().to_string()))
}

/// The JSON of a file that need not be there.
fn json_if_there(path: &Path) -> Result<Option<Value>> {
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(json(path)?.0))
}

/// Mean and deviation, three numbers each, under these two keys; none if both are missing.
fn normalization(given: &Given<'_>, json: &Value, keys: [&str; 2]) -> Result<Option<Normalization>> {
    let [mean, std] = keys.map(|key| json.get(key).filter(|value| !value.is_null()));
    let (Some(mean), Some(std)) = (mean, std) else { return Ok(None) };
    let three = |value: &Value| -> Option<[f32; 3]> {
        let numbers: Vec<f32> =
            value.as_array()?.iter().filter_map(|v| v.as_f64().map(|v| v as f32)).collect();
        numbers.try_into().ok()
    };
    let found = three(mean).zip(three(std)).map(|(mean, std)| Normalization { mean, std });
    found.filter(Normalization::is_usable).map(Some).ok_or_else(|| {
        given.refused(
            "mean and deviation of pictures",
            "three numbers each, deviations above 0",
            format!("{mean} and {std}"),
        )
    })
}

/// What JSON calls a value, for messages.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => crate::weights::shown(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
