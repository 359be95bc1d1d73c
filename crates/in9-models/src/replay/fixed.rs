//! Tensors that stay where they are.

use candle_core::{DType, Tensor};

use crate::error::Result;

/// A tensor with an address that does not change, which a captured graph reads or writes; on a GPU.
pub(crate) struct Fixed {
    /// In the order of the memory.
    memory: Tensor,
    form: Form,
}

/// What a tensor looks like: shape, type, and whether it lies channels last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    dims: Vec<usize>,
    dtype: DType,
    last: bool,
}

impl Form {
    pub(crate) fn of(x: &Tensor) -> Result<Self> {
        let last = x.rank() == 4 && !x.is_contiguous() && x.permute((0, 2, 3, 1))?.is_contiguous();
        Ok(Self { dims: x.dims().to_vec(), dtype: x.dtype(), last })
    }
}

impl Fixed {
    /// Room for tensors that look like `x`.
    pub(crate) fn like(x: &Tensor) -> Result<Self> {
        let form = Form::of(x)?;
        Ok(Self { memory: in_order(x, &form)?.zeros_like()?, form })
    }

    /// Whether `x` looks like those that there is room for.
    pub(crate) fn fits(&self, x: &Tensor) -> Result<bool> {
        Ok(Form::of(x)? == self.form)
    }

    /// Copies the values of `x`, which looks alike, without waiting for the host.
    pub(crate) fn set(&self, x: &Tensor) -> Result<()> {
        Ok(self.memory.slice_set(&in_order(x, &self.form)?.contiguous()?, 0, 0)?)
    }

    /// The tensor, laid out as those it is set to.
    pub(crate) fn tensor(&self) -> Result<Tensor> {
        match self.form.last {
            true => Ok(self.memory.permute((0, 3, 1, 2))?),
            false => Ok(self.memory.clone()),
        }
    }
}

/// A view of the values in the order of the memory.
fn in_order(x: &Tensor, form: &Form) -> Result<Tensor> {
    let x = x.detach();
    Ok(if form.last { x.permute((0, 2, 3, 1))? } else { x })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn both_layouts_come_back_as_they_were_set() {
        let x = Tensor::arange(0f32, 120.0, &Device::Cpu).unwrap().reshape((2, 3, 4, 5)).unwrap();
        let last = x.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap().permute((0, 3, 1, 2)).unwrap();
        for x in [x.clone(), last] {
            let fixed = Fixed::like(&x).unwrap();
            assert!(fixed.fits(&x).unwrap());
            fixed.set(&x).unwrap();
            let back = fixed.tensor().unwrap();
            assert_eq!(back.stride(), x.stride());
            let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(&back), values(&x));
        }
        let fixed = Fixed::like(&x).unwrap();
        assert!(!fixed.fits(&x.narrow(0, 0, 1).unwrap()).unwrap());
        assert!(!fixed.fits(&x.to_dtype(DType::BF16).unwrap()).unwrap());
    }
}
