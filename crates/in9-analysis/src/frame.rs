//! Prediction rows grouped by model and laid out by view, foreground by foreground.

use crate::error::{Error, Result};
use in9_data::View;
use in9_data::predictions::{Row, Table};
use serde::Serialize;
use std::collections::BTreeMap;

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
}

/// A foreground photograph of the test set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Foreground {
    /// Identifier shared by all views of the photograph.
    pub id: String,
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
}

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
    /// [`Error::Mismatch`] when the tables' classes differ or a foreground has two true classes.
    pub fn new(tables: &[Table]) -> Result<Self> {
        let Some(first) = tables.first() else {
            return Err(Error::Usage("no prediction table given".into()));
        };
        let mut rows: BTreeMap<Key, Vec<&Row>> = BTreeMap::new();
        for table in tables {
            if table.classes != first.classes {
                return Err(Error::Mismatch {
                    what: "prediction tables name different classes; score them apart".into(),
                    expected: first.classes.join(" "),
                    found: table.classes.join(" "),
                });
            }
            for row in &table.rows {
                rows.entry(key_of(row)).or_default().push(row);
            }
        }
        let mut models = rows.into_iter().map(|(key, rows)| model(key, &rows)).collect::<Result<Vec<_>>>()?;
        models.sort_by_cached_key(|m| {
            let order = training_order(&m.key.trained_on);
            (m.key.dataset.clone(), m.key.split.clone(), order, m.key.clone())
        });
        Ok(Self { classes: first.classes.clone(), models })
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

fn key_of(row: &Row) -> Key {
    Key {
        dataset: row.dataset.clone(),
        split: row.split.clone(),
        trained_on: row.trained_on.clone(),
        arch: row.arch.clone(),
        model: row.model.clone(),
    }
}

fn foreground_of(row: &Row) -> &str {
    if row.foreground.is_empty() { &row.image } else { &row.foreground }
}

fn model(key: Key, rows: &[&Row]) -> Result<ModelFrame> {
    let mut classes: BTreeMap<&str, u16> = BTreeMap::new();
    for row in rows {
        let class = *classes.entry(foreground_of(row)).or_insert(row.class);
        if class != row.class {
            return Err(Error::Mismatch {
                what: format!("{}: foreground {} has two classes", key.model, foreground_of(row)),
                expected: class.to_string(),
                found: row.class.to_string(),
            });
        }
    }
    let index: BTreeMap<&str, u32> = classes.keys().enumerate().map(|(i, id)| (*id, i as u32)).collect();
    let mut views: BTreeMap<View, Vec<(Outcome, &str)>> = BTreeMap::new();
    for row in rows {
        let outcome =
            Outcome { foreground: index[foreground_of(row)], class: row.class, predicted: row.predicted };
        views.entry(row.view).or_default().push((outcome, &row.background));
    }
    let views = views
        .into_iter()
        .map(|(view, mut list)| {
            list.sort_by_key(|(o, background)| (o.foreground, *background));
            (view, list.into_iter().map(|(o, _)| o).collect())
        })
        .collect();
    let foregrounds = classes.iter().map(|(id, &class)| Foreground { id: (*id).to_owned(), class }).collect();
    Ok(ModelFrame { key, foregrounds, views })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
        assert_eq!(first.foregrounds[0].id, "a");
        let right: Vec<bool> = first.view(View::Original).iter().map(Outcome::correct).collect();
        assert_eq!(right, [false, true]);
        assert!(first.view(View::NoFg).is_empty());
        assert_eq!(frame.test_sets(), [("d", "test")]);
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let (a, b) = (table(2, &[]), table(3, &[]));
        assert!(Frame::new(&[a, b]).unwrap_err().to_string().contains("different classes"));
        let torn = table(2, &[("a", 0, View::Original, 0), ("a", 1, View::NoFg, 0)]);
        assert!(Frame::new(&[torn]).unwrap_err().to_string().contains("two classes"));
        assert!(Frame::new(&[]).is_err());
    }
}
