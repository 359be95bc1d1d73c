//! Access to the elements of f32 tensors on the CPU, which is what the fused kernels work on.

use candle_core::{CpuStorage, DType, Device, Layout, Shape, Storage, Tensor};

/// Whether the fused kernels support these tensors: all hold f32 and lie on the CPU.
pub(crate) fn supported(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.dtype() == DType::F32 && t.device().is_cpu())
}

/// Whether any of the tensors needs a gradient.
pub(crate) fn requires_grad(tensors: &[&Tensor]) -> bool {
    tensors.iter().any(|t| t.track_op())
}

/// The elements of a contiguous CPU tensor inside a custom operation.
pub(crate) fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("kernel called with a strided tensor"),
    }
}

/// Runs `f` on the elements of an f32 CPU tensor in row-major order. Only a strided tensor is copied.
pub(crate) fn with_slice<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> R) -> candle_core::Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(slice(storage, layout)?)),
        _ => candle_core::bail!("kernel called with a tensor that is not on the CPU"),
    }
}

/// [`with_slice`] for several tensors, each of which may be absent.
pub(crate) fn with_slices<const N: usize, R>(
    tensors: [Option<&Tensor>; N],
    f: impl FnOnce([Option<&[f32]>; N]) -> R,
) -> candle_core::Result<R> {
    let mut contiguous: [Option<Tensor>; N] = [const { None }; N];
    for (to, tensor) in contiguous.iter_mut().zip(tensors) {
        *to = tensor.map(Tensor::contiguous).transpose()?;
    }
    let held = contiguous.each_ref().map(|tensor| tensor.as_ref().map(Tensor::storage_and_layout));
    let mut slices = [None; N];
    for (to, held) in slices.iter_mut().zip(&held) {
        if let Some((storage, layout)) = held {
            *to = match &**storage {
                Storage::Cpu(storage) => Some(slice(storage, layout)?),
                _ => candle_core::bail!("kernel called with a tensor that is not on the CPU"),
            };
        }
    }
    Ok(f(slices))
}

/// A CPU tensor that owns `data` and is no part of the autograd graph.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> candle_core::Result<Tensor> {
    Tensor::from_vec(data, shape.into(), &Device::Cpu)
}

/// The gradient with respect to a bias: the sum of each channel over images and pixels. Sums are
/// computed in f64, so that their order hardly affects the f32 result.
pub(crate) fn channel_sums(dy: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let mut sums = vec![0f64; channels];
    if channels * plane == 0 {
        return vec![0f32; channels];
    }
    for image in dy.chunks_exact(channels * plane) {
        for (sum, plane) in sums.iter_mut().zip(image.chunks_exact(plane)) {
            *sum += plane.iter().map(|&v| f64::from(v)).sum::<f64>();
        }
    }
    sums.into_iter().map(|v| v as f32).collect()
}
