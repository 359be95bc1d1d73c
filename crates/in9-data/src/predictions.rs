//! The prediction table: the border between models and analysis.
//!
//! One row per (model, view, image). Written by `in9-models predict`, or by anybody's script in any
//! language; read by `in9-analysis`. Columns, in this order:
//!
//! ```text
//! model,arch,trained_on,dataset,split,view,image,foreground,background,class,background_class,predicted,score_<class>…
//! ```
//!
//! `class`, `background_class` and `predicted` hold class names; `background` and
//! `background_class` are empty where a view has no second sample; an empty `predicted` is a
//! prediction outside the taxonomy, which is always wrong. Scores are written in the shortest form
//! that reads back to the same `f32`.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::view::View;

/// The columns before the scores.
pub const COLUMNS: [&str; 12] = [
    "model",
    "arch",
    "trained_on",
    "dataset",
    "split",
    "view",
    "image",
    "foreground",
    "background",
    "class",
    "background_class",
    "predicted",
];

/// Mistakes that [`Table::read`] lists before it gives up.
const MISTAKES_SHOWN: usize = 20;

/// Predictions of any number of models on any number of views.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Class names in the order of class indices.
    pub classes: Vec<String>,
    /// The predictions.
    pub rows: Vec<Row>,
}

/// One prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of the model.
    pub model: String,
    /// Architecture, such as `resnet50`.
    pub arch: String,
    /// What it was trained on: a view, free text, or nothing.
    pub trained_on: String,
    /// Dataset it was tested on.
    pub dataset: String,
    /// Split it was tested on.
    pub split: String,
    /// View it was tested on.
    pub view: View,
    /// Id of the picture; equal to `foreground` in our own tables.
    pub image: String,
    /// Id of the sample that gave the foreground.
    pub foreground: String,
    /// Id of the sample that gave the background; empty if none.
    pub background: String,
    /// True class.
    pub class: u16,
    /// Class of the background sample, if there is one.
    pub background_class: Option<u16>,
    /// Predicted class; `None` is outside the taxonomy and always wrong.
    pub predicted: Option<u16>,
    /// Score of each class (softmax, or probability summed over its members), in class order.
    pub scores: Vec<f32>,
}

impl Row {
    /// Whether the prediction is right.
    pub fn correct(&self) -> bool {
        self.predicted == Some(self.class)
    }
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    /// If the file cannot be read, or its header or any row is wrong; the message names every
    /// mistake with its line number, up to twenty.
    pub fn read(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|e| Error::read(path, e))?;
        Self::parse(std::io::BufReader::new(file), path)
    }

    /// Reads a table from any reader; `path` only names it in errors.
    ///
    /// Columns are found by name; others beside ours are passed over.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn parse(reader: impl std::io::Read, path: &Path) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
        let header = reader.headers().map_err(|e| csv_error(path, &e))?.clone();
        let mut mistakes = Mistakes::default();
        let (columns, classes) = Columns::of(&header, &mut mistakes);
        let index: HashMap<&str, u16> = classes.iter().zip(0..).map(|(name, i)| (name.as_str(), i)).collect();
        let mut rows = Vec::new();
        let mut seen: HashMap<[String; 6], u64> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| csv_error(path, &e))?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                mistakes.add(line, format!("{} fields instead of {}", record.len(), header.len()));
                continue;
            }
            // The first line with the same key, if there is one.
            let key = ["model", "dataset", "split", "view", "image", "background"];
            let first = *seen.entry(key.map(|name| columns.get(&record, name).to_string())).or_insert(line);
            if first != line {
                let what = "same model, dataset, split, view, image and background as line";
                mistakes.add(line, format!("{what} {first}"));
                continue;
            }
            match columns.row(&record, &index) {
                Ok(row) => rows.push(row),
                Err(mistake) => mistakes.add(line, mistake),
            }
        }
        mistakes.refuse(path, rows.len())?;
        Ok(Self { classes, rows })
    }

    /// Writes the table as CSV; the file appears whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written, or a row does not fit `classes`.
    pub fn write_atomic(&self, path: &Path) -> Result<()> {
        for row in &self.rows {
            let fits = |class: u16| usize::from(class) < self.classes.len();
            let classes_fit =
                fits(row.class) && row.predicted.is_none_or(fits) && row.background_class.is_none_or(fits);
            if !classes_fit || row.scores.len() != self.classes.len() {
                return Err(Error::argument(
                    format!("prediction of {} by {} does not fit the table", row.image, row.model),
                    format!("classes below {0} and {0} scores", self.classes.len()),
                    format!("class {}, {} scores", row.class, row.scores.len()),
                    "give every row the table's classes",
                ));
            }
        }
        Ok(in9_base::files::write(path, |file| self.write_csv(file))?)
    }

    fn write_csv(&self, file: &mut dyn std::io::Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(file);
        let scores = self.classes.iter().map(|name| format!("score_{name}"));
        writer.write_record(COLUMNS.iter().map(ToString::to_string).chain(scores))?;
        let name = |class: Option<u16>| class.map_or("", |class| self.classes[usize::from(class)].as_str());
        for row in &self.rows {
            for text in [
                &row.model,
                &row.arch,
                &row.trained_on,
                &row.dataset,
                &row.split,
                row.view.name(),
                &row.image,
                &row.foreground,
                &row.background,
                name(Some(row.class)),
                name(row.background_class),
                name(row.predicted),
            ] {
                writer.write_field(text)?;
            }
            for score in &row.scores {
                writer.write_field(score.to_string())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        writer.flush()
    }
}

fn csv_error(path: &Path, error: &csv::Error) -> Error {
    Error::malformed(path, "not a CSV file", "UTF-8 records", error.to_string(), "mend the file")
}

/// What is wrong with a table, line by line.
#[derive(Default)]
struct Mistakes {
    shown: Vec<String>,
    count: usize,
}

impl Mistakes {
    fn add(&mut self, line: u64, what: String) {
        self.count += 1;
        if self.shown.len() < MISTAKES_SHOWN {
            self.shown.push(format!("line {line}: {what}"));
        }
    }

    fn refuse(self, path: &Path, good: usize) -> Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let more = self.count - self.shown.len();
        let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
        let mistakes = if self.count == 1 { "mistake" } else { "mistakes" };
        let what = format!("{} {mistakes}: {}{tail}", self.count, self.shown.join("; "));
        let found = format!("{good} good rows");
        Err(Error::malformed(path, what, "a prediction table", found, "mend these lines"))
    }
}

/// Where each column is.
struct Columns {
    named: HashMap<&'static str, usize>,
    /// Column of each class's score, in class order.
    scores: Vec<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord, mistakes: &mut Mistakes) -> (Self, Vec<String>) {
        let mut named = HashMap::new();
        for column in COLUMNS {
            match header.iter().position(|name| name == column) {
                Some(at) => {
                    named.insert(column, at);
                }
                None => mistakes.add(1, format!("column {column} is missing")),
            }
        }
        let (mut scores, mut classes) = (Vec::new(), Vec::<String>::new());
        for (at, name) in header.iter().enumerate() {
            match name.strip_prefix("score_") {
                Some(class) if class.is_empty() || classes.iter().any(|c| c == class) => {
                    mistakes.add(1, format!("column {name} is there twice or names no class"));
                }
                Some(class) => {
                    scores.push(at);
                    classes.push(class.to_string());
                }
                None => {}
            }
        }
        if classes.is_empty() || classes.len() > usize::from(u16::MAX) {
            mistakes.add(1, format!("{} columns score_<class> instead of 1 to 65535", classes.len()));
        }
        (Self { named, scores }, classes)
    }

    /// The text of a column; empty if it is missing, which was noted once.
    fn get<'r>(&self, record: &'r csv::StringRecord, name: &str) -> &'r str {
        self.named.get(name).and_then(|&at| record.get(at)).unwrap_or("")
    }

    fn row(
        &self,
        record: &csv::StringRecord,
        classes: &HashMap<&str, u16>,
    ) -> std::result::Result<Row, String> {
        let there = |name: &str| self.named.contains_key(name);
        let class = |column: &str| match self.get(record, column) {
            "" => Ok(None),
            name => {
                classes.get(name).copied().map(Some).ok_or_else(|| format!("{column} {name:?} is no class"))
            }
        };
        let score = |&at: &usize| {
            let text = record.get(at).unwrap_or("");
            let score = text.trim().parse::<f32>().map_err(|_| format!("score {text:?} is no number"))?;
            if score.is_finite() { Ok(score) } else { Err(format!("score {text:?} is not finite")) }
        };
        let text = |name: &str| self.get(record, name).to_string();
        let view = match self.get(record, "view") {
            _ if !there("view") => View::Original,
            view => view.parse().map_err(|_| format!("view {view:?} is unknown"))?,
        };
        if text("image").is_empty() && there("image") {
            return Err("image is empty".into());
        }
        let truth = class("class")?;
        if truth.is_none() && there("class") {
            return Err("class is empty".into());
        }
        Ok(Row {
            model: text("model"),
            arch: text("arch"),
            trained_on: text("trained_on"),
            dataset: text("dataset"),
            split: text("split"),
            view,
            image: text("image"),
            foreground: text("foreground"),
            background: text("background"),
            class: truth.unwrap_or_default(),
            background_class: class("background_class")?,
            predicted: class("predicted")?,
            scores: self.scores.iter().map(score).collect::<std::result::Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = Row {
            model: "resnet, small".into(),
            arch: "resnet-small".into(),
            trained_on: "original".into(),
            dataset: "toy".into(),
            split: "test".into(),
            view: View::MixedRand,
            image: "a".into(),
            foreground: "a".into(),
            background: "b".into(),
            class: 0,
            background_class: Some(1),
            predicted: None,
            scores: vec![0.1, 1e-20],
        };
        let other = Row {
            view: View::Original,
            background: String::new(),
            background_class: None,
            predicted: Some(0),
            ..row.clone()
        };
        Table { classes: vec!["dog".into(), "wheeled vehicle".into()], rows: vec![row, other] }
    }

    #[test]
    fn written_tables_read_back_equal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        table().write_atomic(&path).unwrap();
        assert_eq!(Table::read(&path).unwrap(), table());
        assert!(!table().rows[0].correct() && table().rows[1].correct());
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        let mut wrong = table();
        wrong.rows[1].scores.pop();
        assert!(wrong.write_atomic(&path).unwrap_err().to_string().contains("1 scores"));
        assert!(!path.exists());
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let head = format!("{},score_a,score_b\n", COLUMNS.join(","));
        let good = "m,x,,d,test,original,i,i,,a,,b,0.5,0.5\n";
        let body = "m,x,,d,test,sideways,i,i,,a,,b,0.5,0.5\nm,x,,d,test,original,j,j,,c,,b,0.5,0.5\nm,x\nm,x,,d,test,original,k,k,,a,,b,NaN,q\n";
        let error = Table::parse((head.clone() + good + body).as_bytes(), Path::new("p.csv"))
            .unwrap_err()
            .to_string();
        for part in [
            "p.csv: 4 mistakes",
            "line 3: view \"sideways\"",
            "line 4: class \"c\"",
            "line 5: 2 fields instead of 14",
            "line 6: score \"NaN\"",
            "1 good rows",
        ] {
            assert!(error.contains(part), "{part} not in {error}");
        }
        assert_eq!(error.lines().count(), 1);
        assert_eq!(Table::parse((head + good).as_bytes(), Path::new("p.csv")).unwrap().rows.len(), 1);
        let twice = format!("{},score_a,score_a\n", COLUMNS.join(","));
        for (header, part) in [("model\n", "column arch is missing"), (&twice, "score_a is there twice")] {
            let error = Table::parse(header.as_bytes(), Path::new("p.csv")).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn five_kinds_of_mistake_are_named_in_one_go() {
        let head = COLUMNS.join(",").replace("arch,", "") + ",score_a\n";
        let row = |view: &str, image: &str, class: &str| {
            format!("m,,d,test,{view},{image},{image},,{class},,a,1\n")
        };
        let good = row("original", "i", "a");
        let text = [head, good.clone(), row("up", "j", "a"), good, row("original", "k", "z"), "m,d\n".into()]
            .concat();
        let error = Table::parse(text.as_bytes(), Path::new("p.csv")).unwrap_err().to_string();
        for part in [
            "line 1: column arch",
            "line 3: view",
            "line 4: same",
            "as line 2",
            "line 5: class",
            "line 6: 2 fields",
        ] {
            assert!(error.contains(part), "{part} not in {error}");
        }
    }
}
