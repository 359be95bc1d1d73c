//! A network in an ONNX file, run by tract.
//!
//! Pictures go through the network one by one where it allows that, side by side on all threads, so that neither the
//! batches nor the number of threads changes a score. A network that only takes batches of one size gets such batches,
//! the last of which is filled up with its last picture.

mod file;
mod metadata;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use in9_base::guard::guarded;
use in9_data::Normalization;
use in9_onnx::tract_onnx::prelude::{
    Datum as _, DatumExt as _, Framework as _, InferenceModel, IntoRunnable as _, Tensor, TractResult,
    TypedRunnableModel, tvec,
};
use rayon::prelude::*;

use self::file::{File, Input};
use super::{About, Outputs, Scorer, Scores};
use crate::error::{Error, Result};

/// The size, in pixels, at which a network is looked at that takes any and does not say how many outputs it has.
const USUAL: usize = 224;

/// A network in an ONNX file.
pub struct Onnx {
    path: PathBuf,
    about: About,
    input: Input,
    model: InferenceModel,
    plans: HashMap<usize, Plan>,
}

/// A network that is ready for pictures of one size.
#[derive(Clone)]
struct Plan {
    network: Arc<TypedRunnableModel>,
    /// Pictures that go through it together.
    batch: usize,
    outputs: usize,
}

impl Onnx {
    /// Reads the network at `path`. It has one input, `[batch, 3, height, width]` of `f32`, whose values are normalised
    /// by `normalization` or else as the file's metadata says; and one output, `[batch, outputs]` of `f32`.
    ///
    /// # Errors
    /// [`Error::Base`] for a file that cannot be read or is too large, [`Error::File`] for one that holds no such
    /// network, [`Error::NormalizationUnknown`] when neither `normalization` nor the file says it.
    pub fn open(path: &Path, normalization: Option<Normalization>) -> Result<Self> {
        let File { model, input, declared, probabilities, metadata, digest } = File::read(path)?;
        let about = About {
            name: match metadata.name.is_empty() {
                true => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                false => metadata.name.clone(),
            },
            trained_on: metadata.trained_on.clone(),
            arch: metadata.arch.clone(),
            origin: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            digest,
            outputs: Outputs::Count(0),
            scores: metadata.scores.unwrap_or(if probabilities {
                Scores::Probabilities
            } else {
                Scores::Logits
            }),
            normalization: super::PIXELS,
            normalization_from: String::new(),
        };
        let parsed = guarded(|| {
            in9_onnx::tract_onnx::onnx().with_ignore_value_info(true).model_for_proto_model(&model)
        });
        let model = parsed.map_err(|found| {
            Error::file(path, "not a network that can be run here", "operators that tract knows", found)
        })?;
        let mut onnx = Self { path: path.to_path_buf(), about, input, model, plans: HashMap::new() };
        // A fault of the network is told before the photographs are read, where its size is known.
        let outputs = match (input.size, declared) {
            (None, Some(declared)) => declared,
            (size, _) => onnx.plan(size.unwrap_or(USUAL))?.outputs,
        };
        onnx.about.outputs = metadata.outputs(outputs).map_err(|found| {
            let expected = format!("{outputs} outputs, as the network has");
            Error::file(path, "its metadata do not fit the network", expected, found)
        })?;
        (onnx.about.normalization, onnx.about.normalization_from) =
            match (normalization, metadata.normalization) {
                (Some(asked), _) => (asked, "request".to_owned()),
                (None, Some(said)) => (said, "the file's metadata".to_owned()),
                (None, None) => {
                    let (path, arch) = (path.to_path_buf(), metadata.arch);
                    let published = crate::registry::pretrained_of(&arch);
                    let candidates = published.map(|p| (p.name(), p.preprocessing.normalization)).collect();
                    return Err(Error::NormalizationUnknown { path, arch, candidates });
                }
            };
        Ok(onnx)
    }

    /// The network, ready for pictures of `size` pixels a side.
    fn plan(&mut self, size: usize) -> Result<Plan> {
        if let Some(plan) = self.plans.get(&size) {
            return Ok(plan.clone());
        }
        if let Some(fixed) = self.input.size.filter(|fixed| *fixed != size) {
            return Err(Error::setting("size", format!("{fixed}, which {} takes", self.about.origin), size));
        }
        let mut tried = self.prepared(1, size);
        if tried.is_err()
            && let Some(batch) = self.input.batch.filter(|batch| *batch > 1)
        {
            tried = self.prepared(batch, size);
        }
        let plan = tried.map_err(|found| {
            let what = format!("its network cannot be run on pictures of {size} × {size} pixels");
            Error::file(&self.path, what, "[batch, 3, height, width] to [batch, outputs], both f32", found)
        })?;
        self.plans.insert(size, plan.clone());
        Ok(plan)
    }

    /// The network for batches of so many pictures, or why it does not take them.
    fn prepared(&self, batch: usize, size: usize) -> Result<Plan, String> {
        let mut model = self.model.clone();
        let network = guarded(|| {
            model.set_input_fact(0, f32::fact([batch, 3, size, size]).into())?;
            in9_onnx::optimized(model)
        })?;
        let fact = network.output_fact(0).map_err(|e| e.to_string())?;
        let shape = fact.shape.as_concrete().ok_or_else(|| format!("an output of shape {:?}", fact.shape))?;
        let &[rows, outputs] = shape else { return Err(format!("an output of shape {shape:?}")) };
        if rows != batch || fact.datum_type != f32::datum_type() {
            return Err(format!("an output of {batch} pictures of shape {shape:?}, {:?}", fact.datum_type));
        }
        let network = guarded(|| network.into_runnable())?;
        Ok(Plan { network, batch, outputs })
    }
}

impl Plan {
    /// Scores of at most as many pictures as go through together, `[n, outputs]`.
    fn run(&self, planes: &[f32], size: usize) -> Result<Vec<f32>, String> {
        let one = 3 * size * size;
        let mut filled = planes.to_vec();
        while filled.len() < self.batch * one {
            filled.extend_from_slice(&planes[planes.len() - one..]);
        }
        let scores = guarded(|| -> TractResult<Vec<f32>> {
            let input = Tensor::from_shape(&[self.batch, 3, size, size], &filled)?;
            let answer = self.network.run(tvec!(input.into()))?;
            Ok(answer[0].to_plain_array_view::<f32>()?.iter().copied().collect())
        })?;
        Ok(scores[..planes.len() / one * self.outputs].to_vec())
    }
}

impl Scorer for Onnx {
    fn about(&self) -> &About {
        &self.about
    }

    fn score(&mut self, planes: &[f32], _: usize, size: usize) -> Result<Vec<f32>> {
        let plan = self.plan(size)?;
        let together = planes.par_chunks(plan.batch * 3 * size * size);
        let scores: Result<Vec<Vec<f32>>, String> = together.map(|planes| plan.run(planes, size)).collect();
        match scores {
            Ok(scores) => Ok(scores.concat()),
            Err(found) => Err(Error::file(&self.path, "its network failed", "scores", found)),
        }
    }
}
