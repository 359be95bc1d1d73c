//! Telling rows apart without keeping them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use in9_base::table::Unit;

/// What tells one prediction from another.
pub(super) const PREDICTION: [&str; 6] = ["model", "dataset", "split", "view", "image", "background"];

/// 96 bits of a hash of some names: among 10 million the chance of two with the same is one in 10^15, and they take
/// 12 bytes instead of all their names.
pub(super) type Fingerprint = [u32; 3];

pub(super) fn fingerprint<const N: usize>(names: [&str; N]) -> Fingerprint {
    let mut hasher = blake3::Hasher::new();
    for name in names {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
    }
    let bytes = *hasher.finalize().as_bytes();
    std::array::from_fn(|i| {
        u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
    })
}

/// The predictions that a table has so far, each with its place.
pub(super) struct Distinct {
    places: HashMap<Fingerprint, u32>,
    unit: Unit,
}

impl Distinct {
    /// None yet, of a table whose places are counted in `unit`.
    pub(super) fn counted_in(unit: Unit) -> Self {
        Self { places: HashMap::new(), unit }
    }

    /// Notes the prediction of a place, by its [`PREDICTION`].
    ///
    /// # Errors
    /// The mistake, if an earlier place has it.
    pub(super) fn insert(&mut self, line: u64, prediction: [&str; PREDICTION.len()]) -> Result<(), String> {
        match self.places.entry(fingerprint(prediction)) {
            Entry::Occupied(first) => {
                let (unit, first) = (self.unit, first.get());
                Err(format!("same model, dataset, split, view, image and background as {unit} {first}"))
            }
            Entry::Vacant(place) => {
                // A file of at most 4 GiB has no more lines.
                place.insert(u32::try_from(line).unwrap_or(u32::MAX));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_wherever_they_end() {
        assert_ne!(fingerprint(["ab", "c"]), fingerprint(["a", "bc"]));
        let mut distinct = Distinct::counted_in(Unit::Line);
        distinct.insert(2, ["m", "d", "s", "v", "i", ""]).unwrap();
        distinct.insert(3, ["m", "d", "s", "v", "", "i"]).unwrap();
        let mistake = distinct.insert(4, ["m", "d", "s", "v", "i", ""]).unwrap_err();
        assert!(mistake.ends_with("line 2"), "{mistake}");
    }
}
