//! What computes, and how exactly: `cpu`, `cuda:N` or `auto`, and the precision.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use crate::error::{Error, Result};

/// A device by name.
///
/// ```
/// use in9_models::DeviceName;
/// assert_eq!("cuda:1".parse::<DeviceName>()?, DeviceName::Cuda(1));
/// assert!(DeviceName::Cpu.open()?.is_cpu());
/// # Ok::<(), in9_models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceName {
    /// The processor, on this project's own kernels.
    #[default]
    Cpu,
    /// The CUDA device of this number, on in9-cuda's kernels and cuDNN.
    Cuda(usize),
    /// CUDA device 0 if this program was built for one and it can be opened, else the processor.
    Auto,
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "cpu" => Ok(DeviceName::Cpu),
            "cuda" => Ok(DeviceName::Cuda(0)),
            "auto" => Ok(DeviceName::Auto),
            _ => name
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(DeviceName::Cuda)
                .ok_or_else(|| Error::setting("device", "cpu, cuda:N or auto", name)),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceName::Cpu => f.write_str("cpu"),
            DeviceName::Cuda(number) => write!(f, "cuda:{number}"),
            DeviceName::Auto => f.write_str("auto"),
        }
    }
}

impl DeviceName {
    /// Opens the device with the usual precision: see [`Compute::open`].
    ///
    /// # Errors
    /// [`Error::Device`] when the program was built without CUDA or the device is not there.
    pub fn open(self) -> Result<Device> {
        Compute::from(self).open()
    }
}

/// What products and activations are rounded to. Parameters, statistics and sums are f32 everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Precision {
    /// f32: all that a processor has.
    F32,
    /// f32, the factors of convolutions and matrix products rounded to TF32's ten bits: usual on a GPU.
    Tf32,
    /// bf16 activations and factors.
    Bf16,
}

impl Precision {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::Bf16 => "bf16",
        }
    }
}

/// A device, and how it computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    /// The device.
    pub device: DeviceName,
    /// f32 on a processor and TF32 on a GPU where it is not given.
    pub precision: Option<Precision>,
    /// Whether a GPU may use algorithms whose last digits differ from one time to the next.
    pub fast: bool,
}

impl From<DeviceName> for Compute {
    fn from(device: DeviceName) -> Self {
        Self { device, ..Self::default() }
    }
}

impl Compute {
    /// Opens the device. Never falls back to another one unless [`DeviceName::Auto`] says so: whoever asks for a
    /// GPU wants to know that there is none.
    ///
    /// # Errors
    /// [`Error::Device`], one line, when the program was built without CUDA, the device is not there, too old, or
    /// its driver is; [`Error::Setting`] for a precision that it does not have.
    pub fn open(self) -> Result<Device> {
        match self.device {
            DeviceName::Cpu => match self.precision {
                None | Some(Precision::F32) => Ok(Device::Cpu),
                Some(other) => Err(Error::setting("precision", "f32 on a processor", other.name())),
            },
            DeviceName::Cuda(number) => self.open_gpu(number),
            DeviceName::Auto => self.resolved().0.open(),
        }
    }

    /// The same with the device that [`DeviceName::Auto`] stands for here, and why that is the processor where it is.
    pub fn resolved(self) -> (Self, Option<String>) {
        if self.device != DeviceName::Auto {
            return (self, None);
        }
        match self.open_gpu(0) {
            Ok(_) => (Self { device: DeviceName::Cuda(0), ..self }, None),
            Err(error) => (Self { device: DeviceName::Cpu, ..self }, Some(error.to_string())),
        }
    }

    #[cfg(not(feature = "cuda"))]
    fn open_gpu(self, number: usize) -> Result<Device> {
        Err(Error::Device {
            device: DeviceName::Cuda(number).to_string(),
            why: "this program was built without CUDA (feature `cuda` of in9-models)".to_owned(),
        })
    }

    #[cfg(feature = "cuda")]
    fn open_gpu(self, number: usize) -> Result<Device> {
        use in9_cuda::device::{Settings, open};
        let precision = self.precision.unwrap_or(Precision::Tf32);
        let settings = Settings {
            bf16: precision == Precision::Bf16,
            tf32: precision != Precision::F32,
            fast: self.fast,
            ..Settings::default()
        };
        // Matrix products are Candle's, whose choice is one for the process.
        candle_core::cuda::set_gemm_reduced_precision_f32(settings.tf32);
        let opened = open(number, settings);
        let (device, _) = opened.map_err(|error| Error::Device {
            device: DeviceName::Cuda(number).to_string(),
            why: error.to_string(),
        })?;
        Ok(device)
    }

    /// What results say of it: `cpu`; or `cuda`, the precision, and whether bits may differ, of the device that was
    /// opened.
    pub fn kind(self, device: &Device) -> String {
        if device.is_cpu() {
            return "cpu".to_owned();
        }
        let precision = self.precision.unwrap_or(Precision::Tf32).name();
        let fast = if self.fast { " fast" } else { "" };
        format!("cuda {precision}{fast}")
    }
}

/// The device of a tensor in a line, with its driver and libraries; none for a processor.
pub fn description(device: &Device) -> Option<String> {
    #[cfg(feature = "cuda")]
    {
        let probe = candle_core::Tensor::zeros(1, candle_core::DType::F32, device).ok()?;
        in9_cuda::device::Gpu::of(&probe).map(|gpu| gpu.info().to_string())
    }
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["cpu", "cuda:0", "cuda:12", "auto"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert!("gpu".parse::<DeviceName>().is_err());
        assert!("cuda:".parse::<DeviceName>().is_err());
    }

    #[test]
    fn a_processor_has_one_precision() {
        let compute = |precision| Compute { precision, ..Compute::default() };
        assert_eq!(compute(None).kind(&compute(Some(Precision::F32)).open().unwrap()), "cpu");
        let error = compute(Some(Precision::Bf16)).open().unwrap_err().to_string();
        assert!(error.contains("bf16") && error.contains("f32 on a processor"), "{error}");
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_feature_is_named() {
        let error = DeviceName::Cuda(0).open().unwrap_err().to_string();
        assert!(error.starts_with("cuda:0: "), "{error}");
        assert!(error.contains("feature `cuda`"), "{error}");
        assert!(DeviceName::Auto.open().unwrap().is_cpu());
        let (compute, why) = Compute::from(DeviceName::Auto).resolved();
        assert_eq!(compute.device, DeviceName::Cpu);
        assert!(why.is_some_and(|why| why.contains("feature `cuda`")));
    }
}
