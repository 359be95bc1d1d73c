//! Which device computes: `cpu` or `cuda:N`.

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
    /// The CUDA device of this number, on Candle's operations.
    Cuda(usize),
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "cpu" => Ok(DeviceName::Cpu),
            "cuda" => Ok(DeviceName::Cuda(0)),
            _ => name
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(DeviceName::Cuda)
                .ok_or_else(|| Error::setting("device", "cpu or cuda:N", name)),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceName::Cpu => f.write_str("cpu"),
            DeviceName::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl DeviceName {
    /// `cpu` or `cuda`, without the number.
    pub fn kind(self) -> &'static str {
        match self {
            DeviceName::Cpu => "cpu",
            DeviceName::Cuda(_) => "cuda",
        }
    }

    /// Opens the device. Never falls back to another one: whoever asks for a GPU wants to know
    /// that there is none.
    ///
    /// # Errors
    /// [`Error::Device`] when the program was built without CUDA or the device is not there.
    pub fn open(self) -> Result<Device> {
        match self {
            DeviceName::Cpu => Ok(Device::Cpu),
            DeviceName::Cuda(_) if !cfg!(feature = "cuda") => Err(Error::Device {
                device: self.to_string(),
                why: "this program was built without CUDA (feature `cuda` or `cudnn` of in9-models)"
                    .to_owned(),
            }),
            DeviceName::Cuda(number) => Device::new_cuda(number).map_err(|e| Error::Device {
                device: self.to_string(),
                why: format!("cannot be opened ({e}); `nvidia-smi` shows the devices there are"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["cpu", "cuda:0", "cuda:12"] {
            assert_eq!(name.parse::<DeviceName>().unwrap().to_string(), name);
        }
        assert!("gpu".parse::<DeviceName>().is_err());
        assert!("cuda:".parse::<DeviceName>().is_err());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_feature_is_named() {
        let error = DeviceName::Cuda(0).open().unwrap_err().to_string();
        assert!(error.starts_with("cuda:0: "), "{error}");
        assert!(error.contains("feature `cuda`"), "{error}");
    }
}
