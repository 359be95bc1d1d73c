//! Torch storages: flat arrays that strided tensors look into.

use std::ops::Range;

use safetensors::Dtype;

use crate::weights::fault::{Checked, Fault, shown};
use crate::weights::limits::Limits;
use crate::weights::source::Source;
use crate::weights::state_dict::{RawTensor, Strided};

/// Element type of a torch storage class, `FloatStorage` → `F32`.
pub(in crate::weights) fn storage_dtype(class: &str) -> Option<Dtype> {
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

/// Bytes of one element of a torch storage.
pub(in crate::weights) fn element_bytes(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// A storage as the pickle declares it; its bytes are elsewhere in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::weights) struct StorageRef<'a> {
    /// Key under which the file keeps the bytes.
    pub(in crate::weights) key: &'a str,
    pub(in crate::weights) dtype: Dtype,
    /// Elements.
    pub(in crate::weights) len: usize,
    /// First element, when this is a view into the storage `key` (files before 2017).
    pub(in crate::weights) start: usize,
}

/// A tensor as the pickle declares it.
#[derive(Debug, Clone)]
pub(in crate::weights) struct TensorRef<'a> {
    pub(in crate::weights) storage: StorageRef<'a>,
    /// First element in the storage.
    pub(in crate::weights) offset: usize,
    pub(in crate::weights) shape: Vec<usize>,
    /// Elements between neighbours along each axis.
    pub(in crate::weights) stride: Vec<usize>,
}

impl TensorRef<'_> {
    /// Elements, when the tensor lies inside its storage; refused otherwise.
    pub(super) fn checked_len(&self, name: &str) -> Checked<usize> {
        self.reach().map(|(len, _)| len).ok_or_else(|| Fault::OutsideStorage {
            tensor: name.to_owned(),
            elements: self.storage.len,
            shape: self.shape.clone(),
            stride: self.stride.clone(),
            offset: self.offset,
        })
    }

    /// Number of elements, and the place of the last one in the storage.
    fn reach(&self) -> Option<(usize, usize)> {
        if self.shape.len() != self.stride.len() || self.shape.len() > 16 {
            return None;
        }
        let mut len = 1usize;
        let mut last = self.offset;
        for (&size, &stride) in self.shape.iter().zip(&self.stride) {
            len = len.checked_mul(size)?;
            last = last.checked_add(size.saturating_sub(1).checked_mul(stride)?)?;
        }
        (len == 0 || last < self.storage.len).then_some((len, last))
    }

    /// The tensor's place in `source`, where its storage has the bytes `storage`.
    pub(super) fn place(
        &self,
        name: &str,
        storage: Range<u64>,
        source: &Source,
        limits: &Limits,
    ) -> Checked<RawTensor> {
        let len = self.checked_len(name)?;
        let dtype = self.storage.dtype;
        let width = element_bytes(dtype) as u64;
        let byte = |element: usize| (element as u64).saturating_mul(width);
        let end = byte(self.storage.start).saturating_add(byte(self.storage.len));
        let found = storage.end.saturating_sub(storage.start);
        if end > found {
            return Err(Fault::CutOff {
                what: format!("storage `{}` of tensor `{name}` is too short: it", shown(self.storage.key)),
                needed: end,
                left: found,
            });
        }
        let shape = self.shape.clone();
        if len == 0 {
            return Ok(RawTensor::in_memory(dtype, shape, Vec::new()));
        }
        let start = storage.start + byte(self.storage.start) + byte(self.offset);
        if self.is_contiguous() {
            return Ok(RawTensor::in_file(dtype, shape, source.clone(), start..start + byte(len)));
        }
        let (_, last) = self.reach().unwrap_or((0, self.offset));
        let span = byte(last - self.offset + 1);
        // Elements may lie apart, and so span more than they are; or in one place, and be more than they span.
        let larger = span.max(byte(len));
        if larger > limits.rearranged_bytes {
            return Err(Fault::AboveLimit {
                what: format!("part of a storage that tensor `{name}` rearranges"),
                most: limits.rearranged_bytes,
                unit: "bytes",
                found: larger,
            });
        }
        let strided = Strided { stride: self.stride.clone(), width: width as usize };
        Ok(RawTensor::strided(dtype, shape, source.clone(), start..start + span, strided))
    }

    /// Whether neighbours in memory are neighbours in row-major order.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.stride).rev().all(|(&size, &stride)| {
            let fits = size == 1 || stride == expected;
            expected *= size;
            fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<'a>(len: usize, offset: usize, shape: &[usize], stride: &[usize]) -> TensorRef<'a> {
        let storage = StorageRef { key: "0", dtype: Dtype::U8, len, start: 0 };
        TensorRef { storage, offset, shape: shape.to_vec(), stride: stride.to_vec() }
    }

    fn gather(tensor: &TensorRef<'_>, bytes: &[u8]) -> Checked<Vec<u8>> {
        let source = Source::memory(bytes.to_vec());
        tensor.place("t", 0..source.len(), &source, &Limits::default())?.bytes()
    }

    #[test]
    fn a_transposed_tensor_is_gathered_row_major() {
        let raw = gather(&tensor(6, 0, &[3, 2], &[1, 3]), &[0, 1, 2, 3, 4, 5]).unwrap();
        assert_eq!(raw, [0, 3, 1, 4, 2, 5]);
    }

    #[test]
    fn an_offset_slice_is_copied() {
        let raw = gather(&tensor(6, 2, &[2, 2], &[2, 1]), &[0, 1, 2, 3, 4, 5]).unwrap();
        assert_eq!(raw, [2, 3, 4, 5]);
    }

    #[test]
    fn outside_and_overflow_are_refused() {
        assert!(tensor(6, 3, &[2, 2], &[2, 1]).checked_len("t").is_err());
        assert!(tensor(6, 0, &[usize::MAX, 2], &[1, 1]).checked_len("t").is_err());
        assert!(tensor(6, usize::MAX, &[2], &[1]).checked_len("t").is_err());
        assert!(tensor(6, 0, &[2, 2], &[1]).checked_len("t").is_err());
        assert!(gather(&tensor(6, 0, &[2], &[1]), &[0, 1, 2]).is_err());
    }

    #[test]
    fn a_tensor_that_spans_gigabytes_with_gaps_is_refused_before_it_is_read() {
        let wide = tensor(7 << 30, 0, &[2, 2], &[6 << 30, 5]);
        let source = Source::memory(Vec::new());
        let refused = wide.place("t", 0..7 << 30, &source, &Limits::default());
        assert!(matches!(refused, Err(Fault::AboveLimit { .. })), "{refused:?}");
    }

    #[test]
    fn one_element_that_is_repeated_a_thousand_million_times_is_refused() {
        let repeated = tensor(1, 0, &[1 << 30], &[0]);
        let source = Source::memory(vec![7]);
        let refused = repeated.place("t", 0..1, &source, &Limits::default());
        assert!(matches!(refused, Err(Fault::AboveLimit { found, .. }) if found == 1 << 30), "{refused:?}");
        assert_eq!(gather(&tensor(1, 0, &[3], &[0]), &[7]).unwrap(), [7; 3]);
    }
}
