//! Our parameters as the source of a candle-transformers network's.

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;

use crate::init::Init;
use crate::params::{Kind, Params};

/// A builder over `params`, which have candle's names; `absent` says which are not there, where candle takes them for optional.
pub(crate) fn builder(
    params: &Params,
    absent: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> VarBuilder<'static> {
    let backend = Backend { params: params.clone(), absent };
    VarBuilder::from_backend(Box::new(backend), params.dtype(), params.device().clone())
}

struct Backend<F> {
    params: Params,
    absent: F,
}

impl<F: Fn(&str) -> bool> Backend<F> {
    fn parameter(&self, name: &str, shape: &[usize]) -> candle_core::Result<Tensor> {
        // Truncated in the original to two deviations; evaluation never sees these values.
        let init = if shape.len() > 1 { Init::Normal { std: 0.02 } } else { Init::Constant(1.0) };
        let kind = if shape.len() > 1 { Kind::Weight } else { Kind::Bias };
        self.params.get(name, shape, kind, init).map(|p| p.value).map_err(candle_core::Error::wrap)
    }
}

impl<F: Fn(&str) -> bool + Send + Sync> SimpleBackend for Backend<F> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        if (self.absent)(name) {
            candle_core::bail!("{name}: not a parameter of this network");
        }
        self.parameter(name, shape.dims())
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("{name}: its shape has to be known")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        !(self.absent)(name)
    }
}
