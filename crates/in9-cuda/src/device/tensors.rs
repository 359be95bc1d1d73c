//! Candle's tensors as memory of the device.

use candle_core::cuda_backend::CudaStorageSlice;
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Layout, Shape, Storage, Tensor};
use cudarc::driver::DevicePtr;
use half::bf16;

use super::{Error, Gpu, Result};
use crate::launch::Element;
use crate::plan::convert;

/// Bytes that an access of a kernel may take at a time.
const ALIGNMENT: u64 = 16;

/// The element type that a kernel sees.
pub(super) fn element(tensor: &Tensor) -> Result<Element> {
    match tensor.dtype() {
        DType::F32 => Ok(Element::F32),
        DType::BF16 => Ok(Element::Bf16),
        DType::U8 => Ok(Element::U8),
        DType::U32 => Ok(Element::U32),
        DType::I32 => Ok(Element::I32),
        other => Err(Error::Unsupported(format!("no kernel takes tensors of {other:?}"))),
    }
}

fn address(storage: &CudaStorage, layout: &Layout) -> Result<u64> {
    macro_rules! of {
        ($($variant:ident)*) => {
            match &storage.slice {
                $(CudaStorageSlice::$variant(slice) => (slice.device_ptr(slice.stream()).0, size_of_each(slice)),)*
                _ => return Err(Error::Unsupported("a tensor of a type that no kernel takes".to_owned())),
            }
        };
    }
    let (start, size) = of!(F32 BF16 U8 U32 I32);
    Ok(start + (layout.start_offset() * size) as u64)
}

fn size_of_each<T>(_: &cudarc::driver::CudaSlice<T>) -> usize {
    size_of::<T>()
}

/// The address of a contiguous tensor's first element. It is valid as long as the tensor lives.
pub(super) fn pointer(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    if !layout.is_contiguous() {
        return Err(Error::Unsupported("a strided tensor".to_owned()));
    }
    match &*storage {
        Storage::Cuda(storage) => address(storage, layout),
        _ => Err(Error::Unsupported("a tensor that is on no GPU".to_owned())),
    }
}

/// The same values without a graph, contiguous, at an address that vectors can be loaded from.
pub(super) fn plain(tensor: &Tensor) -> Result<Tensor> {
    let tensor = tensor.detach().contiguous()?;
    if pointer(&tensor)?.is_multiple_of(ALIGNMENT) { Ok(tensor) } else { Ok(tensor.copy()?) }
}

/// A tensor of undefined content.
pub(super) fn room(like: &Tensor, element: Element, shape: impl Into<Shape>) -> Result<Tensor> {
    let (device, shape) = (like.device().as_cuda_device()?, shape.into());
    let len = shape.elem_count();
    // SAFETY: whoever asks for room has a plan write all of it before anything reads it; the emulator's tests hold
    // every plan to that.
    let storage = unsafe {
        match element {
            Element::F32 => wrapped::<f32>(device, len),
            Element::Bf16 => wrapped::<bf16>(device, len),
            Element::U8 => wrapped::<u8>(device, len),
            Element::U32 => wrapped::<u32>(device, len),
            Element::I32 => wrapped::<i32>(device, len),
        }
    }?;
    Ok(Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false))
}

/// # Safety
/// The content is undefined.
unsafe fn wrapped<T>(device: &CudaDevice, len: usize) -> Result<CudaStorage>
where
    T: candle_core::cuda_backend::CudaDType + cudarc::driver::DeviceRepr,
{
    // SAFETY: passed on to the caller. A buffer of no elements is none to the driver.
    let slice = unsafe { device.cuda_stream().alloc::<T>(len.max(1)) }?;
    Ok(CudaStorage::wrap_cuda_slice(slice, device.clone()))
}

/// A tensor of `[n, channels, h, w]` as what it is in memory: `[n, h, w, channels]`, contiguous, without a graph.
///
/// Nothing is copied if it lies so already.
pub(super) fn last(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    let x = x.detach();
    let (n, c, h, w) = x.dims4()?;
    let turned = x.permute((0, 2, 3, 1))?;
    // Of one channel or one pixel both layouts are the same.
    if turned.is_contiguous() {
        return plain(&turned);
    }
    let (x, element) = (plain(&x)?, element(&x)?);
    let y = room(&x, element, (n, h, w, c))?;
    gpu.run(&convert::transpose([element, element], [n, c, h * w]), &[Some(&x), Some(&y)])?;
    Ok(y)
}

/// The reverse of [`last`], as a view.
pub(super) fn first(x: &Tensor) -> Result<Tensor> {
    Ok(x.permute((0, 3, 1, 2))?)
}

/// Values as f32; nothing is done if they are.
pub(super) fn f32s(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    let x = plain(x)?;
    if x.dtype() == DType::F32 {
        return Ok(x);
    }
    let y = room(&x, Element::F32, x.shape())?;
    gpu.run(&convert::cast([element(&x)?, Element::F32], x.elem_count()), &[Some(&x), Some(&y)])?;
    Ok(y)
}
