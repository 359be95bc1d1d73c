//! From a record's texts to a prediction.

use std::collections::HashMap;
use std::io::Read;

use csv::StringRecord;
use in9_base::table;

use super::{COLUMNS, Row, TRAINING, Training, plain, score};
use crate::view::View;

/// Where each column is.
pub(super) struct Columns {
    named: HashMap<&'static str, usize>,
    /// Column of each class's score, in class order.
    scores: Vec<usize>,
    classes: HashMap<String, u16>,
}

impl Columns {
    /// Finds the columns of a table by their names, and the classes; what is missing, doubled or ill named is noted
    /// as a mistake of the header.
    pub(super) fn of<R: Read>(table: &mut table::Table<R>) -> (Self, Vec<String>) {
        let mut named = HashMap::new();
        for column in COLUMNS {
            if let Some(at) = table.column(column) {
                named.insert(column, at);
            }
        }
        for column in TRAINING {
            if let Some(at) = table.optional_column(column) {
                named.insert(column, at);
            }
        }
        let (mut scores, mut classes, mut index) = (Vec::new(), Vec::new(), HashMap::new());
        let mut mistakes = Vec::new();
        for (at, name) in table.header().iter().enumerate() {
            let Some(class) = name.strip_prefix("score_") else { continue };
            let Ok(place) = u16::try_from(classes.len()) else { continue };
            if class.is_empty() || index.contains_key(class) {
                mistakes.push(format!("column {name:?} is there twice or names no class"));
            } else if let Err(mistake) = plain("name of a class", class) {
                mistakes.push(mistake);
            } else {
                index.insert(class.to_owned(), place);
                classes.push(class.to_owned());
                scores.push(at);
            }
        }
        if classes.is_empty() || classes.len() >= usize::from(u16::MAX) {
            mistakes.push(format!("{} columns score_<class> instead of 1 to 65534", classes.len()));
        }
        for mistake in mistakes {
            table.mistake_in_header(mistake);
        }
        (Self { named, scores, classes: index }, classes)
    }

    /// The text of a column; empty if it is missing, which was noted once.
    pub(super) fn get<'r>(&self, record: &'r StringRecord, name: &str) -> &'r str {
        self.named.get(name).and_then(|&at| record.get(at)).unwrap_or("")
    }

    /// The prediction of a record, or what is wrong with it.
    pub(super) fn row(&self, record: &StringRecord) -> Result<Row, String> {
        let there = |name: &str| self.named.contains_key(name);
        let class = |column: &str| match self.get(record, column) {
            "" => Ok(None),
            name => {
                let found = self.classes.get(name).copied().map(Some);
                found.ok_or_else(|| format!("{column} {name:?} is no class"))
            }
        };
        let text = |name: &str| plain(name, self.get(record, name)).map(str::to_owned);
        let view = match self.get(record, "view") {
            _ if !there("view") => View::Original,
            view => view.parse().map_err(|_| format!("view {view:?} is unknown"))?,
        };
        if self.get(record, "image").is_empty() && there("image") {
            return Err("image is empty".into());
        }
        let truth = class("class")?;
        if truth.is_none() && there("class") {
            return Err("class is empty".into());
        }
        let seed = match self.get(record, "training_seed") {
            "" => None,
            seed => Some(seed.parse().map_err(|_| format!("training_seed {seed:?} is no whole number"))?),
        };
        Ok(Row {
            training: Training { dataset: text("trained_data")?, digest: text("training")?, seed },
            model: text("model")?,
            arch: text("arch")?,
            trained_on: text("trained_on")?,
            dataset: text("dataset")?,
            split: text("split")?,
            view,
            image: text("image")?,
            foreground: text("foreground")?,
            background: text("background")?,
            class: truth.unwrap_or_default(),
            background_class: class("background_class")?,
            predicted: class("predicted")?,
            scores: match self.scores.iter().all(|&at| record.get(at) == Some("")) {
                true => Vec::new(),
                false => self
                    .scores
                    .iter()
                    .map(|&at| score(record.get(at).unwrap_or("")))
                    .collect::<Result<_, _>>()?,
            },
        })
    }
}
