//! A file's tensors by name, in the order in which the file lists them.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

use super::fault::{Checked, fault};

/// A tensor as bytes: contiguous, row-major, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawTensor {
    /// Element type.
    pub dtype: Dtype,
    /// Sizes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// `product(shape) · size_of(dtype)` bytes.
    pub data: Vec<u8>,
}

impl RawTensor {
    /// A tensor of `f32` values.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: shape.to_vec(), data }
    }

    /// Whether the elements are floating-point numbers.
    pub fn is_float(&self) -> bool {
        matches!(self.dtype, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16)
    }

    /// The values as `f32`, for the four floating-point types; `None` for any other type, because
    /// an integer tensor under a parameter's name is a mistake and not a number to convert.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let half = |dtype: DType| {
            let flat = Tensor::from_raw_buffer(&self.data, dtype, &[self.data.len() / 2], &Device::Cpu);
            flat.ok()?.to_dtype(DType::F32).ok()?.to_vec1().ok()
        };
        match self.dtype {
            Dtype::F32 => {
                let (words, _) = self.data.as_chunks::<4>();
                Some(words.iter().map(|w| f32::from_le_bytes(*w)).collect())
            }
            Dtype::F64 => {
                let (words, _) = self.data.as_chunks::<8>();
                Some(words.iter().map(|w| f64::from_le_bytes(*w) as f32).collect())
            }
            Dtype::F16 => half(DType::F16),
            Dtype::BF16 => half(DType::BF16),
            _ => None,
        }
    }
}

/// Named tensors. Names are unique; insertion order is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
        self.entries.iter().map(|(_, t)| t.data.len() as u64).sum()
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

    /// Every tensor under the name that `rename` gives it; `None` drops it.
    pub(super) fn renamed(self, rename: impl Fn(&str) -> Option<String>) -> Checked<Self> {
        let mut out = Self::default();
        for (old, tensor) in self.entries {
            if let Some(new) = rename(&old)
                && out.insert(&new, tensor).is_err()
            {
                return Err(fault(
                    format!("two tensors become `{new}` after renaming"),
                    "one name a tensor",
                    format!("`{old}` beside another"),
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
        assert_eq!(dict.get("b").unwrap().to_f32(), Some(vec![1.0]));
    }

    #[test]
    fn half_and_double_become_single() {
        let double = RawTensor {
            dtype: Dtype::F64,
            shape: vec![2],
            data: [1.5f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        assert_eq!(double.to_f32(), Some(vec![1.5, -2.0]));
        // 0x3E00 is 1.5 in half precision, 0x3FC0 is 1.5 in bfloat16.
        let half = RawTensor { dtype: Dtype::F16, shape: vec![1], data: vec![0x00, 0x3E] };
        assert_eq!(half.to_f32(), Some(vec![1.5]));
        let brain = RawTensor { dtype: Dtype::BF16, shape: vec![1], data: vec![0xC0, 0x3F] };
        assert_eq!(brain.to_f32(), Some(vec![1.5]));
        let int = RawTensor { dtype: Dtype::I64, shape: vec![], data: vec![0; 8] };
        assert_eq!(int.to_f32(), None);
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
