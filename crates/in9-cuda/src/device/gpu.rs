//! Devices that are open, with their kernels and their convolutions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// Whether work that repeats is launched as a captured graph ([`Replay`](super::Replay)); the bits are the same.
    pub graphs: bool,
}

impl Default for Settings {
    /// f32 with TF32 products, the same bits each time, graphs.
    fn default() -> Self {
        Self { bf16: false, tf32: true, fast: false, graphs: true }
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
    /// While launches are captured, what lasts longer than the graph may not be made.
    capturing: Arc<AtomicBool>,
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
    let capturing = Arc::new(AtomicBool::new(false));
    let gpu = Arc::new(Gpu {
        convolutions: Mutex::new(Convolutions::new(stream.clone(), settings, capturing.clone())?),
        context: stream.context().clone(),
        stream,
        module,
        functions: Mutex::default(),
        settings,
        info,
        maps: Mutex::default(),
        capturing,
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
    let Some(pool) = pool(context)? else { return Ok(()) };
    let mut all = u64::MAX;
    let threshold = sys::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: the pool is the device's own; 64 bits are read, which the attribute is documented to have.
    unsafe { sys::cuMemPoolSetAttribute(pool, threshold, std::ptr::from_mut(&mut all).cast()) }.result()?;
    Ok(())
}

/// The pool that the device's memory is taken from; none where there is no such thing.
fn pool(context: &CudaContext) -> Result<Option<sys::CUmemoryPool>> {
    if !context.has_async_alloc() {
        return Ok(None);
    }
    let mut pool = std::ptr::null_mut();
    // SAFETY: the context's device is valid; one handle is written.
    unsafe { sys::cuDeviceGetDefaultMemPool(&mut pool, context.cu_device()) }.result()?;
    Ok(Some(pool))
}

/// Bytes that the pool keeps although nothing uses them.
fn kept(context: &CudaContext) -> Result<usize> {
    use sys::CUmemPool_attribute::{
        CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT as RESERVED, CU_MEMPOOL_ATTR_USED_MEM_CURRENT as USED,
    };
    let Some(pool) = pool(context)? else { return Ok(0) };
    let bytes = |attribute| -> Result<u64> {
        let mut bytes = 0u64;
        // SAFETY: the pool is the device's own; 64 bits are written, which both attributes are documented to have.
        unsafe { sys::cuMemPoolGetAttribute(pool, attribute, std::ptr::from_mut(&mut bytes).cast()) }
            .result()?;
        Ok(bytes)
    };
    Ok(bytes(RESERVED)?.saturating_sub(bytes(USED)?) as usize)
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
        let (free, all) = self.context.mem_get_info()?;
        Ok((free + kept(&self.context)?, all))
    }

    /// Gives memory that nothing uses back to the driver, so that a graph can have it.
    pub(super) fn trim_pool(&self) {
        if let Ok(Some(pool)) = pool(&self.context) {
            // SAFETY: the pool is the device's own; what is in use stays. A refusal changes nothing.
            let _ = unsafe { sys::cuMemPoolTrimTo(pool, 0) };
        }
    }

    /// Gives the memory of graphs that are gone back to the driver.
    pub(super) fn trim_graphs(&self) {
        if self.synchronize().is_ok() {
            // SAFETY: the device is valid; memory of graphs that are there stays. A refusal changes nothing.
            let _ = unsafe { sys::cuDeviceGraphMemTrim(self.context.cu_device()) };
        }
    }

    /// Whether launches are captured now.
    pub(super) fn is_capturing(&self) -> bool {
        self.capturing.load(Ordering::Relaxed)
    }

    pub(super) fn set_capturing(&self, capturing: bool) {
        self.capturing.store(capturing, Ordering::Relaxed);
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
