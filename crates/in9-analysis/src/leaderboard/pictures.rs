//! Which pictures a network was asked for, by the rows of its table.

use crate::error::Result;
use crate::frame::Key;
use in9_data::View;
use in9_data::predictions::Reader;
use std::collections::BTreeMap;
use std::path::Path;

/// The pictures of a view, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pictures {
    /// How many.
    pub(super) count: u64,
    /// Sum of a hash of each: of its photograph, its background and its true class.
    sum: u128,
}

impl Pictures {
    fn add(&mut self, parts: [&str; 3]) {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let hash = hasher.finalize();
        let half: [u8; 16] = std::array::from_fn(|i| hash.as_bytes()[i]);
        // A sum, so that the order of rows does not count, and a picture that stands twice does.
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(half));
        self.count += 1;
    }

    /// The sum in hexadecimal.
    pub(super) fn digest(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

/// The pictures of every view that each network of the table at `path` was asked for, by network and test set.
///
/// # Errors
/// If the table cannot be read or has mistakes.
pub(super) fn asked_of(path: &Path) -> Result<BTreeMap<Key, BTreeMap<View, Pictures>>> {
    let mut reader = Reader::open(path)?;
    let mut found: BTreeMap<Key, BTreeMap<View, Pictures>> = BTreeMap::new();
    while let Some(row) = reader.next_row()? {
        let key = Key {
            dataset: row.dataset,
            split: row.split,
            trained_on: row.trained_on,
            arch: row.arch,
            model: row.model,
            training: row.training,
        };
        let photograph = if row.foreground.is_empty() { &row.image } else { &row.foreground };
        // Classes by number: their names are compared as a whole.
        let parts = [photograph, &row.background, &row.class.to_string()];
        found.entry(key).or_default().entry(row.view).or_default().add(parts.map(String::as_str));
    }
    reader.finish()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[[&str; 3]]) -> Pictures {
        let mut pictures = Pictures::default();
        rows.iter().for_each(|row| pictures.add(*row));
        pictures
    }

    #[test]
    fn order_does_not_count_and_everything_else_does() {
        let (a, b) = (["1", "2", "dog"], ["3", "", "cat"]);
        assert_eq!(of(&[a, b]), of(&[b, a]));
        for other in [vec![a], vec![a, b, b], vec![["12", "", "dog"], b], vec![["1", "2", "cat"], b]] {
            assert_ne!(of(&[a, b]), of(&other), "{other:?}");
        }
        assert_eq!(of(&[a]).digest().len(), 32);
    }
}
