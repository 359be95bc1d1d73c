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
//!
//! Scores may be left empty, all of a row together, by a model that has none.
//!
//! Which training the model came from may stand between `predicted` and the scores, in the columns of [`TRAINING`]; a
//! table without them is read as well ([`Training`]).
//!
//! [`complete`] makes such a table of bare answers, `image,view,predicted`, and the dataset.
//!
//! With the feature `parquet` a table may be a Parquet file, of the same columns.
//!
//! What a table was measured with stands in a [`Card`] beside it.
//!
//! A table is read within limits ([`LIMITS`]) and row by row ([`Reader`]), so that a reader that keeps less than a
//! whole row needs less memory than the file.

mod answers;
mod card;
mod columns;
mod distinct;
mod labels;
#[cfg(feature = "parquet")]
mod parquet;
mod picture;
mod reader;
mod source;
mod training;
mod write;

use std::path::Path;

use in9_base::table::Limits;

use crate::dataset::Split;
use crate::view::View;

pub use answers::{Completed, Partial, complete};
pub use card::{Card, CardNetwork, CardPictures, CardProbe, CardPrompts, CardSplit, CardTest, FoundCard};
pub use labels::Labels;
pub use reader::Reader;
pub use source::Source;
pub use training::Training;
pub use write::{check_form, write_rows};

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

/// Columns that say which training the model came from; they may be missing ([`Training`]).
pub const TRAINING: [&str; 3] = ["trained_data", "training", "training_seed"];

/// How much of a table is read: 4 GiB, 10 million rows (the paper's nine views for 270 networks), 65,535 classes.
pub const LIMITS: Limits = Limits {
    bytes: 4 << 30,
    rows: 10_000_000,
    columns: u16::MAX as usize + COLUMNS.len() + TRAINING.len(),
    row_bytes: 4 << 20,
};

/// Most models, each on its test set, in one table: what is made of each takes more time and memory than its row.
/// There are fewer where there are more than 200 classes.
pub const MOST_MODELS: usize = 10_000;

/// Most test sets, which are splits of datasets, in one table; fewer where there are more than 2000 classes.
pub const MOST_TEST_SETS: usize = 1_000;

/// Most different names of photographs that a reader should keep of one or more tables; ImageNet has 1.3 million.
pub const MOST_NAMES: usize = 2_000_000;

/// Longest name of anything in a table, in bytes.
pub const LONGEST_NAME: usize = 1024;

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
    /// Score of each class (softmax, or probability summed over its members), in class order; empty if unknown.
    pub scores: Vec<f32>,
    /// Which training the model came from, as far as the table says.
    pub training: Training,
}

/// A name that can be shown: control characters would reach the terminals of those who read the results.
fn plain<'t>(what: &str, text: &'t str) -> Result<&'t str, String> {
    if text.len() > LONGEST_NAME {
        let start: String = text.chars().take(20).collect();
        return Err(format!("{what} {start:?}… is longer than {LONGEST_NAME} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{what} {text:?} holds a control character"));
    }
    Ok(text)
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.trim().parse::<f32>().ok().filter(|score| score.is_finite());
    score.ok_or_else(|| format!("score {text:?} is no finite number"))
}

impl Row {
    /// A row about a picture of `view`: the object of photograph `foreground` of the split, on the background of another
    /// where the view has one. What is not known of a picture alone, the model's names, the dataset's and the answer, is
    /// empty.
    ///
    /// # Panics
    /// If the split has no such photograph.
    pub fn of_picture(split: &Split, view: View, foreground: usize, background: Option<usize>) -> Self {
        let (own, behind) = (split.sample(foreground), background.map(|at| split.sample(at)));
        Self {
            model: String::new(),
            arch: String::new(),
            trained_on: String::new(),
            dataset: String::new(),
            split: split.name().to_owned(),
            view,
            image: own.id.clone(),
            foreground: own.id.clone(),
            background: behind.map_or_else(String::new, |sample| sample.id.clone()),
            class: own.class,
            background_class: behind.map(|sample| sample.class),
            predicted: None,
            scores: Vec::new(),
            training: Training::default(),
        }
    }

    /// Whether the prediction is right.
    pub fn correct(&self) -> bool {
        self.predicted == Some(self.class)
    }
}

impl Table {
    /// Reads a whole table.
    ///
    /// # Errors
    /// If the file is no regular one, is beyond [`LIMITS`] or cannot be read, or its header or any row is wrong;
    /// the message names every mistake with its line number, up to twenty.
    pub fn read(path: &Path) -> in9_base::Result<Self> {
        Self::collect(Reader::open(path)?)
    }

    /// Reads a whole table from anywhere; `path` only names it in errors.
    ///
    /// Columns are found by name; others beside ours are passed over.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn parse(reader: impl std::io::Read, path: &Path) -> in9_base::Result<Self> {
        Self::collect(Reader::from_reader(reader, path)?)
    }

    fn collect(mut reader: Reader<impl std::io::Read>) -> in9_base::Result<Self> {
        let mut rows = Vec::new();
        while let Some(row) = reader.next_row()? {
            rows.push(row);
        }
        Ok(Self { classes: reader.finish()?, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn table() -> Table {
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
            training: Training { dataset: "toy".into(), digest: "0a1b".into(), seed: Some(3) },
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
            "of 5 rows",
        ] {
            assert!(error.contains(part), "{part} not in {error}");
        }
        assert_eq!(error.lines().count(), 1);
        assert_eq!(Table::parse((head + good).as_bytes(), Path::new("p.csv")).unwrap().rows.len(), 1);
        let twice = format!("{},score_a,score_a\n", COLUMNS.join(","));
        for (header, part) in [("model\n", "column arch is missing"), (&twice, "\"score_a\" is there twice")]
        {
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

    fn mistakes(text: &str) -> String {
        Table::parse(text.as_bytes(), Path::new("p.csv")).unwrap_err().to_string()
    }

    #[test]
    fn a_doubled_column_is_refused() {
        let head = format!("{},class,score_a\n", COLUMNS.join(","));
        let error = mistakes(&(head + "m,x,,d,test,original,i,i,,a,,a,b,1\n"));
        assert!(error.contains("line 1: column class is there twice"), "{error}");
    }

    #[test]
    fn control_characters_and_endless_names_are_refused() {
        let head = COLUMNS.join(",");
        let row = |model: &str| format!("{head},score_a\n{model},x,,d,test,original,i,i,,a,,a,1\n");
        let error = mistakes(&row("\u{1b}[2Jm"));
        assert!(error.contains("line 2: model \"\\u{1b}[2Jm\" holds a control character"), "{error}");
        let error = mistakes(&row(&"m".repeat(2000)));
        assert!(error.contains("is longer than 1024 bytes") && error.len() < 200, "{error}");
        let error = mistakes(&format!("{head},score_\u{7}\n"));
        assert!(error.contains("holds a control character") && !error.contains('\u{7}'), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, Path::new("/dev/zero")] {
            assert!(matches!(Table::read(path), Err(in9_base::Error::NotAFile { .. })), "{}", path.display());
        }
    }

    #[test]
    fn a_field_that_never_ends_is_refused_before_it_fills_the_memory() {
        // Ends of lines inside quotes are part of the field.
        let endless = std::io::Read::chain(&b"\""[..], std::io::repeat(b'\n'));
        let error = Table::parse(endless, Path::new("p.csv")).unwrap_err();
        assert!(matches!(error, in9_base::Error::TableLimit { what: "bytes in a row", .. }), "{error}");
    }

    #[test]
    fn a_table_of_more_models_or_test_sets_than_anybody_has_is_refused() {
        let head = format!("{},score_a\n", COLUMNS.join(","));
        let table = |count: usize, row: &dyn Fn(usize) -> String| {
            let text: String = std::iter::once(head.clone()).chain((0..count).map(row)).collect();
            Table::parse(text.as_bytes(), Path::new("p.csv")).map(|table| table.rows.len())
        };
        let what = |count, row: &dyn Fn(usize) -> String| match table(count, row).unwrap_err() {
            in9_base::Error::TableLimit { what, limit, .. } => (what, limit as usize),
            other => panic!("{other}"),
        };
        let models = |at: usize| format!("m{at},x,,d,test,original,i,i,,a,,a,1\n");
        assert_eq!(table(MOST_MODELS, &models).unwrap(), MOST_MODELS);
        assert_eq!(what(MOST_MODELS + 1, &models), ("models", MOST_MODELS));
        let sets = |at: usize| format!("m,x,,d{at},test,original,i,i,,a,,a,1\n");
        assert_eq!(what(MOST_TEST_SETS + 1, &sets), ("test sets", MOST_TEST_SETS));
        // The more classes, the fewer.
        let scores: String = (0..30_000).map(|class| format!(",score_{class}")).collect();
        let zeros = ",0".repeat(30_000);
        let rows: String = (0..70).map(|at| format!("m{at},x,,d,test,original,i,i,,0,,0{zeros}\n")).collect();
        let text = format!("{}{scores}\n{rows}", COLUMNS.join(","));
        let error = Table::parse(text.as_bytes(), Path::new("p.csv")).unwrap_err();
        assert!(matches!(error, in9_base::Error::TableLimit { what: "models", limit: 69, .. }), "{error}");
    }
}
