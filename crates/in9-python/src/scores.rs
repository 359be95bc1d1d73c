//! Measures with intervals, by the code of `in9 score` and `in9 compare`.

use in9_analysis::metrics::{self, ModelSummary};
use in9_analysis::output::{Grid, json, tables, text};
use in9_analysis::stats::Bootstrap;
use in9_analysis::{Frame, ModelFrame};
use in9_data::predictions::Card;
use pyo3::prelude::*;

use crate::error::{Raise, argument};
use crate::predictions::Predictions;
use crate::work;

/// A table: title, header, rows.
type Told = (String, Vec<String>, Vec<Vec<String>>);

fn told(grid: Grid) -> Told {
    (grid.title, grid.header, grid.rows)
}

fn bootstrap(py: Python<'_>, level: f64, replicates: u32, seed: u64) -> PyResult<Bootstrap> {
    if !(level > 0.0 && level < 1.0) {
        return Err(argument(
            py,
            format!("level (expected a number between 0 and 1, such as 0.95, found {level})"),
        ));
    }
    if !(100..=1_000_000).contains(&replicates) {
        return Err(argument(py, format!("replicates (expected 100 to 1000000, found {replicates})")));
    }
    Ok(Bootstrap { replicates, level, seed })
}

/// Everything measured on one or more prediction tables.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Scores {
    frame: Frame,
    summaries: Vec<ModelSummary>,
    cards: Vec<Card>,
    bootstrap: Bootstrap,
}

#[pymethods]
impl Scores {
    /// Measures what the tables hold.
    #[new]
    #[pyo3(signature = (predictions, *, level=0.95, replicates=2000, seed=0))]
    fn new(
        py: Python<'_>,
        predictions: Vec<PyRef<'_, Predictions>>,
        level: f64,
        replicates: u32,
        seed: u64,
    ) -> PyResult<Self> {
        let bootstrap = bootstrap(py, level, replicates, seed)?;
        let tables: Vec<_> = predictions.iter().map(|predictions| predictions.table.clone()).collect();
        let cards = predictions.iter().filter_map(|predictions| predictions.card.clone()).collect();
        drop(predictions);
        let scored = work::run(py, None, |_| {
            let frame = Frame::new(&tables)?;
            let summaries = metrics::summarise(&frame, &bootstrap)?;
            Ok::<_, in9_analysis::Error>((frame, summaries))
        })?;
        let (frame, summaries) = scored.raise(py)?;
        Ok(Self { frame, summaries, cards, bootstrap })
    }

    /// What `in9 score` prints.
    fn text(&self) -> String {
        text::scores(&self.frame, &self.summaries, &self.bootstrap)
    }

    /// results.json of `in9 score`.
    fn json(&self, py: Python<'_>) -> PyResult<String> {
        let measured = json::Results::new(&self.frame, &self.summaries, &self.bootstrap);
        json::pretty(&json::Results { cards: &self.cards, ..measured }).raise(py)
    }

    /// The tables that are printed, by test set: dataset, split, tables.
    fn tables(&self) -> Vec<(String, String, Vec<Told>)> {
        let of = |(dataset, split): (&str, &str)| {
            let models: Vec<&ModelSummary> =
                self.summaries.iter().filter(|m| m.key.dataset == dataset && m.key.split == split).collect();
            let grids = text::grids(&models, self.bootstrap.level).into_iter().map(told).collect();
            (dataset.to_owned(), split.to_owned(), grids)
        };
        self.frame.test_sets().into_iter().map(of).collect()
    }
}

/// Compares the models of two tables wherever both were tested on the same photographs: dataset, split, table, JSON.
#[pyfunction]
#[pyo3(signature = (first, second, *, level=0.95, replicates=2000, seed=0))]
pub(crate) fn compare(
    py: Python<'_>,
    first: &Predictions,
    second: &Predictions,
    level: f64,
    replicates: u32,
    seed: u64,
) -> PyResult<Vec<(String, String, Told, String)>> {
    let bootstrap = bootstrap(py, level, replicates, seed)?;
    let (first, second) = (first.table.clone(), second.table.clone());
    let done = work::run(py, None, |_| {
        let (first, second) = (Frame::new(&[first])?, Frame::new(&[second])?);
        if first.classes != second.classes {
            return Err(in9_analysis::Error::DifferentClasses {
                first: "the first table".into(),
                second: "the second".into(),
                expected: first.classes,
                found: second.classes,
            });
        }
        let mut done = Vec::new();
        for a in &first.models {
            let same = |b: &&ModelFrame| (&a.key.dataset, &a.key.split) == (&b.key.dataset, &b.key.split);
            for b in second.models.iter().filter(same) {
                let comparison = metrics::compare(a, b, &bootstrap)?;
                let text = json::pretty(&comparison)?;
                done.push((
                    a.key.dataset.clone(),
                    a.key.split.clone(),
                    told(tables::comparison(&comparison)),
                    text,
                ));
            }
        }
        Ok(done)
    })?;
    done.raise(py)
}
