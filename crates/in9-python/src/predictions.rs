//! Prediction tables and their cards: filled by a network's answers, read and written.

use std::path::PathBuf;

use in9_analysis::Cards;
use in9_data::predictions::{Card, Completed, Labels, Row, Table, complete};
use in9_models::predict::Predictor;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::dataset::{Dataset, Split, view};
use crate::error::{Raise, argument};
use crate::outputs::Outputs;

/// Whose the cards are that are written here.
const MADE_BY: &str = "in9.evaluate";

/// A prediction table.
#[pyclass(module = "in9._in9")]
pub(crate) struct Predictions {
    pub(crate) table: Table,
    /// What was measured with what, where that is known.
    pub(crate) card: Option<Card>,
}

/// A row for people's tables: view, image, foreground, background, class, background's class, predicted, scores.
type Told = (&'static str, String, String, String, u16, Option<u16>, Option<u16>, Vec<f32>);

#[pymethods]
impl Predictions {
    /// An empty table for the classes of a dataset.
    #[new]
    fn new(dataset: &Dataset) -> Self {
        Self { table: Predictor::table(&dataset.dataset), card: None }
    }

    /// Reads a whole table with the card beside it, or completes bare answers from their dataset; also tells what was
    /// settled by itself.
    #[staticmethod]
    #[pyo3(signature = (path, dataset=None, labels="auto"))]
    fn read(
        py: Python<'_>,
        path: PathBuf,
        dataset: Option<&Dataset>,
        labels: &str,
    ) -> PyResult<(Self, Vec<String>)> {
        let Some(dataset) = dataset else {
            let (table, found) = py
                .detach(|| Ok::<_, in9_analysis::Error>((Table::read(&path)?, Cards::of(&[&path])?)))
                .raise(py)?;
            return Ok((Self { table, card: found.cards.into_iter().next() }, found.notes));
        };
        let labels: Labels = labels.parse().raise(py)?;
        let Completed { table, numbers, partial } =
            py.detach(|| complete(&path, &dataset.dataset, labels)).raise(py)?;
        let mut notes = Vec::new();
        if let (Some(numbers), Labels::Auto) = (numbers, labels) {
            notes.push(format!("numbers in predicted are taken for classes of {numbers}"));
        }
        notes.extend(partial.iter().map(|lack| format!("{lack}; figures are of these alone")));
        Ok((Self { table, card: None }, notes))
    }

    /// Adds the answers on pictures of a view: logits, f32 `[n, outputs]`, of samples `indices` on `backgrounds`.
    #[pyo3(signature = (split, view_name, indices, backgrounds, logits, outputs, *, model, arch, trained_on, dataset))]
    fn add(
        &mut self,
        py: Python<'_>,
        split: &Split,
        view_name: &str,
        indices: Vec<usize>,
        backgrounds: Option<Vec<usize>>,
        logits: PyBuffer<f32>,
        outputs: &Outputs,
        model: &str,
        arch: &str,
        trained_on: &str,
        dataset: &str,
    ) -> PyResult<u64> {
        let (view, split) = (view(py, view_name)?, &split.split);
        let answers = outputs.answers(py, &logits.to_vec(py)?)?;
        let beyond = indices.iter().chain(backgrounds.iter().flatten()).any(|&index| index >= split.len());
        let enough = backgrounds.as_ref().is_none_or(|b| b.len() == indices.len());
        if beyond || !enough || answers.len() != indices.len() {
            let (expected, found) = (indices.len(), answers.len());
            return Err(argument(
                py,
                format!("answers (expected one of each of {expected} samples, found {found})"),
            ));
        }
        let mut right = 0;
        for (at, answer) in answers.into_iter().enumerate() {
            let background = backgrounds.as_ref().map(|backgrounds| backgrounds[at]);
            let row = Row {
                model: model.to_owned(),
                arch: arch.to_owned(),
                trained_on: trained_on.to_owned(),
                dataset: dataset.to_owned(),
                predicted: answer.class.map(|class| class as u16),
                scores: answer.scores,
                ..Row::of_picture(split, view, indices[at], background)
            };
            right += u64::from(row.correct());
            self.table.rows.push(row);
        }
        Ok(right)
    }

    /// Takes the card whose fields `device`, `network` and `test` are `told` in JSON.
    fn describe(&mut self, py: Python<'_>, told: &str) -> PyResult<()> {
        let mistake = |error: serde_json::Error| argument(py, format!("card ({error})"));
        let told: serde_json::Value = serde_json::from_str(told).map_err(mistake)?;
        let mut whole = serde_json::json!({
            "card": Card::KIND,
            "made_by": format!("in9 {}", env!("CARGO_PKG_VERSION")),
            "table": self.table.csv_digest().raise(py)?,
        });
        for part in ["device", "network", "test"] {
            whole[part] = told[part].clone();
        }
        self.card = Some(serde_json::from_value(whole).map_err(mistake)?);
        Ok(())
    }

    /// Class names.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.table.classes.clone()
    }

    fn __len__(&self) -> usize {
        self.table.rows.len()
    }

    /// Which models the rows are of, each once: model, arch, trained_on, dataset, split.
    fn models(&self) -> Vec<[String; 5]> {
        let mut models: Vec<[String; 5]> = Vec::new();
        for row in &self.table.rows {
            let key = [&row.model, &row.arch, &row.trained_on, &row.dataset, &row.split];
            if models.last().is_none_or(|last| last.each_ref() != key) {
                let key = key.map(Clone::clone);
                if !models.contains(&key) {
                    models.push(key);
                }
            }
        }
        models
    }

    /// The rows: model, arch, trained_on, dataset, split, and what is told of the picture.
    fn rows(&self) -> Vec<([String; 5], Told)> {
        let row = |row: &Row| {
            let key = [&row.model, &row.arch, &row.trained_on, &row.dataset, &row.split].map(Clone::clone);
            let Row {
                view, image, foreground, background, class, background_class, predicted, scores, ..
            } = row.clone();
            (key, (view.name(), image, foreground, background, class, background_class, predicted, scores))
        };
        self.table.rows.iter().map(row).collect()
    }

    /// Writes the table as CSV and its card beside it; each file appears whole or not at all.
    fn write(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let Some(card) = &self.card else { return self.table.write_atomic(&path) };
            Card::check_place(&path, MADE_BY)?;
            self.table.write_atomic(&path)?;
            Card { table: Card::digest_of(&path)?, ..card.clone() }.write(&path, MADE_BY)
        })
        .raise(py)
    }
}
