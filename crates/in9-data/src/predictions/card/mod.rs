//! The card of a prediction table: what was measured and how, in a TOML file beside the table.
//!
//! Two networks can be ranked when their cards agree on everything that is not the network's own. Whoever brings a table
//! from elsewhere can write a card by hand; `PREDICTIONS.md` in this crate's folder specifies it.

mod file;
mod network;

pub use network::{CardNetwork, CardProbe, CardPrompts};

use serde::{Deserialize, Serialize};

/// What a prediction table was measured with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// What the file is: [`Card::KIND`].
    pub card: String,
    /// The program and its version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub made_by: String,
    /// BLAKE3 of the table's bytes, lower-case hexadecimal, so that a card is never taken for another table's; a card
    /// without it is taken at its word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Kind of device that computed, such as `cpu`; a GPU rounds otherwise in the last digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The networks, at least one, in the table's order; each by another name.
    #[serde(rename = "network", with = "network::one_or_more")]
    pub networks: Vec<CardNetwork>,
    /// The pictures.
    pub test: CardTest,
}

/// The pictures that were answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CardTest {
    /// Name of the dataset in the table.
    pub dataset: String,
    /// The dataset's digest, which no dataset with other pictures has.
    pub digest: String,
    /// Where the pictures come from.
    pub pictures: CardPictures,
    /// Pairings that the mixed views were tested with.
    pub pairings: u32,
    /// The splits, in the table's order.
    pub split: Vec<CardSplit>,
}

/// Where pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CardPictures {
    /// Composed from the dataset's layers.
    Recomposed,
    /// Files of the official release.
    Published,
}

/// One split of the test pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardSplit {
    /// Its name.
    pub name: String,
    /// Side of its stored pictures, in pixels.
    pub stored: u32,
    /// Side of the pictures that the network saw, in pixels; another than `stored` by Pillow's bicubic filter.
    pub side: u32,
    /// Its views, in the table's order.
    pub views: Vec<String>,
}

/// The card beside a table.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundCard {
    /// There is none.
    None,
    /// It is about other bytes: the table has changed since, or is another one.
    OfOtherTable,
    /// The table's own.
    Own(Box<Card>),
}

impl Card {
    /// What every card of this version says it is.
    pub const KIND: &str = "in9 prediction card 1";

    /// How a card's name ends, behind its table's.
    pub const ENDING: &str = ".card.toml";

    /// The split of this name, if the card is about it.
    pub fn split(&self, name: &str) -> Option<&CardSplit> {
        self.test.split.iter().find(|split| split.name == name)
    }

    /// The network of this name in the table, if the card is about it.
    pub fn network(&self, model: &str) -> Option<&CardNetwork> {
        self.networks.iter().find(|network| network.model == model)
    }

    /// The card of this network alone, if it is about it.
    pub fn narrowed(&self, model: &str) -> Option<Self> {
        let networks = vec![self.network(model)?.clone()];
        Some(Self { networks, ..self.clone() })
    }
}

impl std::fmt::Display for CardPictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Recomposed => "recomposed",
            Self::Published => "the release's own",
        })
    }
}
