//! From a weight file to a network: every name and shape fits, or nothing is loaded.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::fault::{Checked, Fault, fault, shown};
use super::limits::Limits;
use super::state_dict::{RawTensor, StateDict};
use super::{WeightFile, read};
use crate::error::Result;
use crate::init::Init;
use crate::model::{Model, build};
use crate::params::Params;
use crate::registry;

/// What happens to the classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// It comes from the file, which also decides the number of classes.
    FromFile,
    /// It is replaced by a fresh one, for fine-tuning on other classes.
    Fresh {
        /// Outputs of the new classifier.
        classes: usize,
        /// Seed of its initial values, uniform in `±1 / sqrt(inputs)` as PyTorch starts one.
        seed: u64,
    },
    /// It is taken off, or was not in the file: the outputs are what would go into it, unchanged.
    Removed,
}

/// The network `arch` with the weights of the file at `path`, frozen or `trainable`, and what was
/// undone to get at them.
///
/// # Errors
/// Those of [`read`](super::read) and [`load_from`].
pub fn load(
    arch: &str,
    path: &Path,
    head: Head,
    trainable: bool,
    device: &Device,
) -> Result<(Model, Vec<String>)> {
    let WeightFile { tensors, notes, .. } = read(path, &Limits::default())?;
    Ok((load_from(arch, path, tensors, head, trainable, device)?, notes))
}

/// The network `arch` with the weights `tensors`, which were read from `path`.
///
/// Names and shapes are compared before a value is read, so a file of another network costs no
/// memory. Batch norms' counters (`num_batches_tracked`) are dropped: nothing here uses them.
///
/// # Errors
/// [`Error::UnknownArchitecture`](crate::Error::UnknownArchitecture);
/// [`Error::Weights`](crate::Error::Weights) with the difference of names and shapes when they do
/// not fit, or the name of a parameter that is infinite or not a number.
pub fn load_from(
    arch: &str,
    path: &Path,
    tensors: StateDict,
    head: Head,
    trainable: bool,
    device: &Device,
) -> Result<Model> {
    let architecture = registry::find(arch)?;
    let found = shapes(&tensors);
    let weight = format!("{}.weight", architecture.head);
    let has_head = found.contains_key(weight.as_str());
    let classes = found.get(weight.as_str()).and_then(|shape| shape.first().copied()).filter(|&n| n > 0);
    // A network without a classifier is built with one all the same.
    let classes = classes.or((head == Head::Removed && !has_head).then_some(1));
    let Some(classes) = classes else {
        return Err(difference(arch, &expected(arch, 1000, device)?, &found).at(path));
    };
    if classes > MOST_CLASSES {
        let (what, most) = (format!("classes of `{weight}`"), MOST_CLASSES as u64);
        return Err(Fault::AboveLimit { what, most, unit: "classes", found: classes as u64 }.at(path));
    }
    let mut expected = expected(arch, classes, device)?;
    let of_head = expected.get(&weight).cloned().unwrap_or_default();
    if !has_head {
        expected.remove(&weight);
        expected.remove(&format!("{}.bias", architecture.head));
    }
    let fits = expected.len() == found.len()
        && expected.iter().all(|(name, shape)| found.get(name.as_str()).is_some_and(|s| s == shape));
    if !fits {
        return Err(difference(arch, &expected, &found).at(path));
    }
    let mut values = HashMap::new();
    for (name, raw) in parameters(&tensors) {
        let tensor =
            Tensor::from_vec(finite(name, raw).map_err(|fault| fault.at(path))?, raw.shape(), device)?;
        values.insert(name.to_owned(), tensor);
    }
    let mut outputs = classes;
    match head {
        Head::FromFile => {}
        Head::Fresh { classes: wanted, seed } => {
            fresh_head(&mut values, architecture.head, wanted, seed, device)?;
            outputs = wanted;
        }
        Head::Removed => {
            outputs = of_head.get(1).copied().unwrap_or(0);
            let mut shape = of_head;
            shape.iter_mut().take(1).for_each(|rows| *rows = outputs);
            let (weight, bias) = identity_head(outputs, device)?;
            values.insert(format!("{}.weight", architecture.head), weight.reshape(shape)?);
            values.insert(format!("{}.bias", architecture.head), bias);
        }
    }
    let params = if trainable { Params::trainable } else { Params::frozen };
    build(arch, outputs, &params(values, DType::F32, device))
}

/// Most outputs of a network: ImageNet's largest edition has 21,843 classes.
const MOST_CLASSES: usize = 1 << 15;

/// The tensors that a network uses.
fn parameters(dict: &StateDict) -> impl Iterator<Item = (&str, &RawTensor)> {
    dict.iter().filter(|(name, _)| !name.ends_with(".num_batches_tracked"))
}

fn shapes(dict: &StateDict) -> HashMap<&str, &[usize]> {
    parameters(dict).map(|(name, raw)| (name, raw.shape())).collect()
}

/// The values of a parameter: the one place where numbers from a file become a network's.
///
/// # Errors
/// [`Fault::NotFinite`] for infinite values and those that are none: a network that computes with
/// them answers something, and every measure of it would be about nothing.
pub(crate) fn finite(name: &str, raw: &RawTensor) -> Checked<Vec<f32>> {
    let values = raw.to_f32().map_err(|wrong| match wrong {
        Fault::Malformed { expected, found, .. } => {
            fault(format!("tensor `{}`", shown(name)), expected, found)
        }
        other => other,
    })?;
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(values),
        Some(index) => Err(Fault::NotFinite { name: shown(name), index, value: values[index] }),
    }
}

/// Names and shapes that the architecture asks for.
fn expected(arch: &str, classes: usize, device: &Device) -> Result<BTreeMap<String, Vec<usize>>> {
    let params = Params::zeros(DType::F32, device);
    build(arch, classes, &params)?;
    Ok(params.made().into_iter().map(|p| (p.name, p.value.dims().to_vec())).collect())
}

fn fresh_head(
    tensors: &mut HashMap<String, Tensor>,
    head: &str,
    classes: usize,
    seed: u64,
    device: &Device,
) -> Result<()> {
    let weight = format!("{head}.weight");
    let Some(old) = tensors.get(&weight) else { return Ok(()) };
    let mut shape = old.dims().to_vec();
    shape[0] = classes;
    let inputs = shape.iter().skip(1).product::<usize>().max(1);
    let init = Init::Uniform { bound: 1.0 / (inputs as f64).sqrt() };
    for (name, shape) in [(weight, shape), (format!("{head}.bias"), vec![classes])] {
        let values = init.values(seed, &name, &shape);
        let tensor = Tensor::from_vec(values, shape, device)?.to_dtype(DType::F32)?;
        tensors.insert(name, tensor);
    }
    Ok(())
}

/// Weight `[width, width]` and bias `[width]` of a fully connected layer that hands on what it gets: ones times values plus
/// zeros are the values, bit by bit.
pub(crate) fn identity_head(width: usize, device: &Device) -> Result<(Tensor, Tensor)> {
    Ok((Tensor::eye(width, DType::F32, device)?, Tensor::zeros(width, DType::F32, device)?))
}

/// Refuses tensors that are not exactly those that the network `name` asks for.
#[cfg(feature = "transformers")]
pub(crate) fn check_shapes(
    name: &str,
    expected: &BTreeMap<String, Vec<usize>>,
    found: &BTreeMap<String, Vec<usize>>,
) -> Checked<()> {
    if expected == found {
        return Ok(());
    }
    let found = found.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
    Err(difference(name, expected, &found))
}

/// The difference of names and shapes.
fn difference(arch: &str, expected: &BTreeMap<String, Vec<usize>>, found: &HashMap<&str, &[usize]>) -> Fault {
    let mut missing = Vec::new();
    let mut reshaped = Vec::new();
    for (name, shape) in expected {
        match found.get(name.as_str()) {
            None => missing.push(format!("{name} {shape:?}")),
            Some(other) if other != shape => reshaped.push(format!("{name} {shape:?} is {other:?}")),
            Some(_) => {}
        }
    }
    let mut unused: Vec<String> = found
        .iter()
        .filter(|(name, _)| !expected.contains_key(**name))
        .map(|(name, shape)| format!("{} {shape:?}", shown(name)))
        .collect();
    unused.sort_unstable();
    let (expected, found) = (expected.len(), found.len());
    Fault::OtherArchitecture { arch: arch.to_owned(), missing, reshaped, unused, expected, found }
}
