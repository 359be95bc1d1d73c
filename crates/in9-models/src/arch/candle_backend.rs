//! Our parameters as the source of a candle-transformers network's.

use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;

use crate::init::Init;
use crate::params::{Kind, Params};

/// Where one of candle's parameters is found among ours.
pub(super) enum Place {
    /// A parameter of this name and the same shape.
    Whole(String),
    /// Not there; candle treats it as optional.
    Absent,
}

/// A builder over `params`; `place` translates candle's names.
pub(super) fn builder(
    params: &Params,
    place: impl Fn(&str) -> Place + Send + Sync + 'static,
) -> VarBuilder<'static> {
    let backend = Backend { params: params.clone(), place };
    VarBuilder::from_backend(Box::new(backend), params.dtype(), params.device().clone())
}

struct Backend<F> {
    params: Params,
    place: F,
}

impl<F: Fn(&str) -> Place> Backend<F> {
    fn parameter(&self, name: &str, shape: &[usize]) -> candle_core::Result<Tensor> {
        // Truncated in the original to two deviations; evaluation never sees these values.
        let init = if shape.len() > 1 { Init::Normal { std: 0.02 } } else { Init::Constant(1.0) };
        let kind = if shape.len() > 1 { Kind::Weight } else { Kind::Bias };
        self.params.get(name, shape, kind, init).map(|p| p.value).map_err(candle_core::Error::wrap)
    }
}

impl<F: Fn(&str) -> Place + Send + Sync> SimpleBackend for Backend<F> {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        match (self.place)(name) {
            Place::Whole(name) => self.parameter(&name, shape.dims()),
            Place::Absent => candle_core::bail!("{name}: not a parameter of this network"),
        }
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("{name}: its shape has to be known")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        !matches!((self.place)(name), Place::Absent)
    }
}
