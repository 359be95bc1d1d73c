//! Cards as files beside their tables.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use in9_base::{digest, files};
use serde::Deserialize;

use super::{Card, CardNetwork, FoundCard};
use crate::error::{Error, Result};
use crate::predictions::plain;

/// Longest card, in bytes.
const LONGEST: u64 = 1 << 20;

/// Most networks that a card is about.
const MOST_NETWORKS: usize = 1000;

/// Most splits that a card names.
const MOST_SPLITS: usize = 1000;

/// How the first words of a card of any version begin.
const ANY_KIND: &str = "in9 prediction card ";

/// What says of a file that it is a card.
#[derive(Deserialize)]
struct Kind {
    card: String,
}

impl Card {
    /// Where the card of the table at `table` is.
    ///
    /// ```
    /// use in9_data::predictions::Card;
    /// use std::path::Path;
    /// let card = Card::beside(Path::new("out/p.csv"));
    /// assert_eq!(card, Path::new("out/p.csv.card.toml"));
    /// assert_eq!(Card::table_of(&card).as_deref(), Some(Path::new("out/p.csv")));
    /// assert_eq!(Card::table_of(Path::new("out/p.csv")), None);
    /// ```
    pub fn beside(table: &Path) -> PathBuf {
        files::sibling(table, Self::ENDING)
    }

    /// Where the table of the card at `card` is; `None` if the name is no card's.
    pub fn table_of(card: &Path) -> Option<PathBuf> {
        let name = card.file_name()?.to_str()?.strip_suffix(Self::ENDING)?;
        (!name.is_empty()).then(|| card.with_file_name(name))
    }

    /// BLAKE3 of the table at `table`, as [`Card::table`] holds it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn digest_of(table: &Path) -> Result<String> {
        Ok(digest::file(table)?.to_hex().to_string())
    }

    /// Checks, before the work whose card goes there, that nothing but a card stands in the place of the card of `table`.
    ///
    /// # Errors
    /// [`in9_base::Error::NotOurs`] if something else does.
    pub fn check_place(table: &Path, made_by: &str) -> Result<()> {
        let path = Self::beside(table);
        let is_card = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(Error::read(&path, error)),
            Ok(about) if !about.is_file() || about.len() > LONGEST => false,
            // What is no text is no card either.
            Ok(_) => match files::read(&path, LONGEST) {
                Ok(bytes) => String::from_utf8(bytes).is_ok_and(|text| is_card(&text)),
                Err(error) => return Err(error.into()),
            },
        };
        match is_card {
            true => Ok(()),
            false => Err(in9_base::Error::NotOurs { path, made_by: made_by.to_owned() }.into()),
        }
    }

    /// Writes the card beside the table at `table`, whole or not at all.
    ///
    /// # Errors
    /// As [`Card::check_place`], or when it cannot be written.
    pub fn write(&self, table: &Path, made_by: &str) -> Result<()> {
        Self::check_place(table, made_by)?;
        let path = Self::beside(table);
        let text =
            toml::to_string(self).map_err(|error| Error::write(&path, std::io::Error::other(error)))?;
        Ok(files::write_bytes(&path, text)?)
    }

    /// The card beside the table at `table`.
    ///
    /// # Errors
    /// For a card that cannot be read, is of another version, or says too little.
    pub fn of(table: &Path) -> Result<FoundCard> {
        let path = Self::beside(table);
        if fs::symlink_metadata(&path).is_err() {
            return Ok(FoundCard::None);
        }
        let card = Self::parse(&files::read_text(&path, LONGEST)?, &path)?;
        if !card.table.is_empty() && card.table != Self::digest_of(table)? {
            return Ok(FoundCard::OfOtherTable);
        }
        Ok(FoundCard::Own(Box::new(card)))
    }

    /// The card that `text` holds; `path` only names it in errors.
    ///
    /// # Errors
    /// [`Error::NotOfFormat`] if it is none, is of another version, or says too little.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let refused = |expected: &str, found: String, advice: &'static str| Error::NotOfFormat {
            path: path.to_owned(),
            format: "the card of a prediction table",
            expected: expected.to_owned(),
            found,
            advice,
        };
        let advice = "predict again, or remove it";
        let one_line =
            |error: toml::de::Error| error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let kind: Kind = toml::from_str(text).map_err(|e| refused(Self::KIND, one_line(e), advice))?;
        if kind.card != Self::KIND {
            let found = kind.card.chars().take(40).filter(|c| !c.is_control()).collect();
            return Err(refused(Self::KIND, found, "use the program that wrote it, or predict again"));
        }
        let card: Self =
            toml::from_str(text).map_err(|e| refused("what PREDICTIONS.md lists", one_line(e), advice))?;
        let texts = card.texts();
        if let Some(found) = texts.iter().find_map(|text| plain("text", text).err()) {
            return Err(refused("texts that can be shown", found, advice));
        }
        let mut numbers = card.networks.iter().flat_map(|network| network.mean.iter().chain(&network.std));
        if numbers.any(|number| !number.is_finite()) {
            return Err(refused("means and deviations", "a number that is none".to_owned(), advice));
        }
        if card.networks.is_empty() || card.networks.len() > MOST_NETWORKS {
            let found = format!("{} networks", card.networks.len());
            return Err(refused("at least one network", found, advice));
        }
        let mut names = HashSet::new();
        if let Some(twice) = card.networks.iter().find(|network| !names.insert(&network.model)) {
            return Err(refused("each network once", format!("{:?} twice", twice.model), advice));
        }
        if card.test.split.is_empty() || card.test.split.len() > MOST_SPLITS {
            let found = format!("{} splits", card.test.split.len());
            return Err(refused("at least one split", found, advice));
        }
        Ok(card)
    }

    /// Everything that is shown as it stands.
    fn texts(&self) -> Vec<&str> {
        let test = &self.test;
        let mut texts: Vec<&str> =
            vec![&self.made_by, &self.table, &self.device, &test.dataset, &test.digest];
        texts.extend(self.networks.iter().flat_map(CardNetwork::texts));
        for split in &test.split {
            texts.push(&split.name);
            texts.extend(split.views.iter().map(String::as_str));
        }
        texts
    }
}

/// Whether a text is a card of any version.
fn is_card(text: &str) -> bool {
    toml::from_str::<Kind>(text).is_ok_and(|kind| kind.card.starts_with(ANY_KIND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predictions::{CardPictures, CardProbe, CardPrompts, CardSplit, CardTest};

    fn card(table: &Path) -> Card {
        let text = |text: &str| text.to_owned();
        Card {
            card: text(Card::KIND),
            made_by: text("test 1"),
            table: Card::digest_of(table).unwrap(),
            device: text("cpu"),
            networks: vec![CardNetwork {
                model: text("m"),
                arch: text("vit"),
                trained_on: String::new(),
                weights: text("0a"),
                origin: text("w.safetensors"),
                mean: [0.485, 0.456, 0.406],
                std: [0.229, 0.224, 0.225],
                normalization: text("request"),
                mapping: text("identity"),
                prompts: Some(CardPrompts {
                    name: text("plain"),
                    digest: text("1"),
                    templates: vec![text("a photo of a {}.")],
                    vocabulary: text("2"),
                }),
                probe: None,
            }],
            test: CardTest {
                dataset: text("d"),
                digest: text("ff"),
                pictures: CardPictures::Recomposed,
                pairings: 2,
                split: vec![CardSplit {
                    name: text("test"),
                    stored: 64,
                    side: 224,
                    views: vec![text("original")],
                }],
            },
        }
    }

    #[test]
    fn a_card_belongs_to_its_table() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("p.csv");
        std::fs::write(&table, "model\n").unwrap();
        assert_eq!(Card::of(&table).unwrap(), FoundCard::None);
        let card = card(&table);
        for _ in 0..2 {
            card.write(&table, "test").unwrap();
            assert_eq!(Card::of(&table).unwrap(), FoundCard::Own(Box::new(card.clone())));
        }
        std::fs::write(&table, "other\n").unwrap();
        assert_eq!(Card::of(&table).unwrap(), FoundCard::OfOtherTable);
        // Somebody's own card may say nothing of the bytes.
        Card { table: String::new(), ..card }.write(&table, "test").unwrap();
        assert!(matches!(Card::of(&table).unwrap(), FoundCard::Own(_)));
    }

    #[test]
    fn what_is_no_card_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("p.csv");
        std::fs::write(&table, "model\n").unwrap();
        let place = Card::beside(&table);
        for text in ["precious", "card = 'of my own'\n", "card = 1", ""] {
            std::fs::write(&place, text).unwrap();
            let error = card(&table).write(&table, "test predict").unwrap_err().to_string();
            assert!(error.contains("p.csv.card.toml") && error.contains("test predict"), "{error}");
            assert_eq!(std::fs::read_to_string(&place).unwrap(), text);
        }
        // A card of another version is one.
        std::fs::write(&place, "card = 'in9 prediction card 9'").unwrap();
        assert!(Card::of(&table).unwrap_err().to_string().contains("in9 prediction card 9"));
        Card::check_place(&table, "test").unwrap();
        std::fs::remove_file(&place).unwrap();
        std::fs::create_dir(&place).unwrap();
        assert!(Card::check_place(&table, "test").is_err());
    }

    #[test]
    fn a_card_that_says_too_little_or_what_cannot_be_shown_is_refused_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("p.csv");
        std::fs::write(&table, "model\n").unwrap();
        let whole = toml::to_string(&card(&table)).unwrap();
        Card::parse(&whole, Path::new("c")).unwrap();
        for (from, to) in [
            ("pairings = 2", ""),
            ("mapping = \"identity\"", "mapping = 3"),
            ("model = \"m\"", "model = \"\\u001b[2J\""),
            ("pictures = \"recomposed\"", "pictures = \"drawn\""),
            ("[[test.split]]", "[[test.slit]]"),
        ] {
            assert!(whole.contains(from), "{from} not in {whole}");
            let error = Card::parse(&whole.replace(from, to), Path::new("c")).unwrap_err();
            assert!(matches!(error, Error::NotOfFormat { .. }), "{error:?}");
            let said = error.to_string();
            assert!(said.lines().count() == 1 && !said.contains('\u{1b}'), "{said}");
        }
    }

    #[test]
    fn a_card_of_several_networks_knows_each_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let table = dir.path().join("p.csv");
        std::fs::write(&table, "model\n").unwrap();
        let mut several = card(&table);
        let text = |text: &str| text.to_owned();
        let probe = CardProbe {
            method: text("knn"),
            settings: text("k 20, temperature 0.07"),
            features: text("input of fc"),
            dataset: text("d"),
            digest: text("ff"),
            split: text("train"),
            view: text("original"),
            side: 64,
        };
        let said = "knn (k 20, temperature 0.07), from d train original at 64 px, on input of fc";
        assert_eq!(probe.to_string(), said);
        let other = CardNetwork { model: text("n"), probe: Some(probe), ..several.networks[0].clone() };
        several.networks.push(other.clone());
        several.write(&table, "test").unwrap();
        let written = std::fs::read_to_string(Card::beside(&table)).unwrap();
        assert_eq!(written.matches("[[network]]").count(), 2, "{written}");
        assert_eq!(Card::of(&table).unwrap(), FoundCard::Own(Box::new(several.clone())));
        assert_eq!(several.network("n"), Some(&other));
        assert_eq!(several.narrowed("n").unwrap().networks, [other]);
        assert_eq!((several.network("o"), several.narrowed("o")), (None, None));
        for (from, to, expected) in
            [("model = \"n\"", "model = \"m\"", "each network once"), ("method", "methode", "method")]
        {
            let error = Card::parse(&written.replace(from, to), Path::new("c")).unwrap_err().to_string();
            assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
        }
        let none = written.split_once("[[network]]").unwrap().0.to_owned()
            + "network = []\n[test]\ndataset = 'd'\n"
            + "digest = 'ff'\npictures = 'recomposed'\npairings = 1\nsplit = []\n";
        let error = Card::parse(&none, Path::new("c")).unwrap_err().to_string();
        assert!(error.contains("at least one network"), "{error}");
    }
}
