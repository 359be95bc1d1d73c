//! Torch storages: flat arrays that strided tensors look into.

use std::rc::Rc;

use safetensors::Dtype;

use super::fault::{Checked, fault};
use super::state_dict::RawTensor;

/// Element type of a torch storage class, `FloatStorage` → `F32`.
pub(super) fn storage_dtype(class: &str) -> Option<Dtype> {
    Some(match class {
        "DoubleStorage" => Dtype::F64,
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::BOOL,
        _ => return None,
    })
}

/// Bytes of one element.
pub(super) fn element_bytes(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// A storage as the pickle declares it; its bytes are elsewhere in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StorageRef {
    /// Key under which the file keeps the bytes.
    pub(super) key: Rc<str>,
    pub(super) dtype: Dtype,
    /// Elements.
    pub(super) len: usize,
    /// First element, when this is a view into the storage `key` (files before 2017).
    pub(super) start: usize,
}

/// A tensor as the pickle declares it.
#[derive(Debug, Clone)]
pub(super) struct TensorRef {
    pub(super) storage: StorageRef,
    /// First element in the storage.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    /// Elements between neighbours along each axis.
    pub(super) stride: Vec<usize>,
}

impl TensorRef {
    /// Elements, when the tensor lies inside its storage; refused otherwise.
    pub(super) fn checked_len(&self, name: &str) -> Checked<usize> {
        let outside = || {
            fault(
                format!("tensor `{name}` reaches outside its storage"),
                format!("at most {} elements in storage `{}`", self.storage.len, self.storage.key),
                format!("shape {:?}, stride {:?}, offset {}", self.shape, self.stride, self.offset),
            )
        };
        if self.shape.len() != self.stride.len() || self.shape.len() > 16 {
            return Err(outside());
        }
        let mut len = 1usize;
        let mut last = self.offset;
        for (&size, &stride) in self.shape.iter().zip(&self.stride) {
            len = len.checked_mul(size).ok_or_else(outside)?;
            let reach = size.saturating_sub(1).checked_mul(stride).ok_or_else(outside)?;
            last = last.checked_add(reach).ok_or_else(outside)?;
        }
        if len > 0 && last >= self.storage.len {
            return Err(outside());
        }
        Ok(len)
    }

    /// Copies the elements out of the storage's bytes, row-major.
    pub(super) fn gather(&self, name: &str, bytes: &[u8]) -> Checked<RawTensor> {
        let len = self.checked_len(name)?;
        let dtype = self.storage.dtype;
        let width = element_bytes(dtype);
        let start = self.storage.start.saturating_mul(width);
        let end = self.storage.len.saturating_mul(width).saturating_add(start);
        let Some(bytes) = bytes.get(start..end) else {
            return Err(fault(
                format!("storage `{}` of tensor `{name}` is too short", self.storage.key),
                format!("{end} bytes"),
                format!("{}", bytes.len()),
            ));
        };
        let shape = self.shape.clone();
        let data = if len == 0 {
            Vec::new()
        } else if self.is_contiguous() {
            bytes[self.offset * width..(self.offset + len) * width].to_vec()
        } else {
            self.gather_strided(bytes, len, width)
        };
        Ok(RawTensor { dtype, shape, data })
    }

    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.stride).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        })
    }

    fn gather_strided(&self, bytes: &[u8], len: usize, width: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len * width);
        let mut at = vec![0usize; self.shape.len()];
        for _ in 0..len {
            let place: usize = at.iter().zip(&self.stride).map(|(i, s)| i * s).sum();
            let byte = (self.offset + place) * width;
            out.extend_from_slice(&bytes[byte..byte + width]);
            for axis in (0..at.len()).rev() {
                at[axis] += 1;
                if at[axis] < self.shape[axis] {
                    break;
                }
                at[axis] = 0;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(len: usize, offset: usize, shape: &[usize], stride: &[usize]) -> TensorRef {
        let storage = StorageRef { key: "0".into(), dtype: Dtype::U8, len, start: 0 };
        TensorRef { storage, offset, shape: shape.to_vec(), stride: stride.to_vec() }
    }

    #[test]
    fn a_transposed_tensor_is_gathered_row_major() {
        let t = tensor(6, 0, &[3, 2], &[1, 3]);
        let raw = t.gather("t", &[0, 1, 2, 3, 4, 5]).unwrap();
        assert_eq!(raw.data, [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn an_offset_slice_is_copied() {
        let raw = tensor(6, 2, &[2, 2], &[2, 1]).gather("t", &[0, 1, 2, 3, 4, 5]).unwrap();
        assert_eq!(raw.data, [2, 3, 4, 5]);
    }

    #[test]
    fn outside_and_overflow_are_refused() {
        assert!(tensor(6, 3, &[2, 2], &[2, 1]).checked_len("t").is_err());
        assert!(tensor(6, 0, &[usize::MAX, 2], &[1, 1]).checked_len("t").is_err());
        assert!(tensor(6, usize::MAX, &[2], &[1]).checked_len("t").is_err());
        assert!(tensor(6, 0, &[2, 2], &[1]).checked_len("t").is_err());
        assert!(tensor(6, 0, &[2], &[1]).gather("t", &[0, 1, 2]).is_err());
    }
}
