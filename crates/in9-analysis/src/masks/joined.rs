//! The same photographs in several datasets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use in9_data::{SoundSplit, Split};

use crate::error::{Error, Result};

/// The photographs that every one of several splits holds, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// For each photograph its place in each split, in the order of the first split.
    rows: Vec<Vec<usize>>,
}

impl Joined {
    /// Joins splits, each with the dataset that it is of.
    ///
    /// # Errors
    /// [`Error::OtherPhotograph`] if two splits hold different pixels by one id, or pictures of different sizes;
    /// [`Error::NoMasks`] for photographs only; [`Error::NoCommonPhotograph`] if no photograph is in all of them.
    pub fn of(splits: &[(PathBuf, SoundSplit)]) -> Result<Self> {
        let Some(((first_path, first), others)) = splits.split_first() else {
            return Ok(Self { rows: Vec::new() });
        };
        for (path, split) in splits {
            if !split.has_layers() {
                return Err(Error::NoMasks { path: path.clone() });
            }
        }
        let places: Vec<HashMap<&str, usize>> = others
            .iter()
            .map(|(_, split)| split.samples().enumerate().map(|(at, one)| (one.id.as_str(), at)).collect())
            .collect();
        let mut rows = Vec::new();
        for (at, sample) in first.samples().enumerate() {
            let there: Option<Vec<usize>> =
                places.iter().map(|ids| ids.get(sample.id.as_str()).copied()).collect();
            let Some(there) = there else { continue };
            for ((path, split), &place) in others.iter().zip(&there) {
                same_picture((first_path, first, at), (path, split, place))?;
            }
            rows.push([at].into_iter().chain(there).collect());
        }
        match rows.is_empty() {
            true => Err(Error::NoCommonPhotograph {
                paths: splits.iter().map(|(path, _)| path.clone()).collect(),
            }),
            false => Ok(Self { rows }),
        }
    }

    /// Those of the photographs that are at `places` in the first split.
    pub fn only(mut self, places: &[u32]) -> Self {
        let places: std::collections::HashSet<usize> = places.iter().map(|&place| place as usize).collect();
        self.rows.retain(|row| places.contains(&row[0]));
        self
    }

    /// For each photograph its place in each split.
    pub fn rows(&self) -> &[Vec<usize>] {
        &self.rows
    }
}

/// Masks can be compared where they lie on the same pixels, which is where the stored photographs are the same bytes.
fn same_picture(
    (path, split, at): (&Path, &SoundSplit, usize),
    (other_path, other, place): (&Path, &SoundSplit, usize),
) -> Result<()> {
    let fault = |expected: String, found: String| {
        let (id, there) = (split.sample(at).id.clone(), other_path.to_path_buf());
        let expected = format!("{expected}, as in {}", path.display());
        Err(Error::OtherPhotograph { id, path: there, expected, found })
    };
    let (side, other_side) = (Split::size(split), Split::size(other));
    if side != other_side {
        return fault(format!("{side} pixels a side"), format!("{other_side}"));
    }
    if split.layers(at).photo != other.layers(place).photo {
        let hash = |bytes: &[u8]| format!("pixels of BLAKE3 {}", &blake3::hash(bytes).to_hex()[..16]);
        return fault(hash(split.layers(at).photo), hash(other.layers(place).photo));
    }
    Ok(())
}
