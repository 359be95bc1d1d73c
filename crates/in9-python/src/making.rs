//! Making datasets: the toy world, builds, the official release.

use std::path::PathBuf;

use in9_base::Piece;
use in9_data::{BuildConfig, BuildReport, Excluded, Limits, SourceKind, Stage, Taxonomy};
use in9_toy::WorldConfig;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{Raise, argument};
use crate::work;

/// Renders the toy world into a folder; (training photographs, test photographs).
#[pyfunction]
#[pyo3(signature = (out, *, seed, rho, train_per_class, test_per_class, progress=None))]
pub(crate) fn render_toy(
    py: Python<'_>,
    out: PathBuf,
    seed: u64,
    rho: f64,
    train_per_class: u32,
    test_per_class: u32,
    progress: Option<Py<PyAny>>,
) -> PyResult<(u64, u64)> {
    let config = WorldConfig { seed, rho, train_per_class, test_per_class, ..WorldConfig::default() };
    let made = work::run(py, progress, |meter| {
        in9_toy::render(&config, &out, &|done, total| meter.tell("rendering", done, total))
    })?;
    let made = made.raise(py)?;
    Ok((made.train, made.test))
}

/// Builds a dataset from photographs. Arguments are those of `in9 build`.
#[pyfunction]
#[pyo3(signature = (
    *, source, root, out, size=224, short_side=None, profile="clean", taxonomy=None, holdout=0.0, per_class=None,
    test_per_class=None, balance=false, fine_per_class=None, photos_only=false, masks="grabcut", exclude=None,
    exclude_release=None, seed=0, shard=None, progress=None
))]
pub(crate) fn build<'py>(
    py: Python<'py>,
    source: &str,
    root: PathBuf,
    out: PathBuf,
    size: u32,
    short_side: Option<u32>,
    profile: &str,
    taxonomy: Option<&str>,
    holdout: f64,
    per_class: Option<u32>,
    test_per_class: Option<u32>,
    balance: bool,
    fine_per_class: Option<u32>,
    photos_only: bool,
    masks: &str,
    exclude: Option<PathBuf>,
    exclude_release: Option<PathBuf>,
    seed: u64,
    shard: Option<&str>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let limits = Limits::default();
    let mut excluded = Excluded::default();
    if let Some(list) = &exclude {
        excluded.add_list(list, &limits).raise(py)?;
    }
    if let Some(release) = &exclude_release {
        excluded.add_release(release).raise(py)?;
    }
    let piece = shard.map(|text| text.parse::<Piece>().map_err(|error| argument(py, error.to_string())));
    let config = BuildConfig {
        taxonomy: taxonomy.map(Taxonomy::resolve).transpose().raise(py)?,
        profile: profile.parse().raise(py)?,
        size,
        short_side,
        masks: masks.parse().raise(py)?,
        photos_only,
        seed,
        holdout,
        per_class,
        test_per_class,
        balance,
        fine_per_class,
        excluded,
        piece: piece.transpose()?,
        limits,
        ..BuildConfig::new(source.parse().raise(py)?, &root, &out)
    };
    made(py, &config, progress)
}

/// Imports the official test release. Arguments are those of `in9 import-release`.
#[pyfunction]
#[pyo3(signature = (*, root, out, taxonomy="imagenet-9", size=224, progress=None))]
pub(crate) fn import_release<'py>(
    py: Python<'py>,
    root: PathBuf,
    out: PathBuf,
    taxonomy: &str,
    size: u32,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = BuildConfig {
        taxonomy: Some(Taxonomy::resolve(taxonomy).raise(py)?),
        size,
        ..BuildConfig::new(SourceKind::Release, &root, &out)
    };
    made(py, &config, progress)
}

fn made<'py>(
    py: Python<'py>,
    config: &BuildConfig,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let report = work::run(py, progress, |meter| {
        in9_data::build(config, &|p| {
            let what = match p.stage {
                Stage::Photographs => "photographs",
                Stage::Shards => "shards",
            };
            meter.tell(what, p.done, p.total);
        })
    })?;
    told(py, &report.raise(py)?)
}

fn told<'py>(py: Python<'py>, report: &BuildReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("samples", report.samples.clone())?;
    dict.set_item("rejected", report.rejected.clone())?;
    dict.set_item("faults", report.faults.clone())?;
    dict.set_item("already_complete", report.already_complete)?;
    let differences = report.differences.iter().map(|d| (d.view.name(), d.pictures, d.mean, d.beyond_32));
    dict.set_item("differences", differences.collect::<Vec<_>>())?;
    Ok(dict)
}
