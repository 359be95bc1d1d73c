//! An ONNX file, run by tract.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use in9_data::Normalization;
use rayon::prelude::*;
use tract_onnx::prelude::*;

use super::{About, Outputs, Scorer, Scores};
use crate::error::{Error, Result};

/// A file larger than this is none of ours: no classifier comes near it.
const LARGEST: u64 = 4 << 30;

type Plan = Arc<TypedRunnableModel>;

/// A classifier in an ONNX file with one input `[n, 3, height, width]` and the scores as its first output.
pub struct Onnx {
    path: PathBuf,
    bytes: Vec<u8>,
    normalization: Normalization,
    about: About,
    /// By the side of the pictures, which are run one by one: a plan is for one shape.
    plans: HashMap<usize, Plan>,
}

impl Onnx {
    /// Opens the file at `path`, whose inputs are pictures of `size` pixels a side, normalised by `normalization`.
    ///
    /// # Errors
    /// [`Error::File`] if it is no such network; [`Error::Base`] if it cannot be read.
    pub fn open(path: &Path, normalization: Normalization, size: usize) -> Result<Self> {
        let bytes = in9_base::files::read(path, LARGEST)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let about = About {
            trained_on: String::new(),
            arch: "onnx".to_owned(),
            origin: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            digest: blake3::hash(&bytes).to_hex().to_string(),
            outputs: Outputs::Count(0),
            scores: Scores::Logits,
            name,
        };
        let mut onnx = Self { path: path.to_owned(), bytes, normalization, about, plans: HashMap::new() };
        let plan = onnx.plan(size)?;
        let scores = onnx.run(&plan, &vec![0; 3 * size * size], size)?;
        onnx.about.outputs = Outputs::Count(scores.len());
        Ok(onnx)
    }

    fn plan(&mut self, size: usize) -> Result<Plan> {
        if let Some(plan) = self.plans.get(&size) {
            return Ok(plan.clone());
        }
        let build = || -> TractResult<Plan> {
            let model = tract_onnx::onnx().model_for_read(&mut &self.bytes[..])?;
            let fact = InferenceFact::dt_shape(f32::datum_type(), [1, 3, size, size]);
            model.with_input_fact(0, fact)?.into_optimized()?.into_runnable()
        };
        let plan = build().map_err(|e| {
            let what = format!("not a classifier of pictures of {size} by {size} pixels ({e})");
            Error::file(&self.path, what, "an input [n, 3, height, width]", "something else")
        })?;
        self.plans.insert(size, plan.clone());
        Ok(plan)
    }

    /// Scores of one picture.
    fn run(&self, plan: &Plan, rgb: &[u8], size: usize) -> Result<Vec<f32>> {
        let plane = size * size;
        let mut values = vec![0.0f32; 3 * plane];
        for (pixel, colours) in rgb.chunks_exact(3).enumerate() {
            for (channel, &byte) in colours.iter().enumerate() {
                values[channel * plane + pixel] = f32::from(byte) / 255.0;
            }
        }
        self.normalization.values(&mut values, plane);
        let run = || -> TractResult<Vec<f32>> {
            let input = Tensor::from_shape(&[1, 3, size, size], &values)?;
            let outputs = plan.run(tvec!(input.into_tvalue()))?;
            Ok(outputs[0].cast_to::<f32>()?.try_as_plain()?.as_slice::<f32>()?.to_vec())
        };
        run().map_err(|e| Error::file(&self.path, format!("cannot be run ({e})"), "scores", "a failure"))
    }
}

impl Scorer for Onnx {
    fn about(&self) -> &About {
        &self.about
    }

    fn score(&mut self, rgb: &[u8], _: usize, size: usize) -> Result<Vec<f32>> {
        let plan = self.plan(size)?;
        let pictures: Result<Vec<Vec<f32>>> =
            rgb.par_chunks_exact(3 * size * size).map(|picture| self.run(&plan, picture, size)).collect();
        Ok(pictures?.concat())
    }
}
