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
            match Card::of(table)? {
                FoundCard::None => {}
                FoundCard::Own(card) => found.cards.push(*card),
                FoundCard::OfOtherTable => found.notes.push(format!(
                    "{}: is the card of another table, or the table was changed since; it is not used",
                    Card::beside(table).display()
                )),
            }
        }
        Ok(found)
    }
}
