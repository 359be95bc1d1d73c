//! A trained model and what it was trained for, from a run's folder or its weights.

use std::path::Path;

use candle_core::{DType, Device};
use in9_data::{Dataset, Normalization};

use crate::error::{Error, Result};
use crate::files;
use crate::mapping::{ClassMap, Mapping};
use crate::model::{Model, build};
use crate::params::Params;

/// A frozen model with its classes and preprocessing.
pub struct Trained {
    /// The model, frozen.
    pub model: Model,
    /// The run's name.
    pub name: String,
    /// The view it was trained on; empty if the weights do not say.
    pub trained_on: String,
    /// Class names in the order of the outputs; empty if the weights do not say.
    pub classes: Vec<String>,
    /// How its inputs are normalised.
    pub normalization: Normalization,
}

impl Trained {
    /// Loads `model.safetensors`, given as itself or as the folder of its run.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] when the file is damaged, was not written by a training, or
    /// is of another architecture than `arch`; [`Error::Parameter`] when tensors do not fit.
    pub fn load(path: &Path, arch: Option<&str>, device: &Device) -> Result<Self> {
        let file = if path.is_dir() { path.join("model.safetensors") } else { path.to_path_buf() };
        let (tensors, header) = files::read_model(&file)?;
        let header = header.ok_or_else(|| {
            let what = "the weights do not say what they are; give a file that `train` wrote";
            Error::file(&file, what, "a header with architecture and classes", "none")
        })?;
        if let Some(arch) = arch
            && arch != header.arch
        {
            let what = "the weights are of another architecture; leave --arch out";
            return Err(Error::file(&file, what, arch, header.arch));
        }
        let params = Params::frozen(tensors, DType::F32, device);
        let model = build(&header.arch, header.classes.len(), &params)?;
        if let Some(name) = params.unused().first() {
            let what = format!("{name} belongs to no layer of {}", header.arch);
            return Err(Error::file(&file, what, "only its own tensors", "more"));
        }
        Ok(Self {
            model,
            name: header.name,
            trained_on: header.trained_on,
            classes: header.classes,
            normalization: Normalization { mean: header.mean, std: header.std },
        })
    }

    /// Whether a training wrote the file.
    pub fn is_ours(file: &Path) -> bool {
        matches!(files::read_model(file), Ok((_, Some(_))))
    }

    /// How the model's outputs become the classes of `dataset`: they are these, or groups of their
    /// fine labels, which `mapping` joins.
    ///
    /// # Errors
    /// [`Error::Setting`] that shows the first difference.
    pub fn class_map(&self, dataset: &Dataset, mapping: Mapping) -> Result<ClassMap> {
        let refused = match self.check_classes(dataset) {
            Ok(()) => return Ok(ClassMap::identity(self.classes.len())),
            Err(error) => error,
        };
        ClassMap::groups(&self.classes, dataset.taxonomy(), mapping).map_err(|_| refused)
    }

    /// Whether the model's classes are the dataset's, in the same order.
    ///
    /// # Errors
    /// [`Error::Setting`] that shows the first difference.
    pub fn check_classes(&self, dataset: &Dataset) -> Result<()> {
        let theirs: Vec<&str> = dataset.taxonomy().classes.iter().map(|class| class.name.as_str()).collect();
        if self.classes == theirs {
            return Ok(());
        }
        let differ = |(a, b): &(&String, &&str)| a.as_str() != **b;
        let found = match self.classes.iter().zip(&theirs).find(differ) {
            Some((ours, theirs)) => format!("{ours} where the dataset has {theirs}"),
            None => format!("{} classes", self.classes.len()),
        };
        let expected = format!("the dataset's {} classes in their order", theirs.len());
        Err(Error::setting("--weights", expected, found))
    }
}
