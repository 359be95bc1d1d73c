//! Work that is divided into pieces, each made by a process of its own.

mod asked;
mod whole;

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use asked::NoPiece;
pub use whole::{NotWhole, check_whole, numbers};

/// One piece of a work that is divided into `n`: `i/n`, with i from 1 to n.
///
/// ```
/// use in9_base::Piece;
/// let piece: Piece = "2/7".parse()?;
/// assert_eq!((piece.number(), piece.of()), (2, 7));
/// // Every seventh item from the second on.
/// assert_eq!(piece.share(0..20).collect::<Vec<_>>(), [1, 8, 15]);
/// # Ok::<(), in9_base::BadPiece>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Piece {
    number: u32,
    of: u32,
}

/// A text or a pair of numbers that names no piece.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} names no piece (expected i/n with 1 <= i <= n, as in 2/7)")]
pub struct BadPiece {
    /// What was given.
    pub found: String,
}

impl Piece {
    /// The only piece of a work that is not divided: 1/1.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Piece `number` of `of`, counted from 1.
    ///
    /// # Errors
    /// If there is no such piece.
    pub fn new(number: u32, of: u32) -> Result<Self, BadPiece> {
        match (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(BadPiece { found: format!("{number}/{of}") }),
        }
    }

    /// Its number, 1 to [`Piece::of`].
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many pieces there are, at least 1.
    pub fn of(self) -> u32 {
        self.of
    }

    /// All pieces of a work that is divided into as many as this one's, in order.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.of).map(move |number| Self { number, of: self.of })
    }

    /// This piece's share of some items: every n-th from the i-th on. Each item is in exactly one piece's.
    pub fn share<I: IntoIterator>(self, items: I) -> impl Iterator<Item = I::Item> {
        items.into_iter().skip(self.number as usize - 1).step_by(self.of as usize)
    }
}

impl Piece {
    /// This piece's part of `items` items that stay together: pieces one after the other are all items in order, and no
    /// two are longer or shorter than each other by more than one item.
    ///
    /// ```
    /// use in9_base::Piece;
    /// let piece: Piece = "2/3".parse()?;
    /// assert_eq!(piece.range(10), 3..6);
    /// # Ok::<(), in9_base::BadPiece>(())
    /// ```
    pub fn range(self, items: usize) -> Range<usize> {
        // In u64, where a product of two numbers of 32 bits fits.
        let up_to = |pieces: u32| (items as u64 * u64::from(pieces) / u64::from(self.of)) as usize;
        up_to(self.number - 1)..up_to(self.number)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Piece {
    type Err = BadPiece;

    fn from_str(text: &str) -> Result<Self, BadPiece> {
        let bad = || BadPiece { found: text.to_owned() };
        // Nothing but digits: `parse` alone would take "+1" too.
        let number = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse().map_err(|_| bad()),
            false => Err(bad()),
        };
        let (i, n) = text.split_once('/').ok_or_else(bad)?;
        Self::new(number(i)?, number(n)?).map_err(|_| bad())
    }
}

impl TryFrom<String> for Piece {
    type Error = BadPiece;

    fn try_from(text: String) -> Result<Self, BadPiece> {
        text.parse()
    }
}

impl From<Piece> for String {
    fn from(piece: Piece) -> Self {
        piece.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_are_counted_from_1() {
        assert_eq!("1/3".parse(), Piece::new(1, 3));
        assert_eq!("1/1".parse(), Ok(Piece::WHOLE));
        for bad in [
            "0/3",
            "4/3",
            "0/0",
            "1",
            "1/",
            "/3",
            "1/3/3",
            "-1/3",
            "+1/3",
            "1.0/3",
            "",
            " 1/3",
            "1/99999999999",
        ] {
            assert_eq!(bad.parse::<Piece>(), Err(BadPiece { found: bad.into() }));
        }
        assert!(serde_json::from_str::<Piece>("\"0/3\"").is_err());
    }

    proptest! {
        #[test]
        fn every_item_is_in_exactly_one_piece(items in 0usize..100, of in 1u32..20) {
            let first = Piece::new(1, of).unwrap();
            prop_assert!(first.all().all(|piece| piece.to_string().parse() == Ok(piece)));
            let mut found: Vec<usize> = first.all().flat_map(|piece| piece.share(0..items)).collect();
            found.sort_unstable();
            prop_assert_eq!(found, (0..items).collect::<Vec<_>>());
            let joined: Vec<usize> = first.all().flat_map(|piece| piece.range(items)).collect();
            prop_assert_eq!(joined, (0..items).collect::<Vec<_>>());
            let lengths = || first.all().map(|piece| piece.range(items).len());
            prop_assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1);
        }
    }
}
