//! The store of parameters that a network is built from.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::init::Init;

/// What a parameter is for; decides whether weight decay and gradients touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A kernel or matrix.
    Weight,
    /// An additive term of a convolution or linear layer.
    Bias,
    /// Scale or shift of a normalisation.
    Norm,
    /// A running mean or variance: saved with the model, never touched by the optimiser.
    Running,
}

/// One named tensor of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The name, as torchvision (or timm) has it: `layer1.0.conv1.weight`.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// The value; shares its storage with `variable`.
    pub value: Tensor,
    /// The variable that training moves; `None` when the model is frozen.
    pub variable: Option<Var>,
}

/// Where values come from.
enum Source {
    Random { seed: u64 },
    Zeros,
    Tensors(HashMap<String, Tensor>),
}

struct Store {
    source: Source,
    trainable: bool,
    dtype: DType,
    device: Device,
    made: Mutex<Vec<Parameter>>,
}

/// Gives layers their parameters by name, and remembers what it gave.
///
/// A handle on a shared store with a prefix: [`Params::at`] descends into a child. *Trainable*
/// stores hand out variables, whose operations Candle records for backward; *frozen* stores hand
/// out plain tensors, so evaluation keeps no graph and batch norms are folded once.
#[derive(Clone)]
pub struct Params {
    store: Arc<Store>,
    prefix: String,
    dropout: Option<f64>,
}

impl Params {
    /// Trainable parameters with initial values drawn from `seed`.
    pub fn random(seed: u64, dtype: DType, device: &Device) -> Self {
        Self::new(Source::Random { seed }, true, dtype, device)
    }

    /// Frozen parameters that are all zero: what an architecture asks for, without the work of
    /// drawing it.
    pub fn zeros(dtype: DType, device: &Device) -> Self {
        Self::new(Source::Zeros, false, dtype, device)
    }

    /// Frozen parameters with the values of `tensors`, by full name.
    pub fn frozen(tensors: HashMap<String, Tensor>, dtype: DType, device: &Device) -> Self {
        Self::new(Source::Tensors(tensors), false, dtype, device)
    }

    /// Trainable parameters that start with the values of `tensors`, by full name.
    pub fn trainable(tensors: HashMap<String, Tensor>, dtype: DType, device: &Device) -> Self {
        Self::new(Source::Tensors(tensors), true, dtype, device)
    }

    fn new(source: Source, trainable: bool, dtype: DType, device: &Device) -> Self {
        Self {
            store: Arc::new(Store {
                source,
                trainable,
                dtype,
                device: device.clone(),
                made: Mutex::new(Vec::new()),
            }),
            prefix: String::new(),
            dropout: None,
        }
    }

    /// The same store one level down: names get `name.` in front.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        Self { store: self.store.clone(), prefix: self.name(&name.to_string()), dropout: self.dropout }
    }

    /// The same, with this rate in every dropout layer instead of the architecture's own.
    pub fn with_dropout(self, rate: f64) -> Self {
        Self { dropout: Some(rate), ..self }
    }

    /// The rate that replaces the architecture's own in dropout layers.
    pub fn dropout(&self) -> Option<f64> {
        self.dropout
    }

    /// The full name of a parameter of this level.
    pub fn name(&self, name: &str) -> String {
        match (self.prefix.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}.{name}", self.prefix),
        }
    }

    /// The device that parameters are made on.
    pub fn device(&self) -> &Device {
        &self.store.device
    }

    /// The type of all parameters: `F32`, or `F64` for gradient checks.
    pub fn dtype(&self) -> DType {
        self.store.dtype
    }

    /// Whether the parameters are variables.
    pub fn is_trainable(&self) -> bool {
        self.store.trainable
    }

    /// The parameter `name` of this level with this shape.
    ///
    /// # Errors
    /// [`Error::Parameter`] when the weights lack it, hold it in another shape, or when two
    /// layers ask for one name.
    pub fn get(&self, name: &str, shape: &[usize], kind: Kind, init: Init) -> Result<Parameter> {
        let name = self.name(name);
        let store = &*self.store;
        let mut made = store.made();
        if made.iter().any(|p| p.name == name) {
            return Err(Error::Parameter {
                name,
                what: "asked for by two layers",
                expected: "one use of a name".into(),
                found: "a second".into(),
            });
        }
        let value = match &store.source {
            Source::Random { seed } => {
                let values = init.values(*seed, &name, shape);
                Tensor::from_vec(values, shape, &Device::Cpu)?
            }
            Source::Zeros => Tensor::zeros(shape, store.dtype, &store.device)?,
            Source::Tensors(tensors) => {
                let value = tensors.get(&name).ok_or_else(|| Error::Parameter {
                    name: name.clone(),
                    what: "not in the weights",
                    expected: format!("a tensor of shape {shape:?}"),
                    found: "none".into(),
                })?;
                if value.dims() != shape {
                    return Err(Error::Parameter {
                        name,
                        what: "wrong shape in the weights",
                        expected: format!("{shape:?}"),
                        found: format!("{:?}", value.dims()),
                    });
                }
                value.clone()
            }
        };
        let value = value.to_dtype(store.dtype)?.to_device(&store.device)?.contiguous()?.detach();
        let (value, variable) = if store.trainable {
            // A copy: a variable is changed in place, the source must not be.
            let variable = Var::from_tensor(&value.copy()?)?;
            let tracked = match kind {
                Kind::Running => variable.as_detached_tensor(),
                _ => variable.as_tensor().clone(),
            };
            (tracked, Some(variable))
        } else {
            (value, None)
        };
        let parameter = Parameter { name, kind, value, variable };
        made.push(parameter.clone());
        Ok(parameter)
    }

    /// Every parameter given out so far, in the order of the layers.
    pub fn made(&self) -> Vec<Parameter> {
        self.store.made().clone()
    }

    /// Names in the weights that no layer asked for, sorted.
    pub fn unused(&self) -> Vec<String> {
        match &self.store.source {
            Source::Random { .. } | Source::Zeros => Vec::new(),
            Source::Tensors(tensors) => {
                let mut left: BTreeMap<&str, ()> = tensors.keys().map(|name| (name.as_str(), ())).collect();
                for parameter in self.store.made().iter() {
                    left.remove(parameter.name.as_str());
                }
                left.into_keys().map(str::to_owned).collect()
            }
        }
    }
}

impl Store {
    fn made(&self) -> MutexGuard<'_, Vec<Parameter>> {
        // A panic while the list was held leaves a list that is still whole.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_and_given_once() {
        let params = Params::random(0, DType::F32, &Device::Cpu);
        let block = params.at("layer1").at(0);
        let weight = block.get("conv1.weight", &[2, 3], Kind::Weight, Init::Constant(1.5)).unwrap();
        assert_eq!(weight.name, "layer1.0.conv1.weight");
        assert_eq!(weight.value.to_vec2::<f32>().unwrap(), vec![vec![1.5; 3]; 2]);
        assert!(weight.variable.is_some());
        let again = block.get("conv1.weight", &[2, 3], Kind::Weight, Init::Constant(0.0));
        assert!(matches!(again, Err(Error::Parameter { .. })));
    }

    #[test]
    fn weights_are_checked_and_leftovers_named() {
        let one = Tensor::ones((2,), DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([("a".to_owned(), one.clone()), ("b".to_owned(), one)]);
        let params = Params::frozen(tensors, DType::F32, &Device::Cpu);
        let get = |name: &str, shape: &[usize]| params.get(name, shape, Kind::Bias, Init::Constant(0.0));
        assert!(get("a", &[3]).unwrap_err().to_string().contains("[3]"));
        assert!(get("c", &[2]).unwrap_err().to_string().starts_with("c: "));
        assert!(get("a", &[2]).unwrap().variable.is_none());
        assert_eq!(params.unused(), ["b"]);
    }

    #[test]
    fn training_does_not_touch_the_source() {
        let source = Tensor::zeros((2,), DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([("a".to_owned(), source.clone())]);
        let params = Params::trainable(tensors, DType::F32, &Device::Cpu);
        let a = params.get("a", &[2], Kind::Weight, Init::Constant(0.0)).unwrap();
        a.variable.unwrap().set(&(source.clone() + 1.0).unwrap()).unwrap();
        assert_eq!(source.to_vec1::<f32>().unwrap(), [0.0, 0.0]);
        assert_eq!(a.value.to_vec1::<f32>().unwrap(), [1.0, 1.0]);
    }
}
