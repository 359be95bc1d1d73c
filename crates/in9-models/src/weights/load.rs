//! From a weight file to a network: every name and shape fits, or nothing is loaded.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::fault::{Checked, fault};
use super::limits::Limits;
use super::state_dict::StateDict;
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
/// Batch norms' counters (`num_batches_tracked`) are dropped: nothing here uses them.
///
/// # Errors
/// [`Error::UnknownArchitecture`](crate::Error::UnknownArchitecture); [`Error::File`](crate::Error::File)
/// with the difference of names and shapes when they do not fit.
pub fn load_from(
    arch: &str,
    path: &Path,
    tensors: StateDict,
    head: Head,
    trainable: bool,
    device: &Device,
) -> Result<Model> {
    let architecture = registry::find(arch)?;
    let at = |fault: super::fault::Fault| fault.at(path);
    let mut tensors = to_tensors(tensors, device).map_err(at)?;
    let weight = format!("{}.weight", architecture.head);
    let classes = tensors.get(&weight).and_then(|t| t.dims().first().copied());
    let Some(mut classes) = classes.filter(|&n| n > 0) else {
        let expected = expected(arch, 1000, device)?;
        return Err(difference(arch, &expected, &tensors).at(path));
    };
    if let Head::Fresh { classes: wanted, seed } = head {
        fresh_head(&mut tensors, architecture.head, wanted, seed, device)?;
        classes = wanted;
    }
    let expected = expected(arch, classes, device)?;
    let fits = expected.len() == tensors.len()
        && expected.iter().all(|(name, shape)| tensors.get(name).is_some_and(|t| t.dims() == shape));
    if !fits {
        return Err(difference(arch, &expected, &tensors).at(path));
    }
    let params = if trainable { Params::trainable } else { Params::frozen };
    build(arch, classes, &params(tensors, DType::F32, device))
}

fn to_tensors(dict: StateDict, device: &Device) -> Checked<HashMap<String, Tensor>> {
    dict.iter()
        .filter(|(name, _)| !name.ends_with(".num_batches_tracked"))
        .map(|(name, raw)| {
            let wrong = |found: String| fault(format!("tensor `{name}`"), "floating-point numbers", found);
            let values = raw.to_f32().ok_or_else(|| wrong(format!("{:?}", raw.dtype)))?;
            let tensor = Tensor::from_vec(values, raw.shape.as_slice(), device);
            Ok((name.to_owned(), tensor.map_err(|e| wrong(e.to_string()))?))
        })
        .collect()
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

/// The difference of names and shapes, the first few of each kind.
fn difference(
    arch: &str,
    expected: &BTreeMap<String, Vec<usize>>,
    found: &HashMap<String, Tensor>,
) -> super::fault::Fault {
    let mut missing = Vec::new();
    let mut reshaped = Vec::new();
    for (name, shape) in expected {
        match found.get(name) {
            None => missing.push(format!("{name} {shape:?}")),
            Some(t) if t.dims() != shape => {
                reshaped.push(format!("{name} {shape:?} is {:?}", t.dims()));
            }
            Some(_) => {}
        }
    }
    let mut extra: Vec<String> = found
        .iter()
        .filter(|(name, _)| !expected.contains_key(*name))
        .map(|(name, t)| format!("{name} {:?}", t.dims()))
        .collect();
    extra.sort_unstable();
    fault(
        format!(
            "the weights are not those of {arch}; nothing was loaded. {}; {}; {}",
            some("missing", &missing),
            some("of another shape", &reshaped),
            some("left over", &extra)
        ),
        format!("{} tensors", expected.len()),
        format!("{}", found.len()),
    )
}

fn some(kind: &str, names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut line = format!("{} {kind}", names.len());
    if !names.is_empty() {
        let shown = &names[..names.len().min(SHOWN)];
        line = format!("{line}: {}{}", shown.join(", "), if names.len() > SHOWN { ", …" } else { "" });
    }
    line
}
