//! The cards beside prediction tables.

use crate::error::Result;
use in9_data::predictions::{Card, FoundCard};
use std::path::Path;

/// The cards of some tables, and what is to be said of those that cannot be used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cards {
    /// The cards, in the order of the tables.
    pub cards: Vec<Card>,
    /// A line for each card that is about other bytes than its table's.
    pub notes: Vec<String>,
}

impl Cards {
    /// Reads the cards of `tables`.
    ///
    /// # Errors
    /// If a card is there and cannot be read, is of another version, or says too little.
    pub fn of<P: AsRef<Path>>(tables: &[P]) -> Result<Self> {
        let mut found = Self::default();
        for table in tables.iter().map(AsRef::as_ref) {
            found.cards.extend(own_card(table, "it is not used", &mut found.notes)?);
        }
        Ok(found)
    }
}

/// The card of `table`, if there is one and it is about these bytes; else a line in `notes`, with what follows from it.
///
/// # Errors
/// As [`Cards::of`].
pub(crate) fn own_card(table: &Path, so: &str, notes: &mut Vec<String>) -> Result<Option<Card>> {
    match Card::of(table)? {
        FoundCard::None => Ok(None),
        FoundCard::Own(card) => Ok(Some(*card)),
        FoundCard::OfOtherTable => {
            notes.push(format!(
                "{}: is the card of another table, or the table was changed since; {so}",
                Card::beside(table).display()
            ));
            Ok(None)
        }
    }
}
