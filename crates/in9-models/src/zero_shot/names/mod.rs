//! Other libraries' names of a two-tower network's tensors, and ours.
//!
//! Ours are `visual.…` and `text.…` of the [towers](crate::arch::transformer), `logit_scale` and `logit_bias`. Which
//! library wrote a file is seen by its names; a file with a name that nobody knows is refused whole.

mod open_clip;
mod timm;
mod transformers;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use crate::error::{Error, Result};
use crate::weights::{StateDict, finite, shown};

/// Whose names a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// open_clip's, and OpenAI's own before it.
    OpenClip,
    /// Hugging Face transformers'.
    Transformers,
}

impl Scheme {
    /// The file beside the weights that says what tensors do not.
    pub fn config(self) -> &'static str {
        match self {
            Self::OpenClip => "open_clip_config.json",
            Self::Transformers => "config.json",
        }
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpenClip => "open_clip",
            Self::Transformers => "transformers",
        })
    }
}

/// What is done with a tensor of a file.
pub(super) enum Place {
    /// It is ours of this name, but for axes of length one.
    Whole(String),
    /// So is its transpose.
    Transposed(String),
    /// It is a part of ours: the rows after those of the parts before it.
    Part(String, u8),
    /// A constant that some versions store; nothing needs it.
    Dropped,
}

/// One tensor of a file that goes into one of ours.
struct Source {
    order: u8,
    name: String,
    transposed: bool,
}

/// A file's tensors under our names.
pub(super) struct Renamed {
    /// Whose names it had.
    pub(super) scheme: Scheme,
    dict: StateDict,
    sources: BTreeMap<String, Vec<Source>>,
}

impl Renamed {
    /// The tensors of the file at `path`.
    ///
    /// # Errors
    /// [`Error::File`] for the names of no such network, and for a name that belongs to none of its layers.
    pub(super) fn of(path: &Path, dict: StateDict) -> Result<Self> {
        let has = |name: &str| dict.get(name).is_some();
        let scheme = if has("vision_model.embeddings.patch_embedding.weight") {
            Scheme::Transformers
        } else if has("visual.conv1.weight") || has("visual.trunk.patch_embed.proj.weight") {
            Scheme::OpenClip
        } else {
            let found = dict.names().take(3).map(shown).collect::<Vec<_>>().join(", ");
            let expected = "the names of open_clip or transformers";
            return Err(Error::file(path, "no image and text towers", expected, format!("{found}, …")));
        };
        let place: fn(&str) -> Option<Place> = match scheme {
            Scheme::Transformers => transformers::place,
            Scheme::OpenClip => open_clip::place,
        };
        let mut sources: BTreeMap<String, Vec<Source>> = BTreeMap::new();
        let mut strange = Vec::new();
        for name in dict.names() {
            let (ours, order, transposed) = match place(name) {
                Some(Place::Whole(ours)) => (ours, 0, false),
                Some(Place::Transposed(ours)) => (ours, 0, true),
                Some(Place::Part(ours, order)) => (ours, order, false),
                Some(Place::Dropped) => continue,
                None => {
                    strange.push(shown(name));
                    continue;
                }
            };
            sources.entry(ours).or_default().push(Source { order, name: name.to_owned(), transposed });
        }
        if let Some(first) = strange.first() {
            let found = format!("{first} and {} others", strange.len() - 1);
            return Err(Error::file(
                path,
                "tensors of no layer; nothing was loaded",
                format!("{scheme}'s names of CLIP or SigLIP"),
                found,
            ));
        }
        for parts in sources.values_mut() {
            parts.sort_by_key(|part| part.order);
        }
        Ok(Self { scheme, dict, sources })
    }

    /// Names and shapes, without axes of length one in front.
    pub(super) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |parts: &Vec<Source>| {
            let mut shapes = parts.iter().filter_map(|part| {
                let mut shape = self.dict.get(&part.name)?.shape().to_vec();
                if part.transposed {
                    shape.reverse();
                }
                Some(shape)
            });
            let mut whole = shapes.next().unwrap_or_default();
            for part in shapes {
                if let (Some(rows), Some(more)) = (whole.first_mut(), part.first()) {
                    *rows += more;
                }
            }
            squeezed(&whole)
        };
        self.sources.iter().map(|(name, parts)| (name.clone(), shape(parts))).collect()
    }

    /// The values of our tensor `name`, in the `shape` that the tower asks for.
    ///
    /// # Errors
    /// [`Error::Weights`] for values that cannot be read or are not finite; [`Error::Tensor`] where parts do not fit.
    pub(super) fn tensor(&self, path: &Path, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        let mut parts = Vec::new();
        for part in self.sources.get(name).into_iter().flatten() {
            let Some(raw) = self.dict.get(&part.name) else { continue };
            let values = finite(&part.name, raw).map_err(|fault| fault.at(path))?;
            let tensor = Tensor::from_vec(values, raw.shape(), device)?;
            parts.push(if part.transposed { tensor.t()?.contiguous()? } else { tensor });
        }
        let whole = if parts.len() == 1 { parts.remove(0) } else { Tensor::cat(&parts, 0)? };
        Ok(whole.reshape(shape)?)
    }
}

/// A shape without axes of length one in front: libraries keep one vector as `[1, 1, width]`, `[1, width]` or `[width]`.
pub(super) fn squeezed(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().skip_while(|side| *side == 1).collect()
}

/// `3.rest` into `(3, rest)`.
fn numbered(name: &str) -> Option<(usize, &str)> {
    let (number, rest) = name.split_once('.')?;
    Some((number.parse().ok()?, rest))
}
