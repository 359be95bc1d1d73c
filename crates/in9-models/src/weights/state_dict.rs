//! A file's tensors by name, in the order in which the file lists them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

use super::fault::{Checked, Fault, fault, shown};
use super::source::{PIECE, Source};

/// A tensor of a weight file: element type, shape, and where its bytes are.
///
/// Bytes are contiguous, row-major, little-endian. Those of a file are read when they are asked
/// for, so a tensor takes no memory before.
#[derive(Debug, Clone)]
pub struct RawTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Memory(Arc<[u8]>),
    File(Source, Range<u64>),
    /// The range covers the tensor's elements and what lies between them.
    Strided(Source, Range<u64>, Strided),
    /// One after the other along the first axis.
    Joined(Arc<[RawTensor]>),
}

/// How the elements of a tensor lie in a storage when they are not side by side.
#[derive(Debug, Clone)]
pub(super) struct Strided {
    /// Elements between neighbours along each axis.
    pub(super) stride: Vec<usize>,
    /// Bytes of an element.
    pub(super) width: usize,
}

impl RawTensor {
    /// A tensor of `f32` values.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self::in_memory(Dtype::F32, shape.to_vec(), bytes)
    }

    /// A tensor with these bytes: contiguous, row-major, little-endian. A number of bytes that does
    /// not fit `shape` is refused where the tensor is written or loaded.
    pub fn in_memory(dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { dtype, shape, place: Place::Memory(bytes.into()) }
    }

    /// A tensor whose bytes are those of `range`.
    pub(super) fn in_file(dtype: Dtype, shape: Vec<usize>, source: Source, range: Range<u64>) -> Self {
        Self { dtype, shape, place: Place::File(source, range) }
    }

    /// A tensor whose elements lie apart in `range`.
    pub(super) fn strided(
        dtype: Dtype,
        shape: Vec<usize>,
        source: Source,
        range: Range<u64>,
        strided: Strided,
    ) -> Self {
        Self { dtype, shape, place: Place::Strided(source, range, strided) }
    }

    /// The parts one after the other along the first axis.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for none, for parts of different types, and for parts that differ in another axis.
    pub(super) fn joined(name: &str, parts: Vec<RawTensor>) -> Checked<Self> {
        let like = |a: &Self, b: &Self| a.dtype == b.dtype && a.shape.get(1..) == b.shape.get(1..);
        let rows = parts.iter().map(|part| part.shape.first().copied()).sum::<Option<usize>>();
        let (Some(first), Some(rows)) = (parts.first(), rows) else {
            return Err(fault(format!("tensor `{}`", shown(name)), "parts with at least one axis", "others"));
        };
        if let Some(other) = parts.iter().find(|part| !like(first, part)) {
            let said = |t: &Self| format!("{:?} {:?}", t.dtype, t.shape);
            return Err(fault(format!("parts of `{}`", shown(name)), said(first), said(other)));
        }
        let (dtype, mut shape) = (first.dtype, first.shape.clone());
        shape[0] = rows;
        Ok(Self { dtype, shape, place: Place::Joined(parts.into()) })
    }

    /// Element type.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Sizes, outermost first; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Bytes of all elements.
    pub fn byte_len(&self) -> u64 {
        match &self.place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File(_, range) => range.end - range.start,
            Place::Strided(_, _, strided) => (self.shape.iter().product::<usize>() * strided.width) as u64,
            Place::Joined(parts) => parts.iter().map(Self::byte_len).sum(),
        }
    }

    /// Whether the elements are floating-point numbers.
    pub fn is_float(&self) -> bool {
        matches!(self.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
    }

    /// Hands all bytes to `take`, those of a file in pieces of a few elements each.
    pub(super) fn stream(&self, mut take: impl FnMut(&[u8]) -> Checked<()>) -> Checked<()> {
        match &self.place {
            // In pieces too: what is made of a piece is then small.
            Place::Memory(bytes) => bytes.chunks(PIECE).try_for_each(take),
            Place::File(source, range) => source.stream(range.clone(), "a tensor", take),
            Place::Strided(source, range, strided) => {
                let span = source.bytes(range.clone(), "a tensor")?;
                take(&gather(&span, &self.shape, strided))
            }
            // Through a reference: `take` would have to be of infinitely many types.
            Place::Joined(parts) => {
                let take: &mut dyn FnMut(&[u8]) -> Checked<()> = &mut take;
                parts.iter().try_for_each(|part| part.stream(&mut *take))
            }
        }
    }

    /// All bytes.
    ///
    /// # Errors
    /// [`Fault::Read`] or [`Fault::CutOff`] when the file cannot be read any more.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        self.stream(|piece| {
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    }

    /// The values as `f32`, for the four floating-point types.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for any other type, because an integer tensor under a parameter's name
    /// is a mistake and not a number to convert; those of [`RawTensor::bytes`].
    pub fn to_f32(&self) -> Result<Vec<f32>, Fault> {
        if !self.is_float() {
            return Err(fault("type of the elements", "floating-point numbers", format!("{:?}", self.dtype)));
        }
        let mut values = Vec::new();
        self.stream(|piece| {
            // Pieces hold whole elements: their length is a multiple of eight but for the last.
            match self.dtype {
                Dtype::F32 => {
                    values.extend(piece.as_chunks::<4>().0.iter().map(|w| f32::from_le_bytes(*w)));
                }
                Dtype::F64 => {
                    values.extend(piece.as_chunks::<8>().0.iter().map(|w| f64::from_le_bytes(*w) as f32));
                }
                Dtype::F16 => values.extend(half(piece, DType::F16)?),
                _ => values.extend(half(piece, DType::BF16)?),
            }
            Ok(())
        })?;
        Ok(values)
    }
}

fn half(bytes: &[u8], dtype: DType) -> Checked<Vec<f32>> {
    let values = || -> candle_core::Result<Vec<f32>> {
        let flat = Tensor::from_raw_buffer(bytes, dtype, &[bytes.len() / 2], &Device::Cpu)?;
        flat.to_dtype(DType::F32)?.to_vec1()
    };
    values().map_err(|e| fault("elements of half precision", "two bytes each", e.to_string()))
}

/// The elements in row-major order, out of a stretch that begins with the first one.
fn gather(span: &[u8], shape: &[usize], strided: &Strided) -> Vec<u8> {
    let Strided { stride, width } = strided;
    let len: usize = shape.iter().product();
    let mut out = Vec::with_capacity(len * width);
    let mut at = vec![0usize; shape.len()];
    for _ in 0..len {
        let place: usize = at.iter().zip(stride).map(|(i, s)| i * s).sum();
        out.extend_from_slice(&span[place * width..(place + 1) * width]);
        for axis in (0..at.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    out
}

/// Named tensors. Names are unique; insertion order is kept.
#[derive(Debug, Clone, Default)]
pub struct StateDict {
    entries: Vec<(String, RawTensor)>,
    places: HashMap<String, usize>,
}

impl StateDict {
    /// Number of tensors.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&RawTensor> {
        self.places.get(name).map(|&i| &self.entries[i].1)
    }

    /// Names and tensors in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawTensor)> {
        self.entries.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Names in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Bytes of all tensors.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|(_, t)| t.byte_len()).sum()
    }

    /// Adds a tensor; gives it back when the name is taken.
    ///
    /// # Errors
    /// The tensor itself, when `name` is already there.
    pub fn insert(&mut self, name: &str, tensor: RawTensor) -> Result<(), RawTensor> {
        if self.places.contains_key(name) {
            return Err(tensor);
        }
        self.places.insert(name.to_owned(), self.entries.len());
        self.entries.push((name.to_owned(), tensor));
        Ok(())
    }

    /// Gives every tensor whose name `wanted` chooses one axis instead of several.
    pub(super) fn flatten(&mut self, wanted: impl Fn(&str) -> bool) {
        for (_, tensor) in self.entries.iter_mut().filter(|(name, _)| wanted(name)) {
            // Elements that lie apart would need their strides changed too.
            if !matches!(tensor.place, Place::Strided(..)) {
                tensor.shape = vec![tensor.shape.iter().product()];
            }
        }
    }

    /// Every tensor under the name that `rename` gives it; `None` drops it.
    pub(super) fn renamed(self, rename: impl Fn(&str) -> Option<String>) -> Checked<Self> {
        let mut out = Self::default();
        for (old, tensor) in self.entries {
            if let Some(new) = rename(&old)
                && out.insert(&new, tensor).is_err()
            {
                return Err(fault(
                    format!("two tensors become `{}` after renaming", shown(&new)),
                    "one name a tensor",
                    format!("`{}` beside another", shown(&old)),
                ));
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_ordered() {
        let mut dict = StateDict::default();
        dict.insert("b", RawTensor::from_f32(&[1], &[1.0])).unwrap();
        dict.insert("a", RawTensor::from_f32(&[1], &[2.0])).unwrap();
        assert!(dict.insert("b", RawTensor::from_f32(&[1], &[3.0])).is_err());
        assert_eq!(dict.names().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(dict.get("b").unwrap().to_f32().unwrap(), [1.0]);
    }

    #[test]
    fn half_and_double_become_single() {
        let one = |dtype, shape: &[usize], bytes: &[u8]| {
            RawTensor::in_memory(dtype, shape.to_vec(), bytes.to_vec()).to_f32()
        };
        let double: Vec<u8> = [1.5f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(one(Dtype::F64, &[2], &double).unwrap(), [1.5, -2.0]);
        // 0x3E00 is 1.5 in half precision, 0x3FC0 is 1.5 in bfloat16.
        assert_eq!(one(Dtype::F16, &[1], &[0x00, 0x3E]).unwrap(), [1.5]);
        assert_eq!(one(Dtype::BF16, &[1], &[0xC0, 0x3F]).unwrap(), [1.5]);
        assert!(matches!(one(Dtype::I64, &[], &[0; 8]), Err(Fault::Malformed { .. })));
    }

    #[test]
    fn values_on_both_sides_of_a_piece_are_whole() {
        let values: Vec<f32> = (0..PIECE / 4 + 3).map(|i| i as f32).collect();
        let there = RawTensor::from_f32(&[values.len()], &values);
        assert_eq!(there.to_f32().unwrap(), values);
        let bytes = there.bytes().unwrap();
        let range = 0..bytes.len() as u64;
        let in_file = RawTensor::in_file(Dtype::F32, vec![values.len()], Source::memory(bytes), range);
        assert_eq!(in_file.to_f32().unwrap(), values);
    }

    #[test]
    fn renaming_refuses_a_collision() {
        let mut dict = StateDict::default();
        dict.insert("x.a", RawTensor::from_f32(&[1], &[1.0])).unwrap();
        dict.insert("y.a", RawTensor::from_f32(&[1], &[2.0])).unwrap();
        let fault = dict.renamed(|n| n.get(2..).map(str::to_owned)).unwrap_err();
        assert!(fault.to_string().contains("two tensors become `a`"), "{fault}");
    }
}
