//! The extension module `in9._in9`: what the Python package `in9` is made of.
//!
//! Everything here is a thin layer over the workspace's crates: it computes no number of its own, so that what Python
//! says is what the programs say. Users see the package's Python classes, which stand in `python/in9`.
#![deny(missing_docs)]

mod buffer;
mod challenge;
mod command;
mod dataset;
mod digest;
mod error;
mod fork;
mod loader;
mod making;
mod network;
mod outputs;
mod predictions;
mod report;
mod saliency;
mod scores;
mod work;

use pyo3::prelude::*;

/// The program's allocator: it ends the command `in9` with one line where the system refuses memory, and does nothing
/// else.
#[global_allocator]
static MEMORY: in9_base::memory::Memory = in9_base::memory::Memory;

/// The compiled part of the package in9.
#[pymodule(gil_used = false)]
mod _in9 {
    #[pymodule_export]
    use super::buffer::Buffer;
    #[pymodule_export]
    use super::challenge::challenge;
    #[pymodule_export]
    use super::command::run_command;
    #[pymodule_export]
    use super::dataset::{Dataset, Sample, Split};
    #[pymodule_export]
    use super::digest::digest;
    #[pymodule_export]
    use super::loader::{Batch, Epoch, Loader};
    #[pymodule_export]
    use super::making::{build, import_release, render_toy};
    #[pymodule_export]
    use super::outputs::{Outputs, normalise, resize};
    #[pymodule_export]
    use super::predictions::Predictions;
    #[pymodule_export]
    use super::report::make_report;
    #[pymodule_export]
    use super::saliency::saliency;
    #[pymodule_export]
    use super::scores::{Scores, compare};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("VIEWS", in9_data::View::ALL.map(in9_data::View::name).to_vec())?;
        module.add("PAPER_VIEWS", in9_data::View::PAPER.map(in9_data::View::name).to_vec())?;
        module.add("CONTROL_VIEWS", in9_data::View::CONTROLS.map(in9_data::View::name).to_vec())?;
        module.add(
            "CATEGORIES",
            in9_analysis::metrics::Category::ALL.map(|category| category.name()).to_vec(),
        )?;
        let normalizations = pyo3::types::PyDict::new(module.py());
        for (name, of) in [
            ("imagenet", in9_data::Normalization::IMAGENET),
            ("imagenet-9", in9_data::Normalization::IMAGENET_9),
            ("half", in9_data::Normalization::HALF),
        ] {
            normalizations.set_item(name, (shortest(of.mean), shortest(of.std)))?;
        }
        module.add("NORMALIZATIONS", normalizations)
    }

    /// Three f32 as the doubles of their shortest decimals, so that 0.485 is 0.485 in Python.
    fn shortest(values: [f32; 3]) -> (f64, f64, f64) {
        values.map(|value| value.to_string().parse().unwrap_or(f64::from(value))).into()
    }

    /// `limit` of `count` samples drawn by the seed, ascending: those that the programs draw for the purpose.
    #[pyfunction]
    fn draw_samples(count: u32, limit: u32, seed: u64, purpose: &str) -> Vec<u32> {
        let mut all: Vec<u32> = (0..count).collect();
        in9_data::rng::shuffle(&mut in9_data::rng::stream(seed, purpose, 0, 0), &mut all);
        all.truncate(limit as usize);
        all.sort_unstable();
        all
    }

    /// Cores that this process may use: those that the scheduler, the container or the affinity mask leaves it.
    #[pyfunction]
    fn available_threads() -> usize {
        in9_base::shell::available()
    }
}
