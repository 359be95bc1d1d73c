//! Stochastic gradient descent with momentum.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, DType, Storage, Tensor, Var};
use in9_kernels::{SgdStep, sgd_step};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::params::{Kind, Parameter};
use crate::train::Decay;

/// SGD as PyTorch defines it: with `d = g + weight_decay · p`, the momentum is
/// `v ← momentum · v + d` and the step `p ← p - rate · (d + momentum · v)` with Nesterov, else
/// `p ← p - rate · v`.
///
/// On the CPU and on a GPU one pass over gradient, momentum and parameter does it all; other types are composed of
/// Candle's operations.
pub struct Sgd {
    slots: Vec<Slot>,
    momentum: f64,
    nesterov: bool,
}

struct Slot {
    name: String,
    variable: Var,
    decay: f64,
    velocity: Velocity,
}

enum Velocity {
    /// Row-major f32 values beside a parameter on the CPU.
    Host(Vec<f32>),
    /// A variable beside an f32 parameter on a GPU that in9-cuda opened.
    #[cfg(feature = "cuda")]
    Device(Var),
    /// Anything else.
    Tensor(Tensor),
}

impl Velocity {
    /// Zeros for a parameter.
    fn new(parameter: &Var) -> Result<Self> {
        if parameter.device().is_cpu() && parameter.dtype() == DType::F32 {
            return Ok(Self::Host(vec![0.0; parameter.elem_count()]));
        }
        let zeros = parameter.as_detached_tensor().zeros_like()?;
        #[cfg(feature = "cuda")]
        if parameter.dtype() == DType::F32 && in9_cuda::device::Gpu::of(parameter).is_some() {
            return Ok(Self::Device(Var::from_tensor(&zeros)?));
        }
        Ok(Self::Tensor(zeros))
    }
}

impl Sgd {
    /// For the trained parameters among `parameters` (running statistics are left out).
    ///
    /// # Errors
    /// [`Error::Frozen`] when a parameter is no variable.
    pub fn new(
        parameters: &[Parameter],
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
        decay: Decay,
    ) -> Result<Self> {
        let mut slots = Vec::new();
        for parameter in parameters.iter().filter(|p| p.kind != Kind::Running) {
            let variable = parameter.variable.clone().ok_or_else(|| Error::Frozen(parameter.name.clone()))?;
            let decays = decay == Decay::All || parameter.kind == Kind::Weight;
            let velocity = Velocity::new(&variable)?;
            slots.push(Slot {
                name: parameter.name.clone(),
                variable,
                decay: if decays { weight_decay } else { 0.0 },
                velocity,
            });
        }
        Ok(Self { slots, momentum, nesterov })
    }

    /// Moves every parameter that has a gradient.
    ///
    /// # Errors
    /// When Candle refuses an operation.
    pub fn step(&mut self, gradients: &GradStore, rate: f64) -> Result<()> {
        let (momentum, nesterov) = (self.momentum, self.nesterov);
        #[cfg(feature = "cuda")]
        if let Some(Velocity::Device(velocity)) = self.slots.first().map(|slot| &slot.velocity) {
            // One upload for all parameters, and their kernels in order.
            let on_device = Tensor::new(&[rate as f32], velocity.device())?;
            return self.step_at(gradients, &on_device);
        }
        self.slots.par_iter_mut().try_for_each(|slot| match gradients.get(&slot.variable) {
            Some(gradient) => slot.step(gradient, rate, momentum, nesterov),
            None => Ok(()),
        })
    }

    /// [`Sgd::step`] on a GPU that in9-cuda opened, with the learning rate, `[1]`, on the device.
    #[cfg(feature = "cuda")]
    pub(crate) fn step_at(&self, gradients: &GradStore, rate: &Tensor) -> Result<()> {
        for slot in &self.slots {
            if let Some(gradient) = gradients.get(&slot.variable) {
                slot.step_on_gpu(gradient, rate, self.momentum, self.nesterov)?;
            }
        }
        Ok(())
    }

    /// The momentum of each parameter, by the parameter's name.
    ///
    /// # Errors
    /// When Candle refuses to make a tensor.
    pub fn state(&self) -> Result<HashMap<String, Tensor>> {
        let mut state = HashMap::new();
        for slot in &self.slots {
            let tensor = match &slot.velocity {
                Velocity::Host(values) => {
                    let device = slot.variable.device();
                    Tensor::from_slice(values, slot.variable.shape(), device)?
                }
                #[cfg(feature = "cuda")]
                Velocity::Device(variable) => variable.as_detached_tensor(),
                Velocity::Tensor(tensor) => tensor.clone(),
            };
            state.insert(slot.name.clone(), tensor);
        }
        Ok(state)
    }

    /// Goes on from a state that [`Sgd::state`] gave.
    ///
    /// # Errors
    /// [`Error::Parameter`] when one is missing or has another shape.
    pub fn set_state(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        for slot in &mut self.slots {
            let shape = slot.variable.dims();
            let tensor = state.get(&slot.name).filter(|t| t.dims() == shape);
            let tensor = tensor.ok_or_else(|| Error::Parameter {
                name: slot.name.clone(),
                what: "no usable momentum in the checkpoint",
                expected: format!("{shape:?}"),
                found: match state.get(&slot.name) {
                    Some(tensor) => format!("{:?}", tensor.dims()),
                    None => "none".to_owned(),
                },
            })?;
            match &mut slot.velocity {
                Velocity::Host(values) => *values = tensor.flatten_all()?.to_vec1()?,
                #[cfg(feature = "cuda")]
                Velocity::Device(own) => own.set(&tensor.to_dtype(DType::F32)?.to_device(own.device())?)?,
                Velocity::Tensor(own) => {
                    *own = tensor.to_dtype(own.dtype())?.to_device(own.device())?;
                }
            }
        }
        Ok(())
    }
}

impl Slot {
    fn step(&mut self, gradient: &Tensor, rate: f64, momentum: f64, nesterov: bool) -> Result<()> {
        match &mut self.velocity {
            Velocity::Host(velocity) => {
                let step = SgdStep { rate, momentum, nesterov, weight_decay: self.decay };
                Ok(sgd_step(&self.variable, gradient, velocity, &step)?)
            }
            #[cfg(feature = "cuda")]
            Velocity::Device(velocity) => {
                let on_device = Tensor::new(&[rate as f32], velocity.device())?;
                self.step_on_gpu(gradient, &on_device, momentum, nesterov)
            }
            Velocity::Tensor(velocity) => {
                let parameter = self.variable.as_detached_tensor();
                let d = (gradient + (&parameter * self.decay)?)?;
                let v = ((&*velocity * momentum)? + &d)?;
                let moved = if nesterov { (d + (&v * momentum)?)? } else { v.clone() };
                *velocity = v;
                Ok(self.variable.set(&(parameter - (moved * rate)?)?)?)
            }
        }
    }
}

#[cfg(feature = "cuda")]
impl Slot {
    /// `rate` is on the device.
    fn step_on_gpu(&self, gradient: &Tensor, rate: &Tensor, momentum: f64, nesterov: bool) -> Result<()> {
        let Velocity::Device(velocity) = &self.velocity else { return Ok(()) };
        let step = SgdStep { rate: 0.0, momentum, nesterov, weight_decay: self.decay };
        Ok(in9_kernels::sgd_step_on_gpu(&self.variable, gradient, velocity, rate, &step)?)
    }
}

/// Whether every value of a CPU or device tensor is finite.
pub(crate) fn is_finite(tensor: &Tensor) -> Result<bool> {
    let (storage, layout) = tensor.storage_and_layout();
    if let (Storage::Cpu(CpuStorage::F32(values)), Some((from, to))) =
        (&*storage, layout.contiguous_offsets())
    {
        return Ok(values[from..to].iter().all(|v| v.is_finite()));
    }
    drop(storage);
    let sum = tensor.abs()?.sum_all()?.to_dtype(DType::F64)?;
    Ok(sum.to_scalar::<f64>()?.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, Params};
    use candle_core::Device;

    /// `loss = sum(c · p)`, so the gradient is the constant `c`.
    fn run(dtype: DType, nesterov: bool, decay: Decay) -> (Vec<f64>, Vec<f64>) {
        let params = Params::random(0, dtype, &Device::Cpu);
        let weight = params.get("w", &[3], Kind::Weight, Init::Constant(1.0)).unwrap();
        let bias = params.get("b", &[2], Kind::Bias, Init::Constant(-2.0)).unwrap();
        let mut sgd = Sgd::new(&params.made(), 0.9, nesterov, 0.1, decay).unwrap();
        let slope = |values: &[f64]| Tensor::new(values, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        for step in 0..3 {
            let a = (&weight.value * slope(&[1.0, -2.0, 0.5])).unwrap().sum_all().unwrap();
            let b = (&bias.value * slope(&[0.25, 4.0])).unwrap().sum_all().unwrap();
            let gradients = (a + b).unwrap().backward().unwrap();
            sgd.step(&gradients, 0.1 / f64::from(step + 1)).unwrap();
        }
        let values = |t: &Tensor| t.to_dtype(DType::F64).unwrap().to_vec1().unwrap();
        (values(&weight.value), values(&bias.value))
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 2e-6, "{found:?} for {expected:?}");
        }
    }

    // Numbers of tests/oracles/training.py: torch.optim.SGD in f64.
    const NESTEROV: ([f64; 3], [f64; 2]) =
        ([0.5206582084999999, 1.8279540035, 0.7385408410000001], [-2.02178826325, -3.655908007]);
    const PLAIN: ([f64; 3], [f64; 2]) =
        ([0.6877265, 1.5393815000000002, 0.829669], [-2.0713333333333335, -3.1413333333333333]);

    #[test]
    fn equals_pytorch_with_and_without_nesterov() {
        for dtype in [DType::F32, DType::F64] {
            let (weight, bias) = run(dtype, true, Decay::All);
            assert_near(&weight, &NESTEROV.0);
            assert_near(&bias, &NESTEROV.1);
            let (weight, bias) = run(dtype, false, Decay::Weights);
            assert_near(&weight, &PLAIN.0);
            assert_near(&bias, &PLAIN.1);
        }
    }

    #[test]
    fn state_goes_round() {
        let params = Params::random(0, DType::F32, &Device::Cpu);
        let w = params.get("w", &[2], Kind::Weight, Init::Constant(1.0)).unwrap();
        let mut a = Sgd::new(&params.made(), 0.9, true, 0.0, Decay::All).unwrap();
        let gradients = w.value.sum_all().unwrap().backward().unwrap();
        a.step(&gradients, 0.1).unwrap();
        let mut b = Sgd::new(&params.made(), 0.9, true, 0.0, Decay::All).unwrap();
        b.set_state(&a.state().unwrap()).unwrap();
        let velocity = |sgd: &Sgd| sgd.state().unwrap()["w"].to_vec1::<f32>().unwrap();
        assert_eq!(velocity(&b), [1.0, 1.0]);
        assert!(b.set_state(&HashMap::new()).unwrap_err().to_string().starts_with("w: "));
    }

    #[test]
    fn infinities_are_seen() {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        assert!(is_finite(&tensor(&[1.0, -3.0])).unwrap());
        assert!(!is_finite(&tensor(&[1.0, f32::NAN])).unwrap());
        let strided = Tensor::new(&[[1.0f32, f32::INFINITY], [0.0, 1.0]], &Device::Cpu).unwrap();
        assert!(!is_finite(&strided.t().unwrap()).unwrap());
    }
}
