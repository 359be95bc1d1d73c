//! Prediction rows grouped by model and laid out by view, foreground by foreground.

mod builder;

use crate::error::{Error, Result};
use builder::Builder;
use in9_data::View;
use in9_data::predictions::{Reader, Table, Training};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What tells one evaluated model from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// Name of the data set the model was tested on.
    pub dataset: String,
    /// Split it was tested on.
    pub split: String,
    /// View or free text naming what it was trained on; empty if unknown.
    pub trained_on: String,
    /// Architecture; empty if unknown.
    pub arch: String,
    /// Name of the model.
    pub model: String,
    /// Which training it came from, as far as the table says: two networks of one name and different trainings are two.
    #[serde(flatten)]
    pub training: Training,
}

impl Key {
    /// Whether the model was trained on a view of its dataset (`original`, `original (25 %)`), as the paper's networks
    /// were; published classifiers and those of strangers were not, as far as anybody says.
    pub fn is_trained_on_view(&self) -> bool {
        let view = self.trained_on.split_once(" (").map_or(self.trained_on.as_str(), |(view, _)| view);
        training_order(view) < View::ALL.len()
    }
}

/// A foreground photograph of the test set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreground {
    /// Identifier shared by all views of the photograph, and by all models.
    pub id: Arc<str>,
    /// True class, an index into the table's classes.
    pub class: u16,
}

/// One prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Index into [`ModelFrame::foregrounds`].
    pub foreground: u32,
    /// True class.
    pub class: u16,
    /// Predicted class; `None` is outside the taxonomy and always wrong.
    pub predicted: Option<u16>,
    /// Photograph that gave the background, by a number that is its own in all models of a frame; [`NO_BACKGROUND`] if
    /// there is no second photograph.
    pub background: u32,
    /// Class of that photograph; [`NO_CLASS`] if there is none, or the table does not say it.
    pub background_class: u16,
}

/// What stands in the place of a background where there is no second photograph.
pub const NO_BACKGROUND: u32 = u32::MAX;

/// What stands in the place of a background's class where there is none.
pub const NO_CLASS: u16 = u16::MAX;

impl Outcome {
    /// Whether the prediction is the true class.
    pub fn correct(&self) -> bool {
        self.predicted == Some(self.class)
    }
}

/// All predictions of one model on one split, view by view.
#[derive(Debug, Clone)]
pub struct ModelFrame {
    /// Which model, tested where.
    pub key: Key,
    /// Foregrounds seen in any view, by ascending id.
    pub foregrounds: Vec<Foreground>,
    /// Outcomes of each view, by ascending foreground.
    pub views: BTreeMap<View, Vec<Outcome>>,
}

/// Every model of a set of prediction tables.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Class names; indices everywhere point here.
    pub classes: Vec<String>,
    /// Models by ascending key, in the order of [`View`]s for those trained on a view.
    pub models: Vec<ModelFrame>,
}

impl Frame {
    /// Groups the rows of one or more tables, which must name the same classes in the same order.
    ///
    /// # Errors
    /// [`Error::NoTables`]; [`Error::DifferentClasses`]; [`Error::NoSuchClass`]; [`Error::TwoClasses`] for a foreground with two true classes;
    /// [`Error::PredictedTwice`] for the same model, view, image and background in two tables.
    pub fn new(tables: &[Table]) -> Result<Self> {
        let mut builder = Builder::default();
        for (i, table) in tables.iter().enumerate() {
            builder.table(&format!("table {}", i + 1), &table.classes)?;
            for row in &table.rows {
                if usize::from(row.class) >= table.classes.len() {
                    return Err(Error::NoSuchClass {
                        model: row.model.clone(),
                        image: row.image.clone(),
                        found: row.class,
                        classes: table.classes.len(),
                    });
                }
                builder.add(row.clone())?;
            }
        }
        builder.finish()
    }

    /// Reads one or more prediction tables, row by row: of each prediction about twenty bytes are kept, so that the
    /// scores need no memory.
    ///
    /// # Errors
    /// As [`Frame::new`]; [`Error::TooManyNames`]; [`Error::EmptyTable`] for a table with a header only; [`Error::File`] if a table cannot be
    /// read or has mistakes, all of which are named.
    pub fn read<P: AsRef<Path>>(paths: &[P]) -> Result<Self> {
        let mut builder = Builder::default();
        for path in paths {
            let path = path.as_ref();
            let mut reader = Reader::open(path)?;
            let mut rows = 0u64;
            while let Some(row) = reader.next_row()? {
                builder.add(row)?;
                rows += 1;
            }
            let classes = reader.finish()?;
            if rows == 0 {
                return Err(Error::EmptyTable { path: path.to_owned() });
            }
            builder.table(&path.display().to_string(), &classes)?;
        }
        builder.finish()
    }

    /// Chance level of balanced accuracy: one over the number of classes.
    pub fn chance(&self) -> f64 {
        1.0 / self.classes.len() as f64
    }

    /// Models tested on `dataset` and `split`.
    pub fn tested_on<'a>(&'a self, dataset: &'a str, split: &'a str) -> impl Iterator<Item = &'a ModelFrame> {
        self.models.iter().filter(move |m| m.key.dataset == dataset && m.key.split == split)
    }

    /// Distinct (dataset, split) pairs in order.
    pub fn test_sets(&self) -> Vec<(&str, &str)> {
        let mut sets: Vec<_> =
            self.models.iter().map(|m| (m.key.dataset.as_str(), m.key.split.as_str())).collect();
        sets.dedup();
        sets
    }
}

impl ModelFrame {
    /// Outcomes on a view; empty if the model was not tested on it.
    pub fn view(&self, view: View) -> &[Outcome] {
        self.views.get(&view).map_or(&[], Vec::as_slice)
    }

    /// First outcome of each foreground on a view, aligned with [`ModelFrame::foregrounds`].
    pub fn by_foreground(&self, view: View) -> Vec<Option<Outcome>> {
        let mut aligned = vec![None; self.foregrounds.len()];
        for outcome in self.view(view).iter().rev() {
            aligned[outcome.foreground as usize] = Some(*outcome);
        }
        aligned
    }

    /// Share of right answers on each foreground of a view, aligned with [`ModelFrame::foregrounds`]: 1 or 0, or
    /// between them if it was tested on several backgrounds.
    pub fn shares(&self, view: View) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0.0); self.foregrounds.len()];
        for outcome in self.view(view) {
            let sum = &mut sums[outcome.foreground as usize];
            *sum = (sum.0 + f64::from(u8::from(outcome.correct())), sum.1 + 1.0);
        }
        sums.into_iter().map(|(right, tested)| (tested > 0.0).then(|| right / tested)).collect()
    }

    /// Name for tables: what it was trained on, or the model's name if that is unknown.
    pub fn label(&self) -> &str {
        if self.key.trained_on.is_empty() { &self.key.model } else { &self.key.trained_on }
    }
}

/// Position of a training view in the paper's order; anything else comes after, by name.
pub fn training_order(trained_on: &str) -> usize {
    View::ALL.iter().position(|v| v.to_string() == trained_on).unwrap_or(View::ALL.len())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use in9_data::predictions::Row;

    /// A frame of one model from (foreground, class, view, predicted).
    pub(crate) fn frame(classes: u16, rows: &[(&str, u16, View, u16)]) -> Frame {
        Frame::new(&[table(classes, rows)]).unwrap()
    }

    /// A table of one model; a prediction beyond the classes is outside the taxonomy.
    pub(crate) fn table(classes: u16, rows: &[(&str, u16, View, u16)]) -> Table {
        let row = |&(id, class, view, predicted): &(&str, u16, View, u16)| Row {
            model: "m".into(),
            arch: "a".into(),
            trained_on: "original".into(),
            dataset: "d".into(),
            split: "test".into(),
            view,
            image: id.into(),
            foreground: id.into(),
            background: String::new(),
            class,
            background_class: None,
            predicted: (predicted < classes).then_some(predicted),
            scores: vec![0.0; usize::from(classes)],
            training: Training::default(),
        };
        Table {
            classes: (0..classes).map(|c| format!("class{c}")).collect(),
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn rows_are_grouped_and_ordered() {
        let mut two = table(2, &[("b", 1, View::Original, 1), ("a", 0, View::Original, 7)]);
        let mut other = two.rows[0].clone();
        other.trained_on = "mixed-rand".into();
        two.rows.insert(0, other);
        let frame = Frame::new(&[two]).unwrap();
        let names: Vec<&str> = frame.models.iter().map(ModelFrame::label).collect();
        assert_eq!(names, ["original", "mixed-rand"]);
        let first = &frame.models[0];
        assert_eq!(&*first.foregrounds[0].id, "a");
        let right: Vec<bool> = first.view(View::Original).iter().map(Outcome::correct).collect();
        assert_eq!(right, [false, true]);
        assert!(first.view(View::NoFg).is_empty());
        assert_eq!(frame.test_sets(), [("d", "test")]);
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let (a, b) = (table(2, &[]), table(3, &[]));
        assert!(matches!(Frame::new(&[a, b]), Err(Error::DifferentClasses { .. })));
        let torn = table(2, &[("a", 0, View::Original, 0), ("a", 1, View::NoFg, 0)]);
        assert!(matches!(Frame::new(&[torn]), Err(Error::TwoClasses { .. })));
        assert!(matches!(Frame::new(&[]), Err(Error::NoTables)));
    }

    #[test]
    fn the_same_prediction_in_two_tables_is_refused() {
        let one = table(2, &[("a", 0, View::Original, 0), ("b", 1, View::Original, 0)]);
        let two = table(2, &[("b", 1, View::Original, 1)]);
        match Frame::new(&[one, two]) {
            Err(Error::PredictedTwice { image, view, .. }) => {
                assert_eq!((&*image, view), ("b", View::Original))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_table_with_a_header_only_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        table(2, &[]).write_atomic(&path).unwrap();
        assert!(matches!(Frame::read(&[&path]), Err(Error::EmptyTable { path: found }) if found == path));
    }

    #[test]
    fn a_read_table_is_the_frame_of_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        let mut table = table(
            2,
            &[("b", 1, View::MixedRand, 1), ("b", 1, View::MixedRand, 0), ("a", 0, View::Original, 7)],
        );
        (table.rows[0].background, table.rows[1].background) = ("y".into(), "x".into());
        table.write_atomic(&path).unwrap();
        let (read, made) = (Frame::read(&[&path]).unwrap(), Frame::new(&[table]).unwrap());
        assert_eq!((&read.classes, read.models.len()), (&made.classes, 1));
        assert_eq!(read.models[0].foregrounds, made.models[0].foregrounds);
        assert_eq!(read.models[0].views, made.models[0].views);
        // Of several backgrounds that of the first row stands first: the frozen pairing's.
        let answers: Vec<_> = read.models[0].view(View::MixedRand).iter().map(|o| o.predicted).collect();
        assert_eq!(answers, [Some(1), Some(0)]);
    }
}
