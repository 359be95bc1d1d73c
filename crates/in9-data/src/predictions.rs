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

use crate::atomic;
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
    /// # Errors
    /// As [`Table::read`].
    pub fn parse(reader: impl std::io::Read, path: &Path) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
        let header = reader.headers().map_err(|e| csv_error(path, &e))?.clone();
        let classes = classes_of_header(&header, path)?;
        let index: HashMap<&str, u16> = classes.iter().zip(0..).map(|(name, i)| (name.as_str(), i)).collect();
        let (mut rows, mut mistakes, mut count) = (Vec::new(), Vec::new(), 0usize);
        for record in reader.records() {
            let record = record.map_err(|e| csv_error(path, &e))?;
            match parse_row(&record, &index, classes.len()) {
                Ok(row) => rows.push(row),
                Err(mistake) => {
                    count += 1;
                    if mistakes.len() < MISTAKES_SHOWN {
                        let line = record.position().map_or(0, csv::Position::line);
                        mistakes.push(format!("line {line}: {mistake}"));
                    }
                }
            }
        }
        if count > 0 {
            let more = count - mistakes.len();
            let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
            let what = format!("{count} wrong rows: {}{tail}", mistakes.join("; "));
            return Err(Error::malformed(
                path,
                what,
                "rows as the header says",
                format!("{} good rows", rows.len()),
                "mend these lines",
            ));
        }
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
        atomic::write(path, |file| self.write_csv(file))
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

fn classes_of_header(header: &csv::StringRecord, path: &Path) -> Result<Vec<String>> {
    let bad = |expected: String, found: &str| {
        Err(Error::malformed(path, "wrong header", expected, found, "see the format of prediction tables"))
    };
    for (at, column) in COLUMNS.iter().enumerate() {
        if header.get(at) != Some(column) {
            return bad(format!("column {} to be {column}", at + 1), header.get(at).unwrap_or("nothing"));
        }
    }
    let mut classes = Vec::new();
    for column in header.iter().skip(COLUMNS.len()) {
        match column.strip_prefix("score_") {
            Some(class) if !class.is_empty() && !classes.iter().any(|c| c == class) => {
                classes.push(class.to_string())
            }
            _ => return bad("distinct columns score_<class>".into(), column),
        }
    }
    if classes.is_empty() || classes.len() > usize::from(u16::MAX) {
        return bad("1 to 65535 columns score_<class>".into(), &format!("{}", classes.len()));
    }
    Ok(classes)
}

fn parse_row(
    record: &csv::StringRecord,
    classes: &HashMap<&str, u16>,
    scores: usize,
) -> std::result::Result<Row, String> {
    let expected = COLUMNS.len() + scores;
    if record.len() != expected {
        return Err(format!("{} fields instead of {expected}", record.len()));
    }
    let class = |at: usize| match &record[at] {
        "" => Ok(None),
        name => classes
            .get(name)
            .copied()
            .map(Some)
            .ok_or_else(|| format!("{} {name:?} is no class", COLUMNS[at])),
    };
    let scores = record.iter().skip(COLUMNS.len()).map(|text| {
        let score = text.trim().parse::<f32>().map_err(|_| format!("score {text:?} is no number"))?;
        if score.is_finite() { Ok(score) } else { Err(format!("score {text:?} is not finite")) }
    });
    let text = |at: usize| record[at].to_string();
    if record[6].is_empty() {
        return Err("image is empty".into());
    }
    Ok(Row {
        model: text(0),
        arch: text(1),
        trained_on: text(2),
        dataset: text(3),
        split: text(4),
        view: record[5].parse().map_err(|_| format!("view {:?} is unknown", &record[5]))?,
        image: text(6),
        foreground: text(7),
        background: text(8),
        class: class(9)?.ok_or("class is empty")?,
        background_class: class(10)?,
        predicted: class(11)?,
        scores: scores.collect::<std::result::Result<_, _>>()?,
    })
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
        let body = "m,x,,d,test,sideways,i,i,,a,,b,0.5,0.5\nm,x,,d,test,original,i,i,,c,,b,0.5,0.5\nm,x\nm,x,,d,test,original,i,i,,a,,b,NaN,q\n";
        let error = Table::parse((head.clone() + good + body).as_bytes(), Path::new("p.csv"))
            .unwrap_err()
            .to_string();
        for part in [
            "p.csv: 4 wrong rows",
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
        for header in [
            "",
            "model\n",
            &format!("{}\n", COLUMNS.join(",")),
            &format!("{},score_a,score_a\n", COLUMNS.join(",")),
        ] {
            assert!(
                Table::parse(header.as_bytes(), Path::new("p.csv"))
                    .unwrap_err()
                    .to_string()
                    .contains("wrong header")
            );
        }
    }
}
