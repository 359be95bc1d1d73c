//! Batches, made ahead by the Rust loader's threads.

use std::sync::{Arc, Mutex};

use in9_data::{
    Augment, BatchOf, Error, Jitter, LoaderConfig, Normalization, PairingMode, PairingPolicy, Pixel, Share,
};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::buffer::{Buffer, Number};
use crate::dataset::{Split, view};
use crate::error::{Raise, argument};
use crate::fork::OfProcess;

/// Makes batches of one view of one split.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Loader {
    split: Py<Split>,
    config: LoaderConfig,
    bytes: bool,
    batches: usize,
    /// Made again in a forked process, where the locks of this one's buffers may be held.
    made: Mutex<Arc<OfProcess<in9_data::Loader>>>,
}

/// The whole numbers, or none, of an augmentation by its name.
fn augmentation(py: Python<'_>, name: &str, pixels: u32) -> PyResult<Augment> {
    match name {
        "none" => Ok(Augment::None),
        "shift-flip" => Ok(Augment::ShiftFlip { pixels }),
        "random-resized-crop" => Ok(Augment::RandomResizedCrop {
            scale: (0.08, 1.0),
            ratio: (0.75, 4.0 / 3.0),
            flip: true,
            jitter: None::<Jitter>,
            lighting: 0.0,
        }),
        "paper" => Ok(Augment::paper()),
        _ => Err(argument(
            py,
            format!(
                "unknown augment (expected one of none, shift-flip, random-resized-crop, paper, found {name})"
            ),
        )),
    }
}

/// A mean and deviation of each channel that pictures can be normalised with.
pub(crate) fn normalization(py: Python<'_>, mean: [f32; 3], std: [f32; 3]) -> PyResult<Normalization> {
    let normalization = Normalization { mean, std };
    match normalization.is_usable() {
        true => Ok(normalization),
        false => Err(argument(
            py,
            format!(
                "pictures cannot be normalised (expected deviations above 0, found mean {mean:?}, std {std:?})"
            ),
        )),
    }
}

#[pymethods]
impl Loader {
    /// A loader; see `in9.Split.batches`.
    #[new]
    #[pyo3(signature = (
        split, view_name, *, batch_size, seed, shuffle, drop_last, augment, shift, fresh, own_class, own_image, mean,
        std, bytes, prefetch, threads
    ))]
    fn new(
        py: Python<'_>,
        split: Py<Split>,
        view_name: &str,
        batch_size: usize,
        seed: u64,
        shuffle: bool,
        drop_last: bool,
        augment: &str,
        shift: u32,
        fresh: bool,
        own_class: bool,
        own_image: bool,
        mean: [f32; 3],
        std: [f32; 3],
        bytes: bool,
        prefetch: usize,
        threads: usize,
    ) -> PyResult<Self> {
        let config = LoaderConfig {
            view: view(py, view_name)?,
            batch_size,
            seed,
            shuffle,
            drop_last,
            augment: augmentation(py, augment, shift)?,
            pairing: match fresh {
                true => PairingMode::Fresh(PairingPolicy { own_class, own_image }),
                false => PairingMode::Frozen,
            },
            normalization: normalization(py, mean, std)?,
            size: None,
            prefetch,
            threads,
        };
        let loader = made(split.get(), &config).raise(py)?;
        let batches = loader.batches();
        Ok(Self { split, config, bytes, batches, made: Mutex::new(Arc::new(OfProcess::new(loader))) })
    }

    /// Batches of an epoch.
    fn __len__(&self) -> usize {
        self.batches
    }

    /// The batches of an epoch, or every `every`-th from number `first` on.
    #[pyo3(signature = (epoch, first=0, every=1))]
    fn epoch(slf: Bound<'_, Self>, epoch: u64, first: usize, every: usize) -> PyResult<Epoch> {
        let share = Share { first, every };
        let work = slf.get().start(slf.py(), epoch, share)?;
        Ok(Epoch {
            loader: slf.unbind(),
            epoch,
            state: Mutex::new(State { share, work: OfProcess::new(work) }),
        })
    }
}

fn made(split: &Split, config: &LoaderConfig) -> in9_data::Result<in9_data::Loader> {
    in9_data::Loader::new(&split.dataset, &split.split, config.clone())
}

impl Loader {
    /// The loader of this process. Its lock is held for a moment and under the interpreter's, and not waited for: a
    /// forked process may have it locked for ever.
    fn here(&self) -> in9_data::Result<Arc<OfProcess<in9_data::Loader>>> {
        let Ok(mut known) = self.made.try_lock() else {
            return Ok(Arc::new(OfProcess::new(made(self.split.get(), &self.config)?)));
        };
        if !known.is_here() {
            *known = Arc::new(OfProcess::new(made(self.split.get(), &self.config)?));
        }
        Ok(Arc::clone(&known))
    }

    fn start(&self, py: Python<'_>, epoch: u64, share: Share) -> PyResult<Work> {
        let loader = self.here().raise(py)?;
        let work = py.detach(|| {
            // It was made in this process.
            let Some(loader) = loader.get() else { return Err(gone()) };
            match self.bytes {
                true => loader.share(epoch, share).map(Work::Bytes),
                false => loader.share(epoch, share).map(Work::Floats),
            }
        });
        work.raise(py)
    }
}

/// What cannot be: a process that forked while one of its threads was in here.
fn gone() -> Error {
    Error::Thread { source: std::io::Error::other("the process was forked") }
}

enum Work {
    Floats(in9_data::Epoch<f32>),
    Bytes(in9_data::Epoch<u8>),
}

struct State {
    /// What is left.
    share: Share,
    work: OfProcess<Work>,
}

/// An iterator over batches.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Epoch {
    loader: Py<Loader>,
    epoch: u64,
    state: Mutex<State>,
}

/// A batch: pictures, and whose they are.
#[pyclass(frozen, get_all, module = "in9._in9")]
pub(crate) struct Batch {
    /// f32 `[n, 3, size, size]` or u8 `[n, size, size, 3]`.
    pictures: Py<Buffer>,
    /// i64 `[n]`.
    labels: Py<Buffer>,
    /// i64 `[n]`.
    indices: Py<Buffer>,
    /// i64 `[n]`, of the mixed views only.
    backgrounds: Option<Py<Buffer>>,
}

#[pymethods]
impl Epoch {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let busy =
            || PyRuntimeError::new_err("another thread is reading this epoch; give each thread its own");
        // Tried, not waited for: whoever waited with the interpreter's lock would keep the other from going on.
        let mut state = self.state.try_lock().map_err(|_| busy())?;
        if state.work.get_mut().is_none() {
            // The threads stayed in the process that this one was forked from.
            let work = self.loader.get().start(py, self.epoch, state.share)?;
            state.work = OfProcess::new(work);
        }
        let share = &mut state.share;
        share.first += share.every;
        let Some(work) = state.work.get_mut() else { return Ok(None) };
        match work {
            Work::Floats(epoch) => given(py, py.detach(|| epoch.next())),
            Work::Bytes(epoch) => given(py, py.detach(|| epoch.next())),
        }
    }
}

/// Hands a batch's memory over.
fn given<P: Pixel + Number>(
    py: Python<'_>,
    batch: Option<Result<BatchOf<P>, Error>>,
) -> PyResult<Option<Batch>> {
    let Some(batch) = batch else { return Ok(None) };
    let mut batch = batch.raise(py)?;
    let numbers =
        |values: &[u32]| Py::new(py, Buffer::of_vec(values.iter().map(|&v| i64::from(v)).collect()));
    let (labels, indices) = (numbers(&batch.labels)?, numbers(&batch.indices)?);
    let backgrounds: Option<Vec<u32>> = batch.backgrounds.iter().copied().collect();
    let backgrounds = backgrounds.filter(|b| !b.is_empty()).map(|b| numbers(&b)).transpose()?;
    let (start, length) = (batch.images.as_mut_ptr(), batch.images.len());
    // SAFETY: the values stay where they are when the batch moves; the buffer is its only owner, and it goes back to
    // the loader's pool when nothing in Python looks at it any more.
    let pictures = unsafe { Buffer::of_parts(start, length, true, Box::new(batch)) };
    Ok(Some(Batch { pictures: Py::new(py, pictures)?, labels, indices, backgrounds }))
}
