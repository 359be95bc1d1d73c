//! Devices that are open, with their kernels and their convolutions.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use candle_core::{Device, Tensor};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaStream, sys};
use cudarc::nvrtc::Ptx;

use super::conv::Convolutions;
use super::{Error, Info, Result};

/// The kernels, compiled by the build script: machine code for sm_80 and sm_90, and PTX for what comes after them.
static KERNELS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/in9.fatbin"));

/// How a device computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Whether activations are bf16; parameters, statistics and sums stay f32.
    pub bf16: bool,
    /// Whether products of f32 may be rounded to TF32's ten bits first, as in every framework's default.
    pub tf32: bool,
    /// Whether algorithms may give other last digits each time.
    pub fast: bool,
}

impl Default for Settings {
    /// f32 with TF32 products, the same bits each time.
    fn default() -> Self {
        Self { bf16: false, tf32: true, fast: false }
    }
}

/// An open device.
pub struct Gpu {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    module: Arc<CudaModule>,
    functions: Mutex<HashMap<String, CudaFunction>>,
    convolutions: Mutex<Convolutions>,
    settings: Settings,
    info: Info,
    /// Maps of channels that are on the device already.
    pub(super) maps: Mutex<HashMap<Vec<i32>, Tensor>>,
}

static OPEN: LazyLock<Mutex<HashMap<candle_core::cuda_backend::DeviceId, Arc<Gpu>>>> =
    LazyLock::new(Mutex::default);

/// A lock whose content a panic of another thread cannot have left half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the device of this number.
///
/// # Errors
/// [`Error::Device`] with one line that says what is wrong: there is no such device, it is too old, the driver is
/// older than these kernels.
pub fn open(number: usize, settings: Settings) -> Result<(Device, Arc<Gpu>)> {
    let devices = CudaContext::device_count().map_err(no_device)?;
    if number >= devices.unsigned_abs() as usize {
        let there = match devices {
            0 => "there is no GPU".to_owned(),
            1 => "there is one GPU, number 0".to_owned(),
            n => format!("there are {n} GPUs, numbers 0 to {}", n - 1),
        };
        return Err(Error::Device(format!("{there}; `nvidia-smi` lists them")));
    }
    // Asked before Candle opens it, because Candle's own kernels fail on an old device with a stranger message.
    let context = CudaContext::new(number)?;
    let info = Info::of(&context)?;
    info.check()?;
    let device = Device::new_cuda_with_stream(number)?;
    let cuda = device.as_cuda_device()?;
    // SAFETY: everything of this device runs on the one stream of `cuda`, which needs no events to be in order.
    unsafe { cuda.disable_event_tracking() };
    keep_freed_memory(&context)?;
    let stream = cuda.cuda_stream();
    let module = stream.context().load_module(Ptx::from_binary(KERNELS.to_vec())).map_err(|error| {
        Error::Device(format!(
            "{}: the driver (for CUDA {}.{}) cannot load these kernels ({error:?}); a newer driver is needed",
            info.name,
            info.driver / 1000,
            info.driver % 1000 / 10
        ))
    })?;
    let gpu = Arc::new(Gpu {
        convolutions: Mutex::new(Convolutions::new(stream.clone(), settings)?),
        context: stream.context().clone(),
        stream,
        module,
        functions: Mutex::default(),
        settings,
        info,
        maps: Mutex::default(),
    });
    lock(&OPEN).insert(cuda.id(), gpu.clone());
    Ok((device, gpu))
}

fn no_device(error: cudarc::driver::DriverError) -> Error {
    use sys::CUresult::{CUDA_ERROR_NO_DEVICE, CUDA_ERROR_STUB_LIBRARY};
    Error::Device(match error.0 {
        CUDA_ERROR_NO_DEVICE => {
            "there is no GPU that CUDA's driver knows; `nvidia-smi` lists them".to_owned()
        }
        CUDA_ERROR_STUB_LIBRARY => "libcuda.so.1 is a stub to build with, not the driver".to_owned(),
        _ => format!("CUDA's driver does not start ({error:?})"),
    })
}

/// Has the driver keep memory that is freed: the next step needs as much again.
fn keep_freed_memory(context: &CudaContext) -> Result<()> {
    if !context.has_async_alloc() {
        return Ok(());
    }
    let mut pool = std::ptr::null_mut();
    let mut all = u64::MAX;
    let threshold = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the context's device is valid; the first call writes one handle, the second reads the 64 bits that the
    // attribute is documented to have.
    unsafe {
        sys::cuDeviceGetDefaultMemPool(&mut pool, context.cu_device()).result()?;
        sys::cuMemPoolSetAttribute(pool, threshold, std::ptr::from_mut(&mut all).cast()).result()?;
    }
    Ok(())
}

impl Gpu {
    /// The open device that a tensor is on; none on a CPU, or on a device that was opened otherwise.
    pub fn of(tensor: &Tensor) -> Option<Arc<Self>> {
        let device = tensor.device().as_cuda_device().ok()?;
        lock(&OPEN).get(&device.id()).cloned()
    }

    /// How it computes.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// What it is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The one stream that everything runs on.
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.stream
    }

    /// Bytes of memory that nothing uses, and all.
    ///
    /// # Errors
    /// Those of the driver.
    pub fn free_memory(&self) -> Result<(usize, usize)> {
        Ok(self.context.mem_get_info()?)
    }

    /// Waits until everything that was launched is done.
    ///
    /// # Errors
    /// What went wrong in a kernel.
    pub fn synchronize(&self) -> Result<()> {
        Ok(self.stream.synchronize()?)
    }

    pub(super) fn convolutions(&self) -> MutexGuard<'_, Convolutions> {
        lock(&self.convolutions)
    }

    pub(super) fn function(&self, name: &str) -> Result<CudaFunction> {
        let mut functions = lock(&self.functions);
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let function = self.module.load_function(name)?;
        functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }
}
