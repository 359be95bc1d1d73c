//! Whether some pieces are all pieces of one work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Piece;

/// Pieces that are not all pieces of one work, each once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotWhole {
    /// There is no piece.
    #[error("no piece is named; name every piece of the work")]
    None,
    /// Pieces of works that were divided differently.
    #[error("{}: piece {piece}, but {} is one of {of}; merge pieces of one work", path.display(), first.display())]
    Divided {
        /// A piece of another work.
        path: PathBuf,
        /// What it is.
        piece: Piece,
        /// The first piece.
        first: PathBuf,
        /// How many pieces the first one's work has.
        of: u32,
    },
    /// The same piece twice.
    #[error("{} and {} are both piece {piece}; name each piece once", first.display(), second.display())]
    Twice {
        /// The piece.
        piece: Piece,
        /// Where it is.
        first: PathBuf,
        /// Where it is, too.
        second: PathBuf,
    },
    /// Pieces that are not there.
    #[error("of {of} pieces {} are missing: {}; name every piece", missing.len(), numbers(missing))]
    Missing {
        /// Their numbers, ascending.
        missing: Vec<u32>,
        /// How many there should be.
        of: u32,
    },
}

/// Checks that `found`, each where it is and which it is, are all pieces of one work, each once, in any order.
///
/// ```
/// use in9_base::{Piece, check_whole};
/// let piece = |text: &str| (text.into(), text.parse::<Piece>().unwrap());
/// assert!(check_whole(&[piece("2/2"), piece("1/2")]).is_ok());
/// let error = check_whole(&[piece("2/4")]).unwrap_err();
/// assert_eq!(error.to_string(), "of 4 pieces 3 are missing: 1,3-4; name every piece");
/// ```
///
/// # Errors
/// [`NotWhole`] with the first thing that is wrong.
pub fn check_whole(found: &[(PathBuf, Piece)]) -> Result<(), NotWhole> {
    let Some((first, piece)) = found.first() else { return Err(NotWhole::None) };
    let of = piece.of();
    let mut seen: BTreeMap<u32, &Path> = BTreeMap::new();
    for (path, piece) in found {
        if piece.of() != of {
            return Err(NotWhole::Divided { path: path.clone(), piece: *piece, first: first.clone(), of });
        }
        if let Some(earlier) = seen.insert(piece.number(), path) {
            return Err(NotWhole::Twice { piece: *piece, first: earlier.into(), second: path.clone() });
        }
    }
    let missing: Vec<u32> = (1..=of).filter(|number| !seen.contains_key(number)).collect();
    if missing.is_empty() { Ok(()) } else { Err(NotWhole::Missing { missing, of }) }
}

/// Ascending numbers as a scheduler's array takes them: `1,3-7`.
///
/// ```
/// assert_eq!(in9_base::piece::numbers(&[1, 3, 4, 5, 9]), "1,3-5,9");
/// ```
pub fn numbers(ascending: &[u32]) -> String {
    let runs = ascending.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let shown = runs.map(|run| match (run, run.last()) {
        ([only], _) => only.to_string(),
        ([first, ..], Some(last)) => format!("{first}-{last}"),
        _ => String::new(),
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pieces: &[&str]) -> Result<(), String> {
        let found: Vec<_> = pieces.iter().map(|text| (text.into(), text.parse().unwrap())).collect();
        check_whole(&found).map_err(|error| error.to_string())
    }

    #[test]
    fn gaps_doubles_and_strangers_are_named() {
        assert_eq!(checked(&["3/3", "1/3", "2/3"]), Ok(()));
        assert_eq!(checked(&["1/1"]), Ok(()));
        assert!(checked(&[]).unwrap_err().contains("no piece is named"));
        assert!(checked(&["1/3", "3/3"]).unwrap_err().contains("1 are missing: 2;"));
        assert!(checked(&["1/3", "2/3", "1/3", "3/3"]).unwrap_err().contains("both piece 1/3"));
        assert!(checked(&["1/3", "2/4"]).unwrap_err().contains("piece 2/4, but 1/3 is one of 3"));
    }
}
