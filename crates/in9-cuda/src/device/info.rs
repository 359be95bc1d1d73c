//! What results say of the device that they come from.

use cudarc::driver::{CudaContext, sys};

use super::{Error, Result};

/// The oldest architecture that the kernels are compiled for: Ampere, the first with bf16 and TF32.
const OLDEST: (i32, i32) = (8, 0);

/// A device, its driver and its libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The device's name, as its maker gives it.
    pub name: String,
    /// Its compute capability, major and minor.
    pub capability: (i32, i32),
    /// Its memory in bytes.
    pub memory: usize,
    /// Its multiprocessors.
    pub processors: usize,
    /// The newest CUDA that the driver knows: 13020 is 13.2.
    pub driver: i32,
    /// cuDNN's version: 92100 is 9.21.0.
    pub cudnn: usize,
}

impl std::fmt::Display for Info {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, capability: (major, minor), memory, driver, cudnn, .. } = self;
        let (gib, cuda) = (memory >> 30, format!("{}.{}", driver / 1000, driver % 1000 / 10));
        write!(f, "{name} (sm_{major}{minor}, {gib} GiB), driver for CUDA {cuda}, cuDNN {cudnn}")
    }
}

impl Info {
    pub(super) fn of(context: &CudaContext) -> Result<Self> {
        let mut driver = 0;
        // SAFETY: writes one integer to the address given.
        unsafe { sys::cuDriverGetVersion(&mut driver) }.result()?;
        let processors =
            context.attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
        Ok(Self {
            name: context.name()?,
            capability: context.compute_capability()?,
            memory: context.total_mem()?,
            processors: processors.unsigned_abs() as usize,
            driver,
            cudnn: cudarc::cudnn::result::get_version(),
        })
    }

    /// Refuses a device that the kernels are not made for.
    pub(super) fn check(&self) -> Result<()> {
        if self.capability >= OLDEST {
            return Ok(());
        }
        Err(Error::Device(format!(
            "{} is too old: its compute capability is {}.{}, and {}.{} (Ampere) is needed",
            self.name, self.capability.0, self.capability.1, OLDEST.0, OLDEST.1
        )))
    }
}
