//! From a network's outputs to a dataset's classes, and from pictures to a network's input.

use in9_data::Normalization;
use in9_models::mapping::{Answer, ClassMap, Mapping};
use in9_models::preprocess::{Crop, Interpolation, Preprocessing, Rgb};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::buffer::Buffer;
use crate::dataset::Dataset;
use crate::error::{Raise, argument};
use crate::loader::normalization;

/// How a network's outputs become the classes of a dataset.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Outputs {
    pub(crate) map: ClassMap,
    count: usize,
}

#[pymethods]
impl Outputs {
    /// For a network with `count` outputs: they are the dataset's classes if there are as many, else the thousand of
    /// ImageNet by `mapping`. `table` has the class of each output, negative for none, where they are others.
    #[new]
    #[pyo3(signature = (dataset, count, mapping="a", table=None))]
    fn new(
        py: Python<'_>,
        dataset: &Dataset,
        count: usize,
        mapping: &str,
        table: Option<Vec<i64>>,
    ) -> PyResult<Self> {
        let taxonomy = dataset.dataset.taxonomy();
        let mapping: Mapping = mapping.parse().raise(py)?;
        let map = match table {
            Some(table) if table.len() != count => {
                let (expected, found) = (table.len(), count);
                return Err(argument(
                    py,
                    format!(
                        "outputs of the network (expected {expected}, as many as classes were given, found {found})"
                    ),
                ));
            }
            Some(table) => {
                let table = table.into_iter().map(|class| usize::try_from(class).ok()).collect();
                ClassMap::of_table(mapping, taxonomy.len(), table).raise(py)?
            }
            None if count == taxonomy.len() => ClassMap::identity(count),
            None => ClassMap::imagenet(taxonomy, mapping, count).raise(py)?,
        };
        Ok(Self { map, count })
    }

    /// Number of outputs.
    fn __len__(&self) -> usize {
        self.count
    }

    /// Number of classes of the dataset.
    #[getter]
    fn classes(&self) -> usize {
        self.map.classes()
    }

    /// Class of each output; -1 for none.
    #[getter]
    fn table(&self) -> Vec<i64> {
        self.map.table().iter().map(|class| class.map_or(-1, |class| class as i64)).collect()
    }

    /// Whether output k is class k.
    #[getter]
    fn is_identity(&self) -> bool {
        self.map.is_identity()
    }

    /// `identity`, or the mapping's letter.
    #[getter]
    fn mapping(&self) -> String {
        self.map.to_string()
    }

    /// Predicted classes, i64 `[n]` with -1 for none, and scores, f32 `[n, classes]`, of logits, f32 `[n, outputs]`.
    fn answer(&self, py: Python<'_>, logits: PyBuffer<f32>) -> PyResult<(Buffer, Buffer)> {
        let answers = self.answers(py, &logits.to_vec(py)?)?;
        let predicted = answers.iter().map(|a| a.class.map_or(-1, |class| class as i64)).collect();
        let scores = answers.into_iter().flat_map(|answer| answer.scores).collect();
        Ok((Buffer::of_vec(predicted), Buffer::of_vec::<f32>(scores)))
    }
}

impl Outputs {
    /// The answers to pictures of these logits, row by row.
    pub(crate) fn answers(&self, py: Python<'_>, logits: &[f32]) -> PyResult<Vec<Answer>> {
        logits
            .chunks(self.count.max(1))
            .map(|logits| self.map.answer(logits))
            .collect::<Result<_, _>>()
            .raise(py)
    }
}

/// Pictures of `size` pixels a side among these bytes.
fn pictures(py: Python<'_>, bytes: usize, size: usize) -> PyResult<usize> {
    match size.checked_mul(size * 3) {
        Some(picture) if picture > 0 && bytes.is_multiple_of(picture) => Ok(bytes / picture),
        _ => Err(argument(py, format!("pictures (expected n * {size} * {size} * 3 bytes, found {bytes})"))),
    }
}

fn planes(normalization: Normalization, rgb: &[u8], size: usize) -> Vec<f32> {
    let mut values = vec![0.0; rgb.len()];
    let picture = size * size * 3;
    for (rgb, values) in rgb.chunks_exact(picture).zip(values.chunks_exact_mut(picture)) {
        normalization.bytes(rgb, values);
    }
    values
}

/// Pictures, u8 `[n, size, size, 3]`, as a network sees them: f32 `[n, 3, size, size]`, the bits that the loader gives.
#[pyfunction]
pub(crate) fn normalise(
    py: Python<'_>,
    rgb: PyBuffer<u8>,
    size: usize,
    mean: [f32; 3],
    std: [f32; 3],
) -> PyResult<Buffer> {
    let normalization = normalization(py, mean, std)?;
    let rgb = rgb.to_vec(py)?;
    pictures(py, rgb.len(), size)?;
    Ok(Buffer::of_vec(py.detach(|| planes(normalization, &rgb, size))))
}

/// Square pictures, u8 `[n, size, size, 3]`, at side `to`, u8 `[n, to, to, 3]`: Pillow's filters, bit for bit.
#[pyfunction]
#[pyo3(signature = (rgb, size, to, interpolation="bicubic"))]
pub(crate) fn resize(
    py: Python<'_>,
    rgb: PyBuffer<u8>,
    size: usize,
    to: usize,
    interpolation: &str,
) -> PyResult<Buffer> {
    let interpolation = match interpolation {
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        found => {
            return Err(argument(py, format!("interpolation (expected bilinear or bicubic, found {found})")));
        }
    };
    let rgb = rgb.to_vec(py)?;
    pictures(py, rgb.len(), size)?;
    if !(1..=4096).contains(&to) {
        return Err(argument(py, format!("size (expected 1 to 4096, found {to})")));
    }
    let preprocessing = Preprocessing {
        size: to,
        crop: Crop::ResizeThenCrop { resize: to },
        interpolation,
        normalization: Normalization::IMAGENET,
    };
    let resized = py.detach(|| {
        let one = |rgb: &[u8]| Ok(preprocessing.square(&Rgb::new(size, size, rgb.to_vec())?).pixels);
        let all: Result<Vec<Vec<u8>>, in9_models::Error> = rgb.chunks(size * size * 3).map(one).collect();
        all
    });
    Ok(Buffer::of_vec(resized.raise(py)?.concat()))
}
