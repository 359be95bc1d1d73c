//! Datasets, splits and samples.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use in9_data::{Pairing, PairingPolicy, View};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;

use crate::buffer::Buffer;
use crate::error::{Raise, argument};

/// An open dataset folder.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Dataset {
    pub(crate) dataset: in9_data::Dataset,
}

#[pymethods]
impl Dataset {
    /// Opens the folder.
    #[new]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let dataset = py.detach(|| in9_data::Dataset::open(&path)).raise(py)?;
        Ok(Self { dataset })
    }

    /// The folder.
    #[getter]
    fn path(&self) -> &Path {
        self.dataset.path()
    }

    /// The name of the folder.
    #[getter]
    fn name(&self) -> String {
        self.dataset.name()
    }

    /// BLAKE3 of what the dataset holds.
    #[getter]
    fn digest(&self) -> String {
        self.dataset.digest()
    }

    /// Names of the splits, sorted.
    #[getter]
    fn splits(&self) -> Vec<String> {
        self.dataset.splits().into_iter().map(str::to_owned).collect()
    }

    /// Names of the classes, in order.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.dataset.taxonomy().classes.iter().map(|class| class.name.clone()).collect()
    }

    /// What the dataset was built from and how, as JSON.
    #[getter]
    fn manifest(&self) -> String {
        // Plain numbers and texts can always be written.
        serde_json::to_string(self.dataset.manifest()).unwrap_or_default()
    }

    /// Opens a split: the one that is named, else `test`, else the only one.
    #[pyo3(signature = (name=None))]
    fn split(&self, py: Python<'_>, name: Option<&str>) -> PyResult<Split> {
        let split = py.detach(|| self.dataset.split_or_usual(name)).raise(py)?;
        Ok(Split { dataset: self.dataset.clone(), split })
    }
}

/// The samples of one split, over memory-mapped shards.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Split {
    pub(crate) dataset: in9_data::Dataset,
    pub(crate) split: in9_data::Split,
}

/// What is known of a sample.
#[pyclass(frozen, get_all, module = "in9._in9")]
pub(crate) struct Sample {
    id: String,
    fine: String,
    source: String,
    label: u16,
    digest: String,
    width: u32,
    height: u32,
    photo_box: (u32, u32, u32, u32),
    crop_box: (u16, u16, u16, u16),
    mask_area: u32,
}

impl Split {
    fn check(&self, index: usize) -> PyResult<()> {
        match index < self.split.len() {
            true => Ok(()),
            false => Err(PyIndexError::new_err(format!(
                "sample {index} of {} in split {}",
                self.split.len(),
                self.split.name()
            ))),
        }
    }

    /// A layer of a sample, without a copy.
    fn layer<'a>(
        &'a self,
        py: Python<'_>,
        index: usize,
        pick: impl FnOnce(in9_data::Layers<'a>) -> &'a [u8],
    ) -> PyResult<Buffer> {
        self.check(index)?;
        let bytes = pick(self.split.layers(index).raise(py)?);
        // SAFETY: the bytes are a slice of the split's memory map, which the clone keeps; nobody changes a shard in
        // place (FORMAT.md, rule 6).
        Ok(unsafe { Buffer::of_shared(bytes, Box::new(self.split.clone())) })
    }
}

/// A view by its name.
pub(crate) fn view(py: Python<'_>, name: &str) -> PyResult<View> {
    View::from_str(name).raise(py)
}

#[pymethods]
impl Split {
    /// Name of the split.
    #[getter]
    fn name(&self) -> &str {
        self.split.name()
    }

    fn __len__(&self) -> usize {
        self.split.len()
    }

    /// Pixels of a side of every picture.
    #[getter]
    fn size(&self) -> usize {
        self.split.size()
    }

    /// Whether masks and backgrounds are there.
    #[getter]
    fn has_layers(&self) -> bool {
        self.split.has_layers()
    }

    /// Ids of all samples, in order.
    fn ids(&self) -> Vec<&str> {
        self.split.samples().map(|sample| sample.id.as_str()).collect()
    }

    /// Classes of all samples, i64 `[n]`.
    fn labels(&self) -> Buffer {
        Buffer::of_vec(self.split.samples().map(|sample| i64::from(sample.class)).collect())
    }

    /// Boxes of all samples in the stored pictures, i64 `[n, 4]`.
    fn boxes(&self) -> Buffer {
        Buffer::of_vec(self.split.samples().flat_map(|sample| sample.crop_box.map(i64::from)).collect())
    }

    /// What is known of a sample.
    fn sample(&self, index: usize) -> PyResult<Sample> {
        self.check(index)?;
        let sample = self.split.sample(index);
        Ok(Sample {
            id: sample.id.clone(),
            fine: sample.fine.clone(),
            source: sample.source.clone(),
            label: sample.class,
            digest: blake3::Hash::from_bytes(sample.blake3).to_hex().to_string(),
            width: sample.width,
            height: sample.height,
            photo_box: sample.photo_box.into(),
            crop_box: sample.crop_box.into(),
            mask_area: sample.mask_area,
        })
    }

    /// The photograph, u8 `[size, size, 3]`, without a copy.
    fn photo(&self, py: Python<'_>, index: usize) -> PyResult<Buffer> {
        self.layer(py, index, |layers| layers.photo)
    }

    /// The tiled background, u8 `[size, size, 3]`, without a copy.
    fn tiled(&self, py: Python<'_>, index: usize) -> PyResult<Buffer> {
        self.layer(py, index, |layers| layers.tiled)
    }

    /// The packed mask, bit `y * size + x`, least significant first, without a copy.
    fn mask_bits(&self, py: Python<'_>, index: usize) -> PyResult<Buffer> {
        self.layer(py, index, |layers| layers.mask.bytes())
    }

    /// A view of a sample, u8 `[size, size, 3]`; the mixed ones on the background of sample `background`.
    #[pyo3(signature = (view_name, index, background=None))]
    fn compose(
        &self,
        py: Python<'_>,
        view_name: &str,
        index: usize,
        background: Option<usize>,
    ) -> PyResult<Buffer> {
        let view = view(py, view_name)?;
        self.check(index)?;
        background.map_or(Ok(()), |background| self.check(background))?;
        if view.needs_background() && background.is_none() {
            return Err(argument(py, format!("{view} needs a background (expected a sample, found none)")));
        }
        self.split.check_view(view).raise(py)?;
        let size = self.split.size();
        let composed = py.detach(|| {
            let foreground = self.split.layers(index)?;
            let behind = background.filter(|_| view.needs_background());
            let behind = behind.map(|behind| self.split.layers(behind)).transpose()?;
            let mut rgb = vec![0; size * size * 3];
            let fg_box = self.split.sample(index).crop_box;
            in9_data::compose(view, &foreground, fg_box, behind.map(|layers| layers.tiled), size, &mut rgb);
            Ok::<_, in9_data::Error>(rgb)
        });
        Ok(Buffer::of_vec(composed.raise(py)?))
    }

    /// Index of each sample's background, i64 `[n]`: the pairing stored with the dataset, or a fresh one of `seed`.
    #[pyo3(signature = (view_name, *, seed=None, epoch=0, own_class=true, own_image=false))]
    fn pairing(
        &self,
        py: Python<'_>,
        view_name: &str,
        seed: Option<u64>,
        epoch: u64,
        own_class: bool,
        own_image: bool,
    ) -> PyResult<Buffer> {
        let view = view(py, view_name)?;
        let pairing = py.detach(|| match seed {
            None => Pairing::frozen(&self.dataset, &self.split, view),
            Some(seed) => {
                Pairing::draw(&self.split, view, seed, epoch, PairingPolicy { own_class, own_image })
            }
        });
        Ok(Buffer::of_vec(pairing.raise(py)?.0.into_iter().map(i64::from).collect()))
    }
}
